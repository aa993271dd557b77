"""Bitmaps: where they stand, which elements they name, how they are written."""

from __future__ import annotations

import re
from collections.abc import Callable

from pos_specs.dialect import Wire
from pos_specs.errors import MessageError

_HEX = re.compile(rb"[0-9A-Fa-f]*")
_SECOND_FOLLOWS = {"binary": frozenset(range(0x80, 0x100)), "hex": frozenset(b"89ABCDEFabcdef")}
"""First bytes of a bitmap whose bit 1 is set."""


def mti_bytes(wire: Wire) -> int:
    """How many bytes the MTI has; the bitmap stands behind it."""
    return 2 if wire.mti == "bcd" else 4


def bitmap_bytes(wire: Wire, elements: tuple[int, ...]) -> int:
    """How many bytes the bitmap of these elements has, the second one included."""
    size = 8 if wire.bitmap == "binary" else 16
    return 2 * size if any(number > 64 for number in elements) else size


def bitmap_reader(wire: Wire) -> Callable[[bytes], bytes]:
    """A function that gives the bitmap bytes of a message as sent, both when there are two."""
    start = mti_bytes(wire)
    once = start + bitmap_bytes(wire, ())
    twice = start + 2 * bitmap_bytes(wire, ())
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
    size = bitmap_bytes(wire, ())
    if len(bitmap) not in (size, 2 * size):
        raise MessageError(f"bitmap of {len(bitmap)} bytes instead of {size}", "p", mti_bytes(wire))
    if wire.bitmap == "hex" and _HEX.fullmatch(bitmap) is None:
        raise MessageError("not hex digits", "p", mti_bytes(wire))
    raw = bitmap if wire.bitmap == "binary" else bytes.fromhex(bitmap.decode("ascii"))
    bits = int.from_bytes(raw, "big")
    total = len(raw) * 8
    if total == 64 and bits >> 63:
        raise MessageError("second bitmap missing", "1", mti_bytes(wire) + size)
    return tuple(number for number in range(2, total + 1) if bits >> (total - number) & 1)


def bitmap_hex(elements: tuple[int, ...]) -> str:
    """The bitmap that names `elements`: 16 hex digits, 32 when one is above 64."""
    size = 128 if any(number > 64 for number in elements) else 64
    bits = sum(1 << (size - number) for number in elements)
    if size == 128:
        bits |= 1 << 127
    return f"{bits:0{size // 4}X}"
