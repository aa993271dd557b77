"""Amounts as people write them, and as messages carry them: integers in minor units."""

from __future__ import annotations

import re
from typing import NamedTuple

from iso4217 import Currency as IsoCurrency

LARGEST_AMOUNT_MINOR = 10**12 - 1
"""DE4 has twelve digits."""


class MoneyError(ValueError):
    """Not an amount, or not a currency."""


class Currency(NamedTuple):
    """A currency: its letters, its number (DE49) and how many digits its minor unit has."""

    code: str
    number: str
    exponent: int


def find_currency(name: str) -> Currency:
    """The currency of an ISO 4217 code or number (`CNY`, `156`); raises MoneyError."""
    for currency in IsoCurrency:
        if name.upper() in (currency.code, f"{currency.number or 0:03d}"):
            return Currency(currency.code, f"{currency.number or 0:03d}", currency.exponent or 0)
    raise MoneyError(f"{name!r} is no ISO 4217 currency")


def parse_amount(text: str, currency: Currency) -> int:
    """`12.34` in minor units; raises MoneyError for anything that is not positive and exact."""
    match = re.fullmatch(r"([0-9]+)(?:\.([0-9]+))?", text, re.ASCII)
    fraction = (match[2] or "") if match else ""
    if match is None or len(fraction) > currency.exponent:
        example = "12" if currency.exponent == 0 else f"12.{'34567'[: currency.exponent]}"
        raise MoneyError(f"{text!r} is no amount in {currency.code}, which looks like {example}")
    amount_minor = int(match[1] + fraction.ljust(currency.exponent, "0"))
    if not 0 < amount_minor <= LARGEST_AMOUNT_MINOR:
        raise MoneyError(f"{text!r} is not between the smallest unit and twelve digits")
    return amount_minor


def show_amount(amount_minor: int, currency: Currency) -> str:
    """Minor units as people write them: 123456 → `1,234.56`."""
    sign = "-" if amount_minor < 0 else ""
    digits = f"{abs(amount_minor):0{currency.exponent + 1}d}"
    whole = digits[: len(digits) - currency.exponent]
    fraction = digits[len(whole) :]
    return f"{sign}{int(whole):,}" + (f".{fraction}" if fraction else "")
