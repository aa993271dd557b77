"""Writes the Python source of an encoder for one dialect and one set of elements.

The generated function takes MTI and elements and gives the bytes, or None at any doubt. Neighbouring
elements of one kind become one formatted string, turned into bytes at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pos_specs.dialect import DataElement, Dialect


def build(dialect: Dialect, elements: tuple[int, ...]) -> Callable[[str, dict[int, str]], bytes | None]:
    """The compiled encoder for messages of exactly these elements, given in any order."""
    names: dict[str, Any] = {}
    exec(compile(write(dialect, elements), f"<encoder {dialect.name}>", "exec"), names)
    function: Callable[[str, dict[int, str]], bytes | None] = names["encode"]
    return function


def write(dialect: Dialect, elements: tuple[int, ...]) -> str:
    """The encoder's source text."""
    ordered = tuple(sorted(elements))
    writer = _Writer(dialect, ordered)
    for number in ordered:
        writer.element(dialect.elements[number])
    return writer.finish()


def bitmap_hex(elements: tuple[int, ...]) -> str:
    """The bitmap that names `elements`: 16 hex digits, 32 when one is above 64."""
    size = 128 if any(number > 64 for number in elements) else 64
    bits = sum(1 << (size - number) for number in elements)
    if size == 128:
        bits |= 1 << 127
    return f"{bits:0{size // 4}X}"


class _Writer:
    """Collects checks and the pieces of the message; a piece is (kind, formatted text)."""

    def __init__(self, dialect: Dialect, elements: tuple[int, ...]) -> None:
        self.dialect = dialect
        self.lines: list[str] = []
        self.pieces: list[tuple[str, str]] = []
        self.digits: list[str] = ["mti"]
        bitmap = bitmap_hex(elements)
        self.pieces.append(("hex" if dialect.wire.mti == "bcd" else "text", "{mti}"))
        self.pieces.append(("hex" if dialect.wire.bitmap == "binary" else "text", bitmap))

    def element(self, element: DataElement) -> None:
        name = f"v{element.number}"
        self.lines.append(f"{name} = f[{element.number}]")
        if element.content in ("n", "z") and self.dialect.wire.digits == "bcd":
            self._digits(element, name)
        elif element.content == "b":
            self._bytes(element, name)
        else:
            self._text(element, name)
        if element.content == "n":
            self.digits.append(name)

    def _digits(self, element: DataElement, name: str) -> None:
        if element.content == "z":
            self.lines.append(f"if {name}.strip('0123456789ABCDEF'): return None")
        self._check_length(element, f"len({name})")
        if element.length_digits:
            self._counter(element, f"n{element.number}")
            pad = f"{{'{element.pad}' if n{element.number} & 1 else ''}}"
        else:
            pad = element.pad if element.max_length % 2 else ""
        text = f"{pad}{{{name}}}" if element.pad_side == "left" else f"{{{name}}}{pad}"
        self.pieces.append(("hex", text))

    def _bytes(self, element: DataElement, name: str) -> None:
        self.lines.append(f"if {name}.strip('0123456789ABCDEF') or len({name}) & 1: return None")
        self._check_length(element, f"len({name}) >> 1")
        if element.length_digits:
            self._counter(element, f"n{element.number}")
        self.pieces.append(("hex", f"{{{name}}}"))

    def _text(self, element: DataElement, name: str) -> None:
        if element.content == "xn":
            self.lines.append(f"if not ({name}[:1].isalpha() and {name}[1:].isdigit()): return None")
        elif element.content == "h" or element.content == "z":
            self.lines.append(f"if {name}.strip('0123456789ABCDEF='): return None")
        self.lines.append(f"if not {name}.isascii() or {name}[:4] == 'hex:': return None")
        self._check_length(element, f"len({name})")
        if element.length_digits:
            self._counter(element, f"n{element.number}")
        self.pieces.append(("text", f"{{{name}}}"))

    def _check_length(self, element: DataElement, length: str) -> None:
        if element.length_digits:
            counted = f"n{element.number}"
            self.lines += [f"{counted} = {length}", f"if {counted} > {element.max_length}: return None"]
        else:
            self.lines.append(f"if {length} != {element.max_length}: return None")

    def _counter(self, element: DataElement, name: str) -> None:
        if self.dialect.wire.length == "bcd":
            self.pieces.append(("hex", f"{{{name}:0{(element.length_digits + 1) // 2 * 2}}}"))
        else:
            self.pieces.append(("text", f"{{{name}:0{element.length_digits}}}"))

    def finish(self) -> str:
        body = [
            *self.lines,
            f"d = {' + '.join(self.digits)}",
            "if not (d.isdigit() and d.isascii() and len(mti) == 4): return None",
            f"return {' + '.join(self._joined())}",
        ]
        return "\n".join(["def encode(mti, f):", *[f"    {line}" for line in body], ""])

    def _joined(self) -> list[str]:
        """Neighbouring pieces of one kind as one expression each."""
        runs: list[tuple[str, str]] = []
        for kind, text in self.pieces:
            if runs and runs[-1][0] == kind:
                runs[-1] = (kind, runs[-1][1] + text)
            else:
                runs.append((kind, text))
        return [_expression(kind, text) for kind, text in runs]


def _expression(kind: str, text: str) -> str:
    if kind == "hex":
        return f'bytes.fromhex(f"{text}")'
    return f'f"{text}".encode("latin-1")'
