"""How much of the journal a report reads: of a day in a year what happened around that day, and not the year."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from structlog.testing import capture_logs
from tests.unit.host.payouts.test_payouts import settle
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import Iso87Terminal, UnionPayTerminal, debit_credit

from pos_host.journal import EntryQuestion, Journal, Posting, StoredEntry
from pos_host.ledger.entry import Entry, Row
from pos_host.ledger.merchant_rows import RecordChangeRow
from pos_host.merchants.forgotten.look_back import LookBack
from pos_host.reports.reports import Reports
from pos_host.storage.memory import MemoryJournal
from pos_host.storage.sqlite import SqliteJournal

MONTHS = 12
BUSY = 2_000
"""Messages of a month that no report is about."""


class Counted:
    """A journal that counts the entries it looks through."""

    def __init__(self, journal: Journal) -> None:
        self.looked_through = 0
        self._journal = journal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def entries_after(self, sequence: int, limit: int) -> list[StoredEntry]:
        found = await self._journal.entries_after(sequence, limit)
        self.looked_through += len(found)
        return found

    async def entries_among(
        self, question: EntryQuestion, first: int, last: int, limit: int, *, newest_first: bool = False
    ) -> list[StoredEntry]:
        self.looked_through += last - first + 1
        return await self._journal.entries_among(question, first, last, limit, newest_first=newest_first)


class Lived(NamedTuple):
    """What a year left behind: the journal, and the STAN of a sale that was taken back after its batch was settled."""

    journal: MemoryJournal
    at_ms: int
    taken_back: str


async def live() -> Lived:
    """A year in which a terminal settles with a wrong total each month; another takes a sale back late in the first
    month, and forgets to settle in the second."""
    host = HostInProcess()
    till, other = Iso87Terminal(host), UnionPayTerminal(host, "T0000002")
    taken_back = ""
    for month in range(MONTHS):
        await till.purchase(55_55)
        await settle(till, 1, 50_00)
        if month == 0:
            sale = await other.purchase(20_00)
            await other.settle(debit_credit((1, 20_00)))
            await other.reverse(sale.request)
            taken_back = sale.stan
        if month == 1:
            await other.sign_in()
            await other.purchase(30_00)
            await host.office.advance_clock("P2D")
            await other.settle(debit_credit((1, 30_00)))
        await post(host.journal, (Entry("echo", 0, 0, host.clock.now_ms()),) * BUSY)
        await host.office.advance_clock("P30D")
    return Lived(host.memory, host.clock.now_ms(), taken_back)


async def post(journal: Journal, entries: tuple[Entry, ...], rows: tuple[Row, ...] = ()) -> None:
    done: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
    journal.post(Posting(entries, rows, done.set_result))
    await done


@pytest.fixture(scope="module")
def lived() -> Lived:
    with capture_logs():
        return asyncio.run(live())


@pytest.fixture(params=["memory", "sqlite"])
async def host(request: pytest.FixtureRequest, lived: Lived, tmp_path: Path) -> AsyncIterator[HostInProcess]:
    """A host that begins with that year, in memory or on SQLite."""
    journal: Journal = lived.journal
    if request.param == "sqlite":
        journal = SqliteJournal(tmp_path / "store.db")
        rows = (
            row for table, kept in lived.journal.rows.items() if table is not RecordChangeRow for row in kept.values()
        )
        await post(journal, tuple(stored.entry for stored in lived.journal.entries), tuple(rows))
    yield HostInProcess(journal, at_ms=lived.at_ms)
    await journal.close()


async def test_a_report_on_a_day_does_not_read_the_year(host: HostInProcess, lived: Lived) -> None:
    entries = await host.journal.last_sequence()
    assert MONTHS * BUSY < entries
    every_day = await Reports(host.registry, host.journal).discrepancies(None, None)
    days = sorted({item["day"] for item in every_day["items"]})
    assert MONTHS == len(days)
    assert ("reversed_late", lived.taken_back) in [(item["kind"], item["stan"]) for item in every_day["items"]]

    for day in days:
        counted = Counted(host.journal)
        found = await Reports(host.registry, counted).discrepancies(date.fromisoformat(day), None)
        assert [item for item in every_day["items"] if item["day"] == day] == found["items"]
        assert 0 < counted.looked_through < entries / 3, f"{day}: {counted.looked_through} of {entries} entries"

    counted = Counted(host.journal)
    assert [] == (await Reports(host.registry, counted).discrepancies(date(2030, 1, 1), None))["items"]
    assert counted.looked_through < entries / 3


async def test_what_was_left_unsettled_is_read_where_something_was(host: HostInProcess) -> None:
    counted = Counted(host.journal)

    found = await Reports(host.registry, counted).unsettled(None)

    assert [("T0000002", "terminal")] == [(one["terminal_id"], one["ended"]) for one in found["items"]]
    assert 0 < counted.looked_through < await host.journal.last_sequence() / 3


async def test_a_look_back_reads_its_own_day(host: HostInProcess) -> None:
    counted = Counted(host.journal)
    look_back = LookBack(host.desk, counted, host.policy)
    day = look_back.days()[0]

    made = await look_back.report(date.fromisoformat(day))

    sequence = made["sequence"]
    assert counted.looked_through == sequence["through"] - sequence["after"]
    assert counted.looked_through < await host.journal.last_sequence() / 3


async def test_the_payouts_of_a_day_are_found_by_an_index(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "store.db")
    connection = journal._connection
    query = "SELECT * FROM payout WHERE business_day = ? AND payout_id > ? ORDER BY payout_id ASC LIMIT ?"
    plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", ("2026-03-02", 0, 9)))
    await journal.close()

    assert "USING INDEX payout_by_day" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan
