"""The look-back of each business day, beside a diary of what was settled, what was late, and who is late so often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from tests.stateful.cut_off import HOUR_MS, cut_off_after, date_of, severity_at
from tests.stateful.office_machine import OfficeMachine
from tests.unit.host.pipeline.host_in_process import START_MS
from tests.unit.host.pipeline.terminals import VISA_CARD, Iso87Terminal

from pos_host.event_log import event_of
from pos_specs.totals import Side

TERMINALS = ("I0000001", "I0000002")
OFTEN, LAST = 3, 30
"""Who was late in three of the last thirty look-backs is late again and again."""


class Settled(NamedTuple):
    """A line of the diary; `late` is overdue, forgotten or ""."""

    terminal_id: str
    result: str
    net_minor: int
    late: str


@dataclass
class Page:
    """A page of the diary: one look-back."""

    date: str
    settled: list[Settled]
    still_flagged: dict[str, str]
    offenders: dict[str, int] = field(default_factory=dict)


class LookBackMachine(OfficeMachine):
    """Two terminals sell, settle in time, late or wrongly; hours pass with a host and without one."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = START_MS
        self.due_ms = cut_off_after(START_MS) + 6 * HOUR_MS
        self.sold: dict[str, list[int]] = {}
        self.since_ms: dict[str, int] = {}
        self.today: list[Settled] = []
        self.diary: list[Page] = []
        for terminal_id in TERMINALS:
            self.sell(terminal_id, 5_00)

    # -- paper

    def write_page(self) -> None:
        """Six hours after the cut-off, or when somebody comes again; what was missed is on the same page."""
        flagged = {name: severity_at(since_ms, self.now_ms) for name, since_ms in self.since_ms.items()}
        day = date_of(self.due_ms - 6 * HOUR_MS).isoformat()
        page = Page(day, self.today, {name: severity for name, severity in flagged.items() if severity})
        self.diary.append(page)
        late = Counter(
            name for old in self.diary[-LAST:] for name in {one.terminal_id for one in old.settled if one.late}
        )
        page.offenders = {name: times for name, times in late.items() if times >= OFTEN}
        self.today = []
        self.due_ms = cut_off_after(self.now_ms - 6 * HOUR_MS) + 6 * HOUR_MS

    # -- what happens

    @rule(terminal_id=st.sampled_from(TERMINALS), amount_minor=st.sampled_from([1, 5_00, 900_00]))
    def sell(self, terminal_id: str, amount_minor: int) -> None:
        self.run(self.terminal(terminal_id).purchase(amount_minor, VISA_CARD))
        self.run(self.host.watch.settle())
        self.sold.setdefault(terminal_id, []).append(amount_minor)
        self.since_ms.setdefault(terminal_id, self.now_ms)

    @rule(terminal_id=st.sampled_from(TERMINALS), balanced=st.booleans())
    def settle(self, terminal_id: str, balanced: bool) -> None:
        if terminal_id not in self.sold:
            self.sell(terminal_id, 1)
        sold, since_ms = self.sold.pop(terminal_id), self.since_ms.pop(terminal_id)
        totals = Side(len(sold), sum(sold) + (not balanced))
        self.run(self.terminal(terminal_id).settle({"debits": totals}))
        self.run(self.host.watch.settle())
        severity = severity_at(since_ms, self.now_ms)
        late = "" if severity == "due" else severity
        self.today.append(Settled(terminal_id, "balanced" if balanced else "out_of_balance", sum(sold), late))

    @rule(hours=st.sampled_from([1, 5, 9, 26]))
    def hours_pass(self, hours: int) -> None:
        until_ms = self.now_ms + hours * HOUR_MS
        while self.due_ms <= until_ms:
            self.now_ms = self.due_ms
            self.write_page()
        self.now_ms = until_ms
        self.run(self.host.office.advance_clock(f"PT{hours}H"))

    @rule(terminal_id=st.sampled_from(TERMINALS), days=st.integers(1, 3))
    def settle_after_midnight(self, terminal_id: str, days: int) -> None:
        """Evening after evening somebody forgets, and remembers an hour later."""
        for _ in range(days):
            if terminal_id not in self.sold:
                self.sell(terminal_id, 5_00)
            overdue_ms = cut_off_after(max(self.now_ms, self.since_ms[terminal_id])) + HOUR_MS
            self.hours_pass(-(-(overdue_ms - self.now_ms) // HOUR_MS))
            self.settle(terminal_id, balanced=True)

    @rule(hours=st.sampled_from([2, 10, 60]))
    def no_host_runs(self, hours: int) -> None:
        self.now_ms += hours * HOUR_MS
        self.host.clock.move_to(self.now_ms)
        self.restart()
        if self.due_ms <= self.now_ms:
            self.write_page()

    def tour(self) -> Iterator[None]:
        """Late again and again, and once nobody there."""
        self.settle_after_midnight(TERMINALS[0], OFTEN)
        yield
        self.no_host_runs(60)
        yield

    def after_restart(self) -> None:
        self.run(self.host.watch.settle())

    def terminal(self, terminal_id: str) -> Iso87Terminal:
        terminal = Iso87Terminal(self.host, terminal_id)
        terminal.stan = self.count()
        return terminal

    # -- what must be true

    @invariant()
    def there_is_a_look_back_for_each_page(self) -> None:
        assert [page.date for page in reversed(self.diary)] == self.look_back.days()
        if self.diary:
            self.is_as_written(self.run(self.look_back.report()), self.diary[-1])

    def is_as_written(self, report: dict[str, Any], page: Page) -> None:
        ways: dict[str, list[int]] = {}
        for line in page.settled:
            ways.setdefault(line.result, []).append(line.net_minor)
        assert page.date == report["date"]
        assert report["settled"] == [
            {"by": "terminal", "result": result, "currency": "156", "batches": len(nets), "net_minor": sum(nets)}
            for result, nets in sorted(ways.items())
        ]
        late = [(line.terminal_id, line.late, line.net_minor) for line in page.settled if line.late]
        assert late == [(one["terminal_id"], one["late"], one["net_minor"]) for one in report["late"]]
        assert page.still_flagged == {one["terminal_id"]: one["severity"] for one in report["still_flagged"]}
        assert page.offenders == {one["terminal_id"]: one["times_late"] for one in report["repeat_offenders"]}
        assert {"checked": len(page.settled), "differences": []} == report["payouts"]

    @property
    def look_back(self) -> Any:
        return self.host.parts.forgotten.look_back

    def teardown(self) -> None:
        """Old pages read as they did when they were written, and each was told once."""
        try:
            for page in self.diary:
                self.is_as_written(self.run(self.look_back.report(date.fromisoformat(page.date))), page)
            entries: Any = self.run(self.host.journal.entries_after(0, 1_000_000))
            events = [event_of(stored, self.host.registry) for stored in entries]
            told = [event.data["detail"]["date"] for event in events if event.type == "look_back.made"]
            assert told == [page.date for page in self.diary]
        finally:
            super().teardown()
