"""Ten years of terminals that never settle, in twenty time zones, each with the real settler and its books: clocks go
forward and back, the host looks late, dies and begins again; every business day with a sale is settled once."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs
from tests.unit.host.settlement.test_automatic import HOUR, MINUTE, TEN_YEARS, ZONES

from pos_host.clock import ManualClock
from pos_host.ledger.book import Book
from pos_host.ledger.dialect_names import dialect_named
from pos_host.ledger.entry import BatchRow, Entry, HostSettlementRow, Row
from pos_host.ledger.posting import apply_entry, apply_row
from pos_host.ledger.rows import opened_batch, terminal_row
from pos_host.settlement.business_day import business_date
from pos_host.settlement.policy import Policy, load_policy
from pos_host.settlement.settler import Settler

RESTARTS = 0.1
"""How often, a day, the host dies and begins again with what was stored."""

LATE_LOOKS = 0.05
"""How often it was not running when the settlement was due."""


class Store:
    """What survives a host: the rows as they stand, and the entries of the open batch. It gives turns at once."""

    def __init__(self, policy: Policy, clock: ManualClock) -> None:
        self.policy, self.clock = policy, clock
        self.rows: dict[tuple[Any, ...], Row] = {}
        self.entries: list[Entry] = []
        self.judged: list[dict[str, Any]] = []
        self.sequence = 0

    def book(self) -> Book:
        """The terminal's book made again from what is stored."""
        book = Book(1, "898310000000001", "T0000001", dialect_named("hypercom"))
        book.policy = self.policy
        for key in sorted(self.rows):
            apply_row(book, self.rows[key])
        for place, entry in enumerate(self.entries, 1):
            apply_entry(book, entry, place)
        return book

    def keep(self, book: Book, entries: tuple[Entry, ...], rows: tuple[Row, ...]) -> None:
        """Commit and apply."""
        for row in rows:
            self._keep_row(row)
            apply_row(book, row)
        for entry in entries:
            self.sequence += 1
            apply_entry(book, entry, self.sequence)
            if entry.kind == "host_settlement":
                self.judged.append(json.loads(entry.detail))
        open_id = book.batches[-1].batch_id
        self.entries = [entry for entry in (*self.entries, *entries) if entry.batch_id == open_id]

    def _keep_row(self, row: Row) -> None:
        if isinstance(row, BatchRow):
            self.rows = {key: kept for key, kept in self.rows.items() if key[0] != 2 or key[1] >= row.batch_id - 2}
            self.rows[2, row.batch_id] = row
        else:
            self.rows[(3, 0) if isinstance(row, HostSettlementRow) else (1, 0)] = row

    def take_turn(self, book: Book, decide: Callable[..., Any], done: Callable[[bool], None]) -> None:
        made = decide(book, self.clock.now_ms())
        if made is not None:
            self.keep(book, *made)
        done(True)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_in_ten_years_of_restarts_each_business_day_with_a_sale_is_settled_once(zone: str) -> None:
    policy = replace(load_policy(None), cutoff=time(2), auto_settle=time(2, 30), time_zone=ZoneInfo(zone))
    chance = random.Random(zone)
    noon = datetime(2016, 1, 1, 12, tzinfo=policy.time_zone)
    clock = ManualClock(policy, round(noon.timestamp() * 1000))
    store = Store(policy, clock)
    book = store.book()
    row, told = opened_batch(book, "000001", clock.now_ms())
    store.keep(book, (told,), (terminal_row(book, clock.now_ms()), row))
    settler = Settler(store, clock)
    sold: list[str] = []

    with capture_logs():
        for day in range(TEN_YEARS):
            at_ms = round((noon + day * timedelta(days=1)).timestamp() * 1000) + chance.randrange(-8 * HOUR, 8 * HOUR)
            clock.move_to(max(clock.now_ms(), at_ms))
            sold.append(business_date(policy, clock.now_ms()).isoformat())
            store.keep(book, (_sale(book, day, clock.now_ms()),), ())
            if chance.random() < RESTARTS:
                book = store.book()
                settler = Settler(store, clock)
            settler.changed(book)
            due_ms = settler.next_due_ms()
            assert due_ms is not None
            if chance.random() < LATE_LOOKS:
                continue
            for look_ms in (due_ms - 1, due_ms, due_ms + 90 * MINUTE):
                clock.move_to(max(clock.now_ms(), look_ms))
                settler.look()

    days = [told["business_day"] for told in store.judged]
    assert sorted(set(days)) == days
    assert {"settled"} == {told["result"] for told in store.judged}
    assert set(days) <= set(sold)
    assert len(days) > TEN_YEARS * (1 - 2 * LATE_LOOKS)
    settled_minor = sum(told["debit_amount_minor"] for told in store.judged)
    left_minor = sum(side.amount_minor for side in book.batches[-1].groups.values())
    assert TEN_YEARS == settled_minor + left_minor


def _sale(book: Book, day: int, at_ms: int) -> Entry:
    """A sale of one minor unit."""
    stan, rrn = f"{day % 999_999 + 1:06d}", book.next_rrn()
    batch_id = book.batches[-1].batch_id
    return Entry("purchase", 1, batch_id, at_ms, stan=stan, key=stan, amount_minor=1, currency="156", rrn=rrn)
