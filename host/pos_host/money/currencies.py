"""Currencies, and amounts as people write them; everywhere else an amount is an integer of minor units."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

MOST_AMOUNT_MINOR = 999_999_999_999
"""Twelve digits: the most that DE4 can carry."""

_WRITTEN = re.compile(r"(?P<whole>[0-9]+)(?:\.(?P<fraction>[0-9]+))?", re.ASCII)


class MoneyError(ValueError):
    """A text is no currency, or no amount in it."""


@dataclass(frozen=True, slots=True)
class Currency:
    """One of ISO 4217's: its letters, its number as DE49 has it, the digits of its minor unit (0, 2 or 3)."""

    code: str
    number: str
    decimals: int


@lru_cache(maxsize=1)
def currencies() -> Mapping[str, Currency]:
    """The shipped currencies, each under its letters and under its number."""
    table = tomllib.loads((resources.files("pos_host.money") / "currencies.toml").read_text("utf-8"))
    known = [Currency(code, row["number"], row["decimals"]) for code, row in table.items()]
    return {currency.code: currency for currency in known} | {currency.number: currency for currency in known}


def find_currency(name: str) -> Currency:
    """The currency of these letters or this number (`CNY`, `156`); raises MoneyError."""
    currency = currencies().get(name.upper())
    if currency is None:
        raise MoneyError(f"{name!r} is no currency of the table: ISO 4217's letters or number, such as CNY or 156")
    return currency


def parse_amount(text: str, currency: Currency) -> int:
    """`12.34` in minor units of `currency`; raises MoneyError for what is no amount, or none above zero."""
    written = _WRITTEN.fullmatch(text)
    fraction = "" if written is None else written["fraction"] or ""
    if written is None or len(fraction) > currency.decimals:
        example = show_amount(12 * 10**currency.decimals, currency)
        raise MoneyError(f"{text!r} is no amount in {currency.code}, which looks like {example}")
    digits = written["whole"].lstrip("0") + fraction.ljust(currency.decimals, "0")
    if len(digits) > len(str(MOST_AMOUNT_MINOR)) or int(digits or "0") == 0:
        raise MoneyError(f"{text!r} must be above zero and have at most twelve digits")
    return int(digits)


def show_amount(amount_minor: int, currency: Currency) -> str:
    """Minor units of `currency` as people write them: 123456 → `1,234.56`."""
    whole, minor = divmod(abs(amount_minor), 10**currency.decimals)
    shown = f"{whole:,}.{minor:0{currency.decimals}d}" if currency.decimals else f"{whole:,}"
    return f"-{shown}" if amount_minor < 0 else shown
