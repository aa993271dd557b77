"""Writes the Python source of a decoder for one dialect and one set of elements.

The generated function takes the bytes from the MTI on and gives a Message, or None at any doubt.
In it: `b` the bytes, `h` their upper-case hex, `t` them as latin-1 text, `p` the byte position after
the first element of variable length (before it, positions are constants).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pos_specs.dialect import DataElement, Dialect
from pos_specs.errors import MessageError
from pos_specs.message import Message
from pos_specs.text_codecs import GBK


def bitmap_reader(dialect: Dialect) -> Callable[[bytes], bytes]:
    """A function that gives the bitmap bytes of a message, as sent; they key the generated decoders."""
    mti = 2 if dialect.wire.mti == "bcd" else 4
    size = 8 if dialect.wire.bitmap == "binary" else 16
    once, twice = mti + size, mti + 2 * size
    second = frozenset(range(0x80, 0x100)) if size == 8 else frozenset(b"89ABCDEFabcdef")

    def read(data: bytes) -> bytes:
        if len(data) > mti and data[mti] in second:
            return data[mti:twice]
        return data[mti:once]

    return read


def elements_of(dialect: Dialect, bitmap: bytes) -> tuple[int, ...]:
    """The element numbers a bitmap names, 1 excluded; raises MessageError for one the dialect lacks."""
    size = 8 if dialect.wire.bitmap == "binary" else 16
    if len(bitmap) not in (size, 2 * size):
        raise MessageError("too short", "p")
    try:
        raw = bitmap if size == 8 else bytes.fromhex(bitmap.decode("ascii"))
    except ValueError:
        raise MessageError("not hex", "p") from None
    bits = int.from_bytes(raw, "big")
    total = len(raw) * 8
    numbers = [n for n in range(1, total + 1) if bits >> (total - n) & 1]
    for number in numbers:
        if number != 1 and number not in dialect.elements:
            raise MessageError(f"not defined in dialect {dialect.name}", str(number))
    return tuple(number for number in numbers if number != 1)


def build(dialect: Dialect, elements: tuple[int, ...]) -> Callable[[bytes], Message | None]:
    """The compiled decoder for messages of exactly these elements."""
    names: dict[str, Any] = {"Message": Message, "GBK": GBK}
    source = write(dialect, elements)
    exec(compile(source, f"<decoder {dialect.name}>", "exec"), names)
    function: Callable[[bytes], Message | None] = names["decode"]
    return function


def write(dialect: Dialect, elements: tuple[int, ...]) -> str:
    """The decoder's source text."""
    writer = _Writer(dialect, any(number > 64 for number in elements))
    for number in elements:
        writer.element(dialect.elements[number])
    return writer.finish(elements)


class _Writer:
    """Collects lines; `at` is the constant position so far, or None once it is the variable `p`."""

    def __init__(self, dialect: Dialect, second_bitmap: bool) -> None:
        self.dialect = dialect
        self.lines: list[str] = []
        self.at: int | None = None
        self.offset = (2 if dialect.wire.mti == "bcd" else 4) + self._bitmap_bytes(second_bitmap)
        self.variable = False
        self.digits: list[str] = []
        self.ascii_text: list[str] = []

    def _bitmap_bytes(self, second: bool) -> int:
        size = 8 if self.dialect.wire.bitmap == "binary" else 16
        return size * 2 if second else size

    def position(self, extra: int = 0) -> str:
        """A byte position as source text."""
        total = self.offset + extra
        return f"p+{total}" if self.variable and total else "p" if self.variable else str(total)

    def nibble(self, extra: int = 0) -> str:
        """A position in `h` (two characters a byte) as source text, `extra` in nibbles."""
        total = self.offset * 2 + extra
        return f"2*p+{total}" if self.variable else str(total)

    def element(self, element: DataElement) -> None:
        if element.length_digits:
            self._variable(element)
        else:
            self._fixed(element)

    def _fixed(self, element: DataElement) -> None:
        name, length = f"v{element.number}", element.max_length
        if element.content in ("n", "z") and self.dialect.wire.digits == "bcd":
            size = (length + 1) // 2
            skip = 1 if length % 2 and element.pad_side == "left" else 0
            self.lines.append(f"{name} = h[{self.nibble(skip)}:{self.nibble(skip + length)}]")
            if length % 2:
                self._pad(element, f"h[{self.nibble(0 if skip else length)}]")
        elif element.content == "b":
            size = length
            self.lines.append(f"{name} = h[{self.nibble()}:{self.nibble(2 * size)}]")
        else:
            size = length
            self._text(element, self.position(), self.position(size))
        self._note_checks(element)
        self.offset += size

    def _variable(self, element: DataElement) -> None:
        name, number = f"v{element.number}", element.number
        counter = self._counter(element)
        length = f"n{number}"
        self.lines += [f"{length} = int({counter})", f"if {length} > {element.max_length}: return None"]
        if not self.variable:
            self.lines.append(f"p = {self.offset}")
        elif self.offset:
            self.lines.append(f"p += {self.offset}")
        self.variable, self.offset = True, 0
        if element.content in ("n", "z") and self.dialect.wire.digits == "bcd":
            self._variable_digits(element, name, length)
            self.lines.append(f"p += ({length} + 1) >> 1")
        elif element.content == "b":
            self.lines += [f"{name} = h[2*p:2*(p+{length})]", f"p += {length}"]
        else:
            self._text(element, "p", f"p+{length}")
            self.lines.append(f"p += {length}")
        self._note_checks(element)

    def _variable_digits(self, element: DataElement, name: str, length: str) -> None:
        if element.pad_side == "left":
            self.lines.append(f"{name} = h[2*p+({length}&1):2*p+({length}&1)+{length}]")
            pad_at = "2*p"
        else:
            self.lines.append(f"{name} = h[2*p:2*p+{length}]")
            pad_at = f"2*p+{length}"
        self.lines.append(f"if {length} & 1:")
        self._pad(element, f"h[{pad_at}]", "    ")

    def _pad(self, element: DataElement, nibble: str, indent: str = "") -> None:
        other = "F" if element.pad == "0" else "0"
        self.lines += [
            f"{indent}if {nibble} != '{element.pad}':",
            f"{indent}    if {nibble} != '{other}': return None",
            f"{indent}    pads[{element.number}] = '{other}'",
        ]

    def _counter(self, element: DataElement) -> str:
        digits = element.length_digits
        if self.dialect.wire.length == "bcd":
            size = (digits + 1) // 2
            source = f"h[{self.nibble()}:{self.nibble(2 * size)}]"
        else:
            size = digits
            source = f"t[{self.position()}:{self.position(size)}]"
            self.lines.append(f"if not {source}.isdigit(): return None")
        self.offset += size
        return source

    def _text(self, element: DataElement, start: str, end: str) -> None:
        name = f"v{element.number}"
        self.lines.append(f"{name} = t[{start}:{end}]")
        if element.content in ("a", "an", "ans", "z") and element.text != "latin-1":
            self.ascii_text.append(name)
        elif element.content in ("xn", "h"):
            self.ascii_text.append(name)

    def _note_checks(self, element: DataElement) -> None:
        name = f"v{element.number}"
        if element.content == "n":
            self.digits.append(name)
        elif element.content == "xn":
            self.lines.append(f"if not ({name}[:1].isalpha() and {name}[1:].isdigit()): return None")
        elif element.content == "h" or (element.content == "z" and self.dialect.wire.digits == "ascii"):
            self.lines.append(f"if not {name}.strip('0123456789ABCDEFabcdef=') == '': return None")
            if element.content == "z":
                self.lines.append(f"if {name} != {name}.upper(): return None")

    def finish(self, elements: tuple[int, ...]) -> str:
        bcd_mti = self.dialect.wire.mti == "bcd"
        mti = "h[:4]" if bcd_mti else "t[:4]"
        body = [
            "h = b.hex().upper()",
            "t = b.decode('latin-1')",
            "pads = {}",
            *self.lines,
            f"if {self.position()} != len(b): return None",
            f"m = {mti}",
            f"d = {' + '.join(['m', *self.digits])}",
            "if not (d.isdigit() and d.isascii()): return None",
        ]
        if self.ascii_text:
            body.append(f"if not ({' + '.join(self.ascii_text)}).isascii(): return None")
        pairs = ", ".join(f"{number}: v{number}" for number in elements)
        body.append(f"return Message(m, {{{pairs}}}, pads or None)")
        lines = [f"    {line}" for line in self._guarded(body)]
        return "\n".join(["def decode(b):", *lines, ""])

    def _guarded(self, body: list[str]) -> list[str]:
        """A counter that is not a number or a byte past the end is a doubt like any other."""
        return ["try:", *[f"    {line}" for line in body], "except (ValueError, IndexError):", "    return None"]
