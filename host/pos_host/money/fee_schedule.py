"""Fee schedules: what an acquirer takes, as data; and how a merchant's and a terminal's own change it.

Rules and charges have names; a schedule further down says only what differs from the one above it. The format is
described in docs/fees.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple

from pos_host.money.validity import Validity, read_validity
from pos_specs.checked_table import CheckedTable
from pos_specs.currencies import MOST_AMOUNT_MINOR, MoneyError, find_currency
from pos_specs.dialect_file import DialectFile, Place, SourcedTable, read_file
from pos_specs.errors import DialectError

FEE_PRODUCTS = ("credit", "debit", "qr", "cloud_quickpass")
"""What a rate is agreed for."""

ENTRIES = ("contactless", "qr", "chip", "stripe", "keyed")
"""How the card or the code came to the terminal."""

LAST_DAY_OF_MONTH = 28
"""The last day that every month has; a charge on the 31st would be left out seven times a year, or moved."""

_RATE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?", re.ASCII)
"""Up to six decimals: a hundred-millionth of an amount is finer than any rate that is agreed."""

_NAME = r"[a-z0-9]+([-_][a-z0-9]+)*"
_AMOUNT_KEYS = ("amount_from_minor", "amount_to_minor", "minimum_minor", "cap_minor")


class Sale(NamedTuple):
    """What decides about the fee of one transaction: `entry` is "" where it is not known, `currency` has letters,
    `day` is the one it was made on."""

    product: str
    entry: str
    amount_minor: int
    currency: str
    day: date


@dataclass(frozen=True, slots=True)
class FeeRule:
    """A rate, and the transactions it is for. Nothing in a condition (no entries, None) lets everything pass.

    `rate_percent` of the amount, at least `minimum_minor`, at most `cap_minor` (None: no cap). Amounts are in minor
    units of `currency`, limits included.
    """

    name: str
    products: frozenset[str]
    entries: frozenset[str]
    currency: str | None
    amount_from_minor: int
    amount_to_minor: int
    rate_percent: Decimal
    minimum_minor: int
    cap_minor: int | None
    valid: Validity

    def applies_to(self, sale: Sale) -> bool:
        """Whether every condition of the rule holds for `sale`."""
        return (
            sale.product in self.products
            and (not self.entries or sale.entry in self.entries)
            and self.currency in (None, sale.currency)
            and self.amount_from_minor <= sale.amount_minor <= self.amount_to_minor
            and self.valid.holds_on(sale.day)
        )

    def covers(self, other: FeeRule) -> bool:
        """Whether the rule applies wherever `other` does."""
        return (
            other.products <= self.products
            and (not self.entries or (bool(other.entries) and other.entries <= self.entries))
            and self.currency in (None, other.currency)
            and self.amount_from_minor <= other.amount_from_minor
            and other.amount_to_minor <= self.amount_to_minor
            and self.valid.covers(other.valid)
        )


@dataclass(frozen=True, slots=True)
class FixedCharge:
    """What is due every month on `day_of_month` whatever was sold, such as the rent of a terminal."""

    name: str
    amount_minor: int
    currency: str
    day_of_month: int
    valid: Validity


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """The rules in the order they are asked, the charges, and the names of those above that are taken away."""

    file: str
    rules: tuple[FeeRule, ...]
    charges: tuple[FixedCharge, ...]
    remove: tuple[str, ...] = ()

    def rule_for(self, sale: Sale) -> FeeRule | None:
        """The first rule that applies to `sale`."""
        return next((rule for rule in self.rules if rule.applies_to(sale)), None)


@lru_cache(maxsize=1)
def shipped_schedule() -> FeeSchedule:
    """The schedule of an acquirer that gave none."""
    return read_schedule(resources.files("pos_host.money") / "default_fees.toml")


def effective_schedule(*schedules: FeeSchedule) -> FeeSchedule:
    """What holds where each of `schedules` (acquirer, merchant, terminal) says what differs from those before it.

    A rule or charge of a known name takes its place; a new rule is asked before all inherited ones. Raises
    DialectError naming the file that takes away what is not there.
    """
    effective = FeeSchedule("", (), ())
    for own in schedules:
        effective = _inherit(effective, own)
    return effective


def _inherit(above: FeeSchedule, own: FeeSchedule) -> FeeSchedule:
    known = {rule.name for rule in above.rules} | {charge.name for charge in above.charges}
    for place, name in enumerate(own.remove, 1):
        if name not in known:
            raise DialectError(own.file, f"remove[{place}]", f"no schedule above has a rule or charge {name!r}")
    own_rules = {rule.name: rule for rule in own.rules}
    inherited = {rule.name: rule for rule in above.rules if rule.name not in own.remove}
    new = [rule for name, rule in own_rules.items() if name not in inherited]
    charges = {charge.name: charge for charge in above.charges if charge.name not in own.remove}
    charges.update((charge.name, charge) for charge in own.charges)
    return FeeSchedule(
        file=", ".join(filter(None, (above.file, own.file))),
        rules=(*new, *(own_rules.get(name, rule) for name, rule in inherited.items())),
        charges=tuple(charges.values()),
    )


def read_schedule(path: Path | Traversable) -> FeeSchedule:
    """The schedule in the TOML file at `path`; raises DialectError naming file, line and key."""
    return _schedule(read_file(path))


def schedule_of_table(name: str, table: dict[str, Any]) -> FeeSchedule:
    """The schedule in a table as a file would give it; raises DialectError naming `name` and the key."""
    return _schedule(DialectFile(name, name, None, "", table))


def _schedule(file: DialectFile) -> FeeSchedule:
    top = CheckedTable(SourcedTable(file.table, {(): Place(file, ())}), (), file.table)
    remove = top.texts("remove")
    taken: set[str] = set()
    rules: list[FeeRule] = []
    for row in top.tables("rule"):
        rule = _rule(row, taken)
        wider = next((earlier for earlier in rules if earlier.covers(rule)), None)
        if wider is not None:
            raise row.fail("name", f"{rule.name} is never asked: {wider.name} before it applies wherever it does")
        rules.append(rule)
    charges = tuple(_charge(row, taken) for row in top.tables("charge"))
    top.done("a fee schedule")
    return FeeSchedule(file.name, tuple(rules), charges, remove)


def _rule(row: CheckedTable, taken: set[str]) -> FeeRule:
    rule = FeeRule(
        name=_name(row, taken),
        products=_choices(row, "products", FEE_PRODUCTS, required=True),
        entries=_choices(row, "entries", ENTRIES),
        currency=_currency(row),
        amount_from_minor=_amount(row, "amount_from_minor", 0),
        amount_to_minor=_amount(row, "amount_to_minor", MOST_AMOUNT_MINOR),
        rate_percent=_rate(row),
        minimum_minor=_amount(row, "minimum_minor", 0),
        cap_minor=_amount(row, "cap_minor", 0) if "cap_minor" in row.table else None,
        valid=read_validity(row),
    )
    row.done("a fee rule")
    for key in _AMOUNT_KEYS:
        if key in row.table and rule.currency is None:
            raise row.fail(key, "needs a currency: minor units are not the same money in every one")
    if rule.amount_to_minor < rule.amount_from_minor:
        raise row.fail("amount_to_minor", "must not be below amount_from_minor")
    if rule.cap_minor is not None and rule.cap_minor < rule.minimum_minor:
        raise row.fail("cap_minor", "must not be below minimum_minor")
    return rule


def _charge(row: CheckedTable, taken: set[str]) -> FixedCharge:
    charge = FixedCharge(
        name=_name(row, taken),
        amount_minor=row.number("amount_minor", 1, MOST_AMOUNT_MINOR),
        currency=_currency(row) or "",
        day_of_month=row.number("day_of_month", 1, LAST_DAY_OF_MONTH),
        valid=read_validity(row),
    )
    if not charge.currency:
        raise row.fail("currency", "is missing")
    row.done("a fixed charge")
    return charge


def _name(row: CheckedTable, taken: set[str]) -> str:
    name = row.matching("name", _NAME, "must be words of a-z and 0-9 joined by - or _")
    if name in taken:
        raise row.fail("name", f"{name!r} is used twice")
    taken.add(name)
    return name


def _choices(row: CheckedTable, key: str, allowed: tuple[str, ...], *, required: bool = False) -> frozenset[str]:
    values = row.texts(key, required=required)
    if unknown := [value for value in values if value not in allowed]:
        raise row.fail(key, f"has {unknown[0]!r}, known are {', '.join(allowed)}")
    return frozenset(values)


def _currency(row: CheckedTable) -> str | None:
    """Its letters, whether the file has those or the number; None for any currency."""
    if "currency" not in row.table:
        return None
    try:
        return find_currency(row.text("currency")).code
    except MoneyError as error:
        raise row.fail("currency", str(error)) from None


def _amount(row: CheckedTable, key: str, default: int) -> int:
    return row.number(key, 0, MOST_AMOUNT_MINOR) if key in row.table else default


def _rate(row: CheckedTable) -> Decimal:
    """A text, since TOML's numbers with a point are binary fractions and 0.38 is none."""
    otherwise = 'must be a text of 0 to 100 with at most six decimals, such as "0.38"'
    if not isinstance(row.raw("rate_percent", ""), str):
        raise row.fail("rate_percent", otherwise)
    text = row.text("rate_percent")
    if _RATE.fullmatch(text) is None or Decimal(text) > 100:
        raise row.fail("rate_percent", otherwise)
    return Decimal(text)
