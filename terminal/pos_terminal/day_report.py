"""What came of a day: for programs as JSON, for people as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from pos_specs.currencies import Currency, show_amount
from pos_specs.totals import Side
from pos_terminal.exchange import ClosedBatch
from pos_terminal.transaction import SALES, VOIDS, Transaction

TAKEN_BACK, GIVEN_BACK = frozenset(VOIDS), frozenset({"refund"})
"""What `voided` and `refunded` count; `sold` counts every sale."""

OUTCOMES = ("balanced", "balanced_after_upload", "out_of_balance", "unsettled")
"""What a terminal's day can end in."""


@dataclass(slots=True)
class TerminalReport:
    """One terminal's day. `log` is its batch as it stood before settlement.

    `differences` is what its books and the host's differ in, None when the host's were not asked.
    """

    terminal_id: str
    expected: str
    log: list[Transaction] = field(default_factory=list)
    reversed: list[Transaction] = field(default_factory=list)
    declined: list[str] = field(default_factory=list)
    closed: ClosedBatch | None = None
    differences: list[str] | None = None
    problem: str = ""

    @property
    def outcome(self) -> str:
        return "unsettled" if self.closed is None else self.closed.result

    @property
    def as_expected(self) -> bool:
        return self.outcome == self.expected and not self.problem

    def sum_of(self, functions: frozenset[str]) -> Side:
        """What the terminal's log holds of these functions; an adjusted sale with its new amount."""
        return _sum(t for t in self.log if t.function in functions and not t.adjusted)

    @property
    def settled(self) -> Side:
        """Records of the closed batch, and its debit less its credit."""
        if self.closed is None:
            return Side(0, 0)
        books = self.closed.books
        return Side(self.closed.records, books.debit.amount_minor - books.credit.amount_minor)


@dataclass(frozen=True, slots=True)
class DayReport:
    """The day of a whole fleet."""

    seed: int
    terminals: Sequence[TerminalReport]

    @property
    def books_differ(self) -> int | None:
        """Terminals whose books and the host's differ; None when the host's were not asked."""
        judged = [t.differences for t in self.terminals if t.differences is not None]
        return sum(1 for found in judged if found) if judged else None

    @property
    def succeeded(self) -> bool:
        """No books differ, and every terminal ended as it should."""
        return not self.books_differ and all(terminal.as_expected for terminal in self.terminals)

    def to_json(self) -> dict[str, Any]:
        """The last line of `day --json`, as the contract words it."""
        return {
            "terminals": len(self.terminals),
            "outcomes": self._outcomes(),
            "sold": _side_json(self._sum(SALES)),
            "voided": _side_json(self._sum(TAKEN_BACK)),
            "refunded": _side_json(self._sum(GIVEN_BACK)),
            "reversed": _side_json(self._reversed()),
            "settled": _side_json(self._settled()),
            "unsettled_terminals": sorted(t.terminal_id for t in self.terminals if t.outcome == "unsettled"),
            "books_differ": self.books_differ,
            "seed": self.seed,
        }

    def table(self, currency: Currency) -> Table:
        """The day at a glance: terminals by outcome, then the money."""
        table = Table(title=f"Business day, seed {self.seed}", title_justify="left")
        table.add_column("what")
        table.add_column("count", justify="right")
        table.add_column(currency.code, justify="right")
        for outcome, count in self._outcomes().items():
            table.add_row(f"terminals {outcome.replace('_', ' ')}", str(count), "")
        table.add_section()
        for name, side in self._money():
            table.add_row(name, str(side.count), show_amount(side.amount_minor, currency))
        table.add_section()
        differ = self.books_differ
        table.add_row("books that differ from the host's", "not asked" if differ is None else str(differ), "")
        return table

    def complaints(self) -> list[str]:
        """A line for everything that should not be."""
        lines = []
        for terminal in self.terminals:
            if not terminal.as_expected:
                why = f" ({terminal.problem})" if terminal.problem else ""
                lines.append(f"{terminal.terminal_id}: {terminal.outcome}, not {terminal.expected}{why}")
            lines += [f"{terminal.terminal_id}: {found}" for found in terminal.differences or []]
            for name, count in sorted(Counter(terminal.declined).items()):
                lines.append(f"{terminal.terminal_id}: {count} times {name}")
        return lines

    def _outcomes(self) -> dict[str, int]:
        found = [terminal.outcome for terminal in self.terminals]
        return {outcome: found.count(outcome) for outcome in OUTCOMES}

    def _money(self) -> list[tuple[str, Side]]:
        return [
            ("sold", self._sum(SALES)),
            ("voided", self._sum(TAKEN_BACK)),
            ("refunded", self._sum(GIVEN_BACK)),
            ("reversed", self._reversed()),
            ("settled", self._settled()),
        ]

    def _sum(self, functions: frozenset[str]) -> Side:
        return _total(terminal.sum_of(functions) for terminal in self.terminals)

    def _reversed(self) -> Side:
        return _total(_sum(terminal.reversed) for terminal in self.terminals)

    def _settled(self) -> Side:
        return _total(terminal.settled for terminal in self.terminals)


def _sum(transactions: Iterable[Transaction]) -> Side:
    return _total(Side(1, transaction.amount_minor) for transaction in transactions)


def _total(sides: Iterable[Side]) -> Side:
    count = amount = 0
    for side in sides:
        count += side.count
        amount += side.amount_minor
    return Side(count, amount)


def _side_json(side: Side) -> dict[str, int]:
    return {"count": side.count, "amount_minor": side.amount_minor}
