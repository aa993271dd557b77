"""Patterns of sales, as rules in a file, and the runs of sales at a terminal that make them. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from pos_host.ledger.book import Transaction
from pos_host.ledger.entry import SALES
from pos_host.settlement.durations import DurationError, duration_ms
from pos_specs.checked_table import CheckedTable
from pos_specs.currencies import MoneyError, find_currency, parse_amount
from pos_specs.dialect_file import Place, SourcedTable, read_file

COUNT_MOST = 1_000
"""The longest run that is looked for: each terminal keeps so many sales in mind."""


class PatternRule(NamedTuple):
    """One pattern: `in_a_row` sales `within_ms` milliseconds; `at_most_minor` by currency (ISO 4217 number)."""

    name: str
    text: str
    functions: tuple[str, ...]
    read: str
    in_a_row: int
    within_ms: int
    at_most_minor: Mapping[str, int]

    def counts(self, sale: Transaction) -> bool:
        """Whether a sale is of the kind that the pattern is made of."""
        entry = sale.entry
        most_minor = self.at_most_minor.get(entry.currency)
        if most_minor is None or entry.amount_minor > most_minor or entry.kind not in self.functions:
            return False
        return not self.read or entry.product.endswith(f"/{self.read}")


class Seen(NamedTuple):
    """A sale that counts: its place in the journal, when, how much (minor units of `currency`), its card's print."""

    sequence: int
    at_ms: int
    amount_minor: int
    currency: str
    card_print: str


class Run:
    """Sales of one terminal in a row that fit one rule."""

    def __init__(self, rule: PatternRule) -> None:
        self.rule = rule
        self._seen: deque[Seen] = deque()

    def take(self, sale: Transaction) -> tuple[Seen, ...] | None:
        """The next approved sale; gives the whole run once it makes the pattern, and begins anew."""
        if not self.rule.counts(sale):
            self._seen.clear()
            return None
        entry = sale.entry
        self._seen.append(Seen(sale.sequence, entry.at_ms, entry.amount_minor, entry.currency, entry.card_print))
        while self._seen[0].at_ms < entry.at_ms - self.rule.within_ms:
            self._seen.popleft()
        if len(self._seen) < self.rule.in_a_row:
            return None
        found = tuple(self._seen)
        self._seen.clear()
        return found


@lru_cache(maxsize=1)
def shipped_patterns() -> tuple[PatternRule, ...]:
    """The shipped rules."""
    return read_patterns(resources.files("pos_host.merchants.forgotten") / "patterns.toml")


def read_patterns(path: Path | Traversable) -> tuple[PatternRule, ...]:
    """The rules in the TOML file at `path`; raises DialectError naming file, line and key."""
    file = read_file(path)
    top = CheckedTable(SourcedTable(file.table, {(): Place(file, ())}), (), file.table)
    rules = tuple(_rule(table) for table in top.tables("pattern"))
    top.done("a file of patterns")
    return rules


def _rule(table: CheckedTable) -> PatternRule:
    functions = table.texts("functions", required=True)
    for function in functions:
        if function not in SALES:
            raise table.fail("functions", f"{function} is no sale; sales are {', '.join(sorted(SALES))}")
    try:
        within_ms = duration_ms(table.text("within"))
    except DurationError as error:
        raise table.fail("within", str(error)) from None
    amounts = table.sub("at_most")
    rule = PatternRule(
        name=table.matching("name", "[a-z_]+", "must be small letters and _"),
        text=table.text("text"),
        functions=functions,
        read=table.text("read", ""),
        in_a_row=table.number("count", 2, COUNT_MOST),
        within_ms=within_ms,
        at_most_minor={number: minor for number, minor in (_amount(amounts, code) for code in amounts.table)},
    )
    table.done("a pattern")
    return rule


def _amount(amounts: CheckedTable, code: str) -> tuple[str, int]:
    if re.fullmatch("[A-Z]{3}", code) is None:
        raise amounts.fail(code, "must be three capital letters")
    try:
        currency = find_currency(code)
        return currency.number, parse_amount(amounts.text(code), currency)
    except MoneyError as error:
        raise amounts.fail(code, str(error)) from None
