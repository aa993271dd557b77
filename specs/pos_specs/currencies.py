"""Currencies, and amounts as people write them; everywhere else an amount is an integer of minor units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from pos_specs.checked_table import CheckedTable
from pos_specs.dialect_file import Place, SourcedTable, read_file

MOST_AMOUNT_MINOR = 999_999_999_999
"""Twelve digits: the most that DE4 can carry."""

MINOR_DIGITS = (0, 2, 3, 4)
"""How many digits a minor unit can have (ISO 4217)."""

_WRITTEN = re.compile(r"(?P<whole>[0-9]+)(?:\.(?P<fraction>[0-9]+))?", re.ASCII)


class MoneyError(ValueError):
    """A text is no currency, or no amount in it."""


class Currency(NamedTuple):
    """One of ISO 4217's: its letters, its number as DE49 has it, the digits of its minor unit (0, 2, 3 or 4)."""

    code: str
    number: str
    decimals: int


class CurrencyTable(NamedTuple):
    """The currencies, each under its letters and under its number; and the letters of every number, those without a
    minor unit too, such as gold: nobody pays in them, but a message can name them."""

    currencies: Mapping[str, Currency]
    letters: Mapping[str, str]


@lru_cache(maxsize=1)
def shipped_currencies() -> CurrencyTable:
    """ISO 4217's currencies."""
    return read_currencies(resources.files("pos_specs") / "data" / "currencies.toml")


def read_currencies(path: Path | Traversable) -> CurrencyTable:
    """The table of the TOML file at `path`; raises DialectError naming file, line and key."""
    file = read_file(path)
    top = CheckedTable(SourcedTable(file.table, {(): Place(file, ())}), (), file.table)
    by_decimals = top.sub("decimals")
    currencies: dict[str, Currency] = {}
    letters: dict[str, str] = {}
    for decimals in MINOR_DIGITS:
        for code, number in _rows(by_decimals.sub(str(decimals)), letters):
            currencies[code] = currencies[number] = Currency(code, number, decimals)
    by_decimals.done("the minor units there are")
    _rows(top.sub("without_minor_unit"), letters)
    top.done("a table of currencies")
    return CurrencyTable(currencies, letters)


def find_currency(name: str) -> Currency:
    """The currency of these letters or this number (`CNY`, `156`); raises MoneyError."""
    currency = shipped_currencies().currencies.get(name.upper())
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


def _rows(table: CheckedTable, letters: dict[str, str]) -> list[tuple[str, str]]:
    """Letters and number of each row of one table; what no other row has gets into `letters` by its number."""
    rows = []
    for code in table.table:
        if re.fullmatch("[A-Z]{3}", code) is None or code in letters.values():
            raise table.fail(code, "must be three capital letters, once in the table")
        number = table.matching(code, "[0-9]{3}", "must be three digits")
        if number in letters:
            raise table.fail(code, f"{number} is also the number of {letters[number]}")
        letters[number] = code
        rows.append((code, number))
    return rows
