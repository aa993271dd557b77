"""From which day to which something in a file holds."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from pos_specs.checked_table import CheckedTable


class Validity(NamedTuple):
    """The first and the last day, both included; None where there is no such end."""

    first: date | None
    last: date | None

    def holds_on(self, day: date) -> bool:
        """Whether `day` is among them."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def covers(self, other: Validity) -> bool:
        """Whether every day of `other` is among them."""
        begins = self.first is None or (other.first is not None and self.first <= other.first)
        return begins and (self.last is None or (other.last is not None and other.last <= self.last))


def read_validity(row: CheckedTable) -> Validity:
    """The keys `valid_from` and `valid_until` of `row`; raises DialectError naming file, line and key."""
    validity = Validity(_day(row, "valid_from"), _day(row, "valid_until"))
    if validity.first is not None and validity.last is not None and validity.last < validity.first:
        raise row.fail("valid_until", f"lies before valid_from, which is {validity.first}")
    return validity


def _day(row: CheckedTable, key: str) -> date | None:
    """A day as TOML writes it (2026-10-01) or the same in quotes."""
    value = row.raw(key)
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise row.fail(key, "must be a day such as 2026-10-01")
