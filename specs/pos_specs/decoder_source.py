"""Writes the Python source of a decoder for one dialect and one set of elements.

The generated function takes the bytes from the MTI on and gives a Message, or None at any doubt.
In it: `b` the bytes, `p` the position behind the last element of variable length (before the first one
positions are constants), `x` a run of neighbouring elements, `nK` the counter and `vK` the value of
element K. A position past the end shows up at the end: then `p` and the length of `b` differ.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from pos_specs.bitmap import bitmap_bytes, mti_bytes
from pos_specs.dialect import DataElement, Dialect
from pos_specs.message import Message
from pos_specs.text_codecs import EBCDIC, gbk_text

_TOO_MUCH = 10**6
"""What a byte that is not two digits counts: more than any element may have, so that it is refused."""

TWO_DIGITS = tuple(int(f"{b:02x}") if f"{b:02x}".isdigit() else _TOO_MUCH for b in range(256))
"""The number a BCD byte stands for."""

LONGEST_IN_TABLE = 3
"""Digits of the longest counter that is looked up: LLL, and longer ones are seldom used."""

COUNTERS = {f"{n:0{size}}".encode(): n for size in range(1, LONGEST_IN_TABLE + 1) for n in range(10**size)}
"""The number that one, two or three ASCII digits stand for."""

TO_ASCII = bytes(range(256)).decode(EBCDIC).encode("latin-1")
"""The ASCII byte for each EBCDIC one, for `bytes.translate`."""


def build(dialect: Dialect, elements: tuple[int, ...]) -> Callable[[bytes], Message | None]:
    """The compiled decoder for messages of exactly these elements, all defined in the dialect."""
    names: dict[str, Any] = {
        "Message": Message,
        "ELEMENTS": dict.fromkeys(sorted(elements)),
        "SHAPE": frozenset(elements),
        "TWO_DIGITS": TWO_DIGITS,
        "COUNTERS": COUNTERS,
        "TO_ASCII": TO_ASCII,
        "gbk_text": gbk_text,
    }
    source = write(dialect, elements)
    exec(compile(source, f"<decoder {dialect.name}>", "exec"), names)
    function: Callable[[bytes], Message | None] = names["decode"]
    return function


def write(dialect: Dialect, elements: tuple[int, ...]) -> str:
    """The decoder's source text."""
    writer = _Writer(dialect, elements)
    in_order = [dialect.elements[number] for number in sorted(elements)]
    for kind, run in groupby(in_order, key=writer.kind_of_run):
        if kind:
            writer.run(kind, list(run))
            continue
        for element in run:
            if element.length_digits:
                writer.variable(element)
            elif element.is_signed_bcd:
                writer.signed(element)
            else:
                writer.chinese(element)
    return writer.finish()


class _Writer:
    """Collects the lines of one decoder; `offset` counts from `p` once there is a `p`."""

    def __init__(self, dialect: Dialect, elements: tuple[int, ...]) -> None:
        self.dialect = dialect
        self.elements = elements
        self.lines: list[str] = []
        self.digits = ["{m}"]
        self.offset = mti_bytes(dialect.wire) + bitmap_bytes(dialect.wire, elements)
        self.has_p = False

    def kind_of_run(self, element: DataElement) -> str:
        """Elements of one kind are read at once: "hex", or a text encoding; "" for those by themselves."""
        if element.length_digits or element.may_be_chinese or element.is_signed_bcd:
            return ""
        return "hex" if element.is_nibbles else element.plain_encoding

    def run(self, kind: str, run: list[DataElement]) -> None:
        """Neighbouring elements of fixed length: one conversion, then a slice for each."""
        size = sum(element.wire_bytes for element in run)
        self.lines.append(f"x = {self._converted(kind, self._at(0), self._at(size))}")
        unit = 2 if kind == "hex" else 1
        position = 0
        for element in run:
            end = position + element.wire_bytes * unit
            self._cut(element, position, end, whole=len(run) == 1)
            position = end
        if any(element.text == "gbk" and element.is_text for element in run):
            self.lines.append("if 'hex:' in x: return None")
        self.offset += size

    def chinese(self, element: DataElement) -> None:
        """A fixed number of bytes whose characters may be two bytes each."""
        size = element.wire_bytes
        self.lines.append(f"v{element.number} = gbk_text(b[{self._at(0)}:{self._at(size)}])")
        self.offset += size

    def signed(self, element: DataElement) -> None:
        """A sign character before packed digits."""
        start, digits, end = self._at(0), self._at(1), self._at(element.wire_bytes)
        sign = self._converted(element.plain_encoding, start, digits)
        self._value(element, f"{sign} + b[{digits}:{end}].hex()")
        self.offset += element.wire_bytes

    def variable(self, element: DataElement) -> None:
        """An element behind a counter; `p` moves behind it."""
        length = f"n{element.number}"
        self._counter(element, length)
        self.lines.append(f"if {length} > {element.max_length}: return None")
        self.lines.append(f"p = {self._at(0)}" if not self.has_p else f"p += {self.offset}")
        self.has_p, self.offset = True, 0
        if element.may_be_chinese:
            self.lines += [f"e = p + {length}", f"v{element.number} = gbk_text(b[p:e])"]
        elif not element.is_nibbles:
            self.lines.append(f"e = p + {length}")
            self._value(element, self._converted(element.plain_encoding, "p", "e"))
        elif element.content == "b":
            self.lines += [f"e = p + {length}", f"v{element.number} = b[p:e].hex().upper()"]
        else:
            self._variable_digits(element, length)
        self.lines.append("p = e")

    def finish(self) -> str:
        """The whole function."""
        mti = {"bcd": "b[:2].hex()", "ascii": "b[:4].decode('latin-1')", "ebcdic": f"b[:4].decode('{EBCDIC}')"}
        body = [
            "pads = None",
            f"m = {mti[self.dialect.wire.mti]}",
            *self.lines,
            f"if {self._at(0)} != len(b): return None",
            f'd = f"{"".join(self.digits)}"',
            "if not d.encode().isdigit(): return None",
            "f = ELEMENTS.copy()",
            *[f"f[{number}] = v{number}" for number in sorted(self.elements)],
            "return Message(m, f, pads, SHAPE)",
        ]
        # A counter that is no number, a byte past the end, bytes that are not ASCII: doubts like any other.
        lines = ["    try:", *[f"        {line}" for line in body]]
        lines += ["    except (ValueError, IndexError, KeyError):", "        return None"]
        return "\n".join(["def decode(b):", *lines, ""])

    def _at(self, extra: int) -> str:
        """A byte position as source text."""
        total = self.offset + extra
        if not self.has_p:
            return str(total)
        return f"p+{total}" if total else "p"

    @staticmethod
    def _converted(kind: str, start: str, end: str) -> str:
        return f"b[{start}:{end}].hex()" if kind == "hex" else f"b[{start}:{end}].decode('{kind}')"

    def _counter(self, element: DataElement, name: str) -> None:
        size = element.counter_bytes
        piece = f"b[{self._at(0)}:{self._at(size)}]"
        if element.counter == "binary":
            self.lines.append(f"{name} = int.from_bytes({piece}, 'big')")
        elif element.counter == "bcd":
            places = range(size)
            terms = [f"{100 ** (size - 1 - at)} * TWO_DIGITS[b[{self._at(at)}]]" for at in places]
            self.lines.append(f"{name} = {' + '.join(terms).replace('1 * ', '')}")
        else:
            piece += ".translate(TO_ASCII)" if element.counter == "ebcdic" else ""
            self._digits_counter(name, piece, size)
        self.offset += size

    def _digits_counter(self, name: str, piece: str, size: int) -> None:
        """A counter in characters; more digits than the table has are rare and take two steps."""
        if size <= LONGEST_IN_TABLE:
            self.lines.append(f"{name} = COUNTERS[{piece}]")
        else:
            self.lines += [f"c = {piece}", "if not c.isdigit(): return None", f"{name} = int(c)"]

    def _cut(self, element: DataElement, start: int, end: int, *, whole: bool) -> None:
        """The value of a fixed element out of `x`, where it stands from `start` to `end`."""
        if element.is_nibbles and element.content != "b" and element.max_length % 2:
            left = element.pad_side == "left"
            self._pad(element, f"x[{start if left else end - 1}]")
            start, end, whole = (start + 1, end, False) if left else (start, end - 1, False)
        self._value(element, "x" if whole else f"x[{start}:{end}]")

    def _variable_digits(self, element: DataElement, length: str) -> None:
        name = f"v{element.number}"
        upper = ".upper()" if element.content == "z" else ""
        left = element.pad_side == "left"
        self.lines += [
            f"e = p + ({length} + 1 >> 1)",
            f"{name} = b[p:e].hex(){upper}",
            f"if {length} & 1:",
        ]
        self._pad(element, f"{name}[{0 if left else -1}]", "    ", upper=element.content == "z")
        self.lines.append(f"    {name} = {name}[{'1:' if left else ':-1'}]")
        if element.content == "n":
            self.digits.append(f"{{{name}}}")

    def _pad(self, element: DataElement, nibble: str, indent: str = "", *, upper: bool = False) -> None:
        """The spare nibble: the dialect's own, or the other tolerated one, which is remembered."""
        own, other = ("0", "F") if element.pad == "0" else ("F", "0")
        case = str.upper if upper else str.lower
        self.lines += [
            f"{indent}if {nibble} != '{case(own)}':",
            f"{indent}    if {nibble} != '{case(other)}': return None",
            f"{indent}    pads = {{**(pads or {{}}), {element.number}: '{other}'}}",
        ]

    def _value(self, element: DataElement, source: str) -> None:
        """Sets the element's variable and notes or writes the check of its content."""
        name = f"v{element.number}"
        upper = ".upper()" if element.is_nibbles and element.content != "n" else ""
        self.lines.append(f"{name} = {source}{upper}")
        if element.content == "n":
            self.digits.append(f"{{{name}}}")
        elif element.content == "xn":
            self.lines.append(f"if {name}[:1] not in ('C', 'D'): return None")
            self.digits.append(f"{{{name}[1:]}}")
        elif element.content == "h":
            self.lines.append(f"if {name}.strip('0123456789ABCDEFabcdef'): return None")
        elif element.content == "z" and not element.is_nibbles:
            self.digits.append(f"{{{name}.replace('=', '').replace('D', '')}}")
