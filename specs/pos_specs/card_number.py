"""A card number by itself: its check digit, and how it is shown."""

from __future__ import annotations


def mask_pan(pan: str) -> str:
    """First six and last four digits; everything when there are fewer than 13 digits or other characters.

    PCI DSS 3.4.1 allows at most this much.
    """
    if not pan.isdigit() or not pan.isascii() or len(pan) < 13:
        return "*" * len(pan)
    return f"{pan[:6]}{'*' * (len(pan) - 10)}{pan[-4:]}"


def luhn_valid(pan: str) -> bool:
    """True when the last digit is the ISO/IEC 7812-1 annex B check digit of the others."""
    if not pan.isdigit() or not pan.isascii():
        return False
    total = 0
    for place, digit in enumerate(reversed(pan)):
        value = ord(digit) - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def luhn_digit(without_check: str) -> str:
    """The check digit that makes `without_check` + digit pass `luhn_valid`."""
    return next(digit for digit in "0123456789" if luhn_valid(without_check + digit))
