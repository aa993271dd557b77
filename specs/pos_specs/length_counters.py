"""The ways in which a frame says how long it is (hypercom.md 1.1 and 1.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from pos_specs.errors import FramingError

ZEROS = b"\0\0"
_HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF")


class LengthCounter(NamedTuple):
    """A counter of `size` bytes that can say up to `most`; `read` raises FramingError where it says no number."""

    size: int
    most: int
    read: Callable[[bytes], int]
    write: Callable[[int], bytes]
    is_binary: bool = False


def _binary(size: int, order: Literal["big", "little"]) -> LengthCounter:
    return LengthCounter(
        size,
        256**size - 1,
        lambda counter: int.from_bytes(counter, order),
        lambda length: length.to_bytes(size, order),
        is_binary=True,
    )


def _read_zeros_behind(counter: bytes) -> int:
    _check_zeros(counter[2:], "behind")
    return int.from_bytes(counter[:2], "big")


def _read_zeros_before(counter: bytes) -> int:
    _check_zeros(counter[:2], "before")
    return int.from_bytes(counter[2:], "big")


def _check_zeros(zeros: bytes, where: str) -> None:
    if zeros != ZEROS:
        raise FramingError(f"{zeros.hex().upper()} {where} the length instead of two zero bytes")


def _read_bcd2(counter: bytes) -> int:
    digits = counter.hex()
    if not digits.isdecimal():
        raise FramingError(f"length {digits.upper()} is not BCD")
    return int(digits)


def _read_ascii4(counter: bytes) -> int:
    if not counter.isdigit():
        raise FramingError("length is not four ASCII digits")
    return int(counter)


def _read_hex4(counter: bytes) -> int:
    if not _HEX_DIGITS.issuperset(counter):
        raise FramingError("length is not four hex digits in ASCII")
    return int(counter, 16)


LENGTH_COUNTERS = {
    "binary2": _binary(2, "big"),
    "binary2-le": _binary(2, "little"),
    "binary3": _binary(3, "big"),
    "binary4": _binary(4, "big"),
    "binary2-zeros": LengthCounter(4, 0xFFFF, _read_zeros_behind, lambda length: length.to_bytes(2, "big") + ZEROS),
    "zeros-binary2": LengthCounter(4, 0xFFFF, _read_zeros_before, lambda length: ZEROS + length.to_bytes(2, "big")),
    "bcd2": LengthCounter(2, 9999, _read_bcd2, lambda length: bytes.fromhex(f"{length:04d}")),
    "ascii4": LengthCounter(4, 9999, _read_ascii4, lambda length: b"%04d" % length),
    "hex4": LengthCounter(4, 0xFFFF, _read_hex4, lambda length: b"%04x" % length),
}
"""By the names of a dialect file. jPOS's HEXChannel writes small letters; both are read."""
