"""Bitmaps: where they stand, which elements they name, how they are written."""

from __future__ import annotations

import re
from collections.abc import Callable

from pos_specs.dialect import Wire
from pos_specs.errors import MessageError
from pos_specs.text_codecs import EBCDIC

_HEX = re.compile(r"[0-9A-Fa-f]*")
_CHARACTERS = {"hex": "ascii", "hex-ebcdic": EBCDIC}
"""The encodings of bitmaps that are written as hex digits."""

_SECOND_FOLLOWS = {
    "binary": frozenset(range(0x80, 0x100)),
    "hex": frozenset(b"89ABCDEFabcdef"),
    "hex-ebcdic": frozenset("89ABCDEFabcdef".encode(EBCDIC)),
}
"""First bytes of a bitmap whose bit 1 is set."""


def mti_bytes(wire: Wire) -> int:
    """How many bytes the MTI has; the bitmap stands behind it."""
    return 2 if wire.mti == "bcd" else 4


def bitmap_bytes(wire: Wire, elements: tuple[int, ...]) -> int:
    """How many bytes the bitmap of these elements has, the second one included."""
    size = _half_bytes(wire)
    return 2 * size if wire.second_bitmap == "always" or any(number > 64 for number in elements) else size


def _half_bytes(wire: Wire) -> int:
    return 8 if wire.bitmap == "binary" else 16


def bitmap_reader(wire: Wire) -> Callable[[bytes], bytes]:
    """A function that gives the bitmap bytes of a message as sent, both when there are two."""
    start = mti_bytes(wire)
    once = start + bitmap_bytes(wire, ())
    twice = start + 2 * _half_bytes(wire)
    second = _SECOND_FOLLOWS[wire.bitmap]

    def read(data: bytes) -> bytes:
        if len(data) > start and data[start] in second:
            return data[start:twice]
        return data[start:once]

    return read


def elements_of(wire: Wire, bitmap: bytes) -> tuple[int, ...]:
    """The element numbers a bitmap names, 1 excluded; raises MessageError when it is not one.

    It is not checked here whether a dialect defines them.
    """
    size = _half_bytes(wire)
    if len(bitmap) not in (bitmap_bytes(wire, ()), 2 * size):
        raise MessageError(f"bitmap of {len(bitmap)} bytes instead of {bitmap_bytes(wire, ())}", "p", mti_bytes(wire))
    raw = _raw(wire, bitmap)
    bits = int.from_bytes(raw, "big")
    total = len(raw) * 8
    if total == 64 and bits >> 63:
        raise MessageError("second bitmap missing", "1", mti_bytes(wire) + size)
    return tuple(number for number in range(2, total + 1) if bits >> (total - number) & 1)


def _raw(wire: Wire, bitmap: bytes) -> bytes:
    if wire.bitmap == "binary":
        return bitmap
    text = bitmap.decode(_CHARACTERS[wire.bitmap], "replace")
    if _HEX.fullmatch(text) is None:
        raise MessageError("not hex digits", "p", mti_bytes(wire))
    return bytes.fromhex(text)


def with_bit_1(wire: Wire, data: bytes) -> bytes:
    """The message with bit 1 set, where a second bitmap is always there and the bit may be missing.

    For readers that know of a second bitmap by that bit only.
    """
    start = mti_bytes(wire)
    if wire.second_bitmap == "announced" or len(data) <= start or data[start] in _SECOND_FOLLOWS[wire.bitmap]:
        return data
    return data[:start] + _set_bit_1(wire, data[start : start + 1]) + data[start + 1 :]


def _set_bit_1(wire: Wire, first: bytes) -> bytes:
    if wire.bitmap == "binary":
        return bytes([first[0] | 0x80])
    encoding = _CHARACTERS[wire.bitmap]
    digit = first.decode(encoding, "replace")
    return f"{int(digit) + 8:X}".encode(encoding) if digit in "01234567" else first


def bitmap_hex(wire: Wire, elements: tuple[int, ...]) -> str:
    """The bitmap that names `elements`: 16 hex digits, 32 when one is above 64 or a second is always there."""
    always = wire.second_bitmap == "always"
    size = 128 if always or any(number > 64 for number in elements) else 64
    bits = sum(1 << (size - number) for number in elements)
    if size == 128 and not always:
        bits |= 1 << 127
    return f"{bits:0{size // 4}X}"
