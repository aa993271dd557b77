"""Writes the Python source of an encoder for one dialect and one set of elements.

The generated function takes MTI and elements and gives the bytes, or None at any doubt. In it: `vK` the
value of element K, `nK` its length where that goes into a counter. Neighbouring elements of one kind
become one formatted string, turned into bytes at once.
"""

from __future__ import annotations

from binascii import a2b_hex
from collections.abc import Callable
from itertools import groupby
from typing import Any

from pos_specs.bitmap import bitmap_hex
from pos_specs.dialect import DataElement, Dialect
from pos_specs.text_codecs import EBCDIC, gbk_bytes

_KINDS = {"bcd": "bcd", "binary": "bcd", "ascii": "ascii", "hex": "ascii", "ebcdic": EBCDIC, "hex-ebcdic": EBCDIC}
"""What MTI, bitmap and counters are made of: hex digits of bytes, or characters of an encoding."""

COUNTERS = {size: tuple(f"{number:0{size}}" for number in range(1000)) for size in (2, 3, 4)}
"""Counters as digits, by their number of digits; two digits are never asked for a number above 99."""


def build(dialect: Dialect, elements: tuple[int, ...]) -> Callable[[str, dict[int, str]], bytes | None]:
    """The compiled encoder for messages of exactly these elements, in exactly this order of the mapping."""
    names: dict[str, Any] = {"a2b_hex": a2b_hex, "gbk_bytes": gbk_bytes}
    names |= {f"COUNTER{size}": table for size, table in COUNTERS.items()}
    exec(compile(write(dialect, elements), f"<encoder {dialect.name}>", "exec"), names)
    function: Callable[[str, dict[int, str]], bytes | None] = names["encode"]
    return function


def write(dialect: Dialect, elements: tuple[int, ...]) -> str:
    """The encoder's source text."""
    writer = _Writer(dialect, elements)
    for number in sorted(elements):
        writer.element(dialect.elements[number])
    return writer.finish(elements)


class _Writer:
    """Collects checks and the pieces of the message; a piece is (kind, formatted text)."""

    def __init__(self, dialect: Dialect, elements: tuple[int, ...]) -> None:
        self.dialect = dialect
        self.bytes_first: list[str] = []
        self.lengths: list[str] = []
        self.wrong_length = ["len(mti) != 4"]
        self.checks: list[str] = []
        self.texts: list[str] = []
        self.digits = ["{mti}"]
        self.hex_values: list[str] = []
        self.pieces: list[tuple[str, str]] = []
        self._piece(_KINDS[dialect.wire.mti], "{mti}")
        self._piece(_KINDS[dialect.wire.bitmap], bitmap_hex(dialect.wire, elements))

    def element(self, element: DataElement) -> None:
        """Checks and pieces of one element."""
        name = f"v{element.number}"
        if element.may_be_chinese:
            self.bytes_first.append(f"{name} = gbk_bytes({name})")
        self._length(element, name)
        self._content(element, name)
        if element.length_digits:
            self._counter(element)
        if element.may_be_chinese:
            self._piece("bytes", name)
        elif element.is_signed_bcd:
            self._piece(element.plain_encoding, f"{{{name}[:1]}}")
            self._piece("bcd", f"{{{name}[1:]}}")
        elif not element.is_nibbles:
            self._piece(element.plain_encoding, f"{{{name}}}")
        elif element.content == "b":
            self._piece("bcd", f"{{{name}}}")
        else:
            self._piece("bcd", self._padded(element, name))

    def finish(self, elements: tuple[int, ...]) -> str:
        """The whole function; `elements` in the order of the mapping that it will get."""
        body = [
            f"{', '.join(f'v{number}' for number in elements)}, = f.values()",
            *self.bytes_first,
            *self.lengths,
            f"if {' or '.join(self.wrong_length)}: return None",
            *self._digits_check(),
            *self.checks,
            *([f"""if 'hex:' in f"{"".join(self.texts)}": return None"""] if self.texts else []),
            f"return {' + '.join(self._joined())}",
        ]
        # Digits that are none, characters the encoding does not have: doubts like any other.
        lines = ["    try:", *[f"        {line}" for line in body]]
        lines += ["    except ValueError:", "        return None"]
        return "\n".join(["def encode(mti, f):", *lines, ""])

    def _length(self, element: DataElement, name: str) -> None:
        longest = element.max_length * (2 if element.content == "b" else 1)
        if not element.length_digits:
            self.wrong_length.append(f"len({name}) != {longest}")
            return
        counted = f"n{element.number}"
        self.lengths.append(f"{counted} = len({name})")
        self.wrong_length.append(f"{counted} > {longest}")
        if element.content == "b":
            self.wrong_length.append(f"{counted} & 1")

    def _content(self, element: DataElement, name: str) -> None:
        if element.content == "n":
            self.digits.append(f"{{{name}}}")
        elif element.is_nibbles:
            self.hex_values.append(f"{{{name}}}")
        elif element.content == "xn":
            self.checks.append(f"if {name}[:1] not in ('C', 'D'): return None")
            self.digits.append(f"{{{name}[1:]}}")
        elif element.content == "h":
            self.checks.append(f"if {name}.strip('0123456789ABCDEFabcdef'): return None")
        elif element.content == "z":
            self.digits.append(f"{{{name}.replace('=', '').replace('D', '')}}")
        elif element.text == "gbk" and not element.may_be_chinese:
            self.texts.append(f"{{{name}}}")

    def _counter(self, element: DataElement) -> None:
        counted = f"n{element.number}" + (" >> 1" if element.content == "b" else "")
        digits = element.counter_bytes if element.counter in ("ascii", "ebcdic") else 2 * element.counter_bytes
        kind = _KINDS[element.counter]
        if element.counter == "binary":
            self._piece(kind, f"{{{counted}:0{digits}X}}")
        elif digits in COUNTERS and element.max_length < len(COUNTERS[digits]):
            self._piece(kind, f"{{COUNTER{digits}[{counted}]}}")
        else:
            self._piece(kind, f"{{{counted}:0{digits}}}")

    @staticmethod
    def _padded(element: DataElement, name: str) -> str:
        if element.length_digits:
            pad = f"{{'{element.pad}' if n{element.number} & 1 else ''}}"
        else:
            pad = element.pad if element.max_length % 2 else ""
        return f"{pad}{{{name}}}" if element.pad_side == "left" else f"{{{name}}}{pad}"

    def _digits_check(self) -> list[str]:
        """What turning text into bytes does not find by itself: letters among digits, small hex letters."""
        lines = [f'd = f"{"".join(self.digits)}"', "if not d.encode().isdigit(): return None"]
        if self.hex_values:
            lines += [f'x = f"{"".join(self.hex_values)}"', "if x.upper() != x: return None"]
        return lines

    def _piece(self, kind: str, text: str) -> None:
        """ASCII is part of latin-1: there the two make one string."""
        if kind == "ascii" and self.dialect.wire.text == "latin-1":
            kind = "latin-1"
        self.pieces.append((kind, text))

    def _joined(self) -> list[str]:
        """Neighbouring pieces of one kind as one expression each."""
        expressions = []
        for kind, run in groupby(self.pieces, key=lambda piece: piece[0]):
            texts = [text for _, text in run]
            if kind == "bytes":
                expressions += texts
            elif kind == "bcd":
                expressions.append(f'a2b_hex(f"{"".join(texts)}")')
            else:
                expressions.append(f'f"{"".join(texts)}".encode("{kind}")')
        return expressions
