"""A PIN between the keyboard and its PIN block."""

from __future__ import annotations

FEWEST_DIGITS, MOST_DIGITS = 4, 12
"""ISO 9564-1; UnionPay's have six (unionpay.md 5.2)."""


class PinError(ValueError):
    """What was keyed in is no PIN; the text does not repeat it."""


class Pin:
    """A PIN as it was keyed in; its repr shows none of it. Raises PinError."""

    __slots__ = ("digits",)

    def __init__(self, digits: str) -> None:
        if not (digits.isascii() and digits.isdigit() and FEWEST_DIGITS <= len(digits) <= MOST_DIGITS):
            raise PinError(f"--pin: a PIN has {FEWEST_DIGITS} to {MOST_DIGITS} digits")
        self.digits = digits

    def __repr__(self) -> str:
        return "Pin(…)"
