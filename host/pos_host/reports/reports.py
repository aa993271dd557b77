"""Reads the store for the reports, a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

from pos_host.entry_walk import every
from pos_host.journal import ROWS_AT_ONCE, EntryQuestion, Journal, Question
from pos_host.ledger.entry import SETTLED_BY_HOST, BatchRow
from pos_host.ledger.late_notices import LATE_NOTICES_MOST
from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.ledger.registry import Registry
from pos_host.merchants.forgotten.look_back_reading import JournalReading
from pos_host.money.payout_numbers import batch_of_payout, late_payout_id
from pos_host.reports.discrepancy_report import Disputed, day_of, discrepancies_of, totals_of
from pos_host.reports.late_reversals import REVERSAL_OF_CLOSED, LateReversal, late_reversal
from pos_host.reports.settled_spans import settled_span, totals_differ
from pos_host.reports.settlement_report import settlement_report
from pos_host.reports.unsettled_report import ended_view, open_view
from pos_host.settlement.business_day import business_date

DAY_MS = 86_400_000

ABOUT_MS = 2 * DAY_MS
"""A business day begins and ends within two days of the date's own midnights in UTC: no time zone is further off
than fourteen hours, and no cut-off than a day."""


class Reports:
    """The reports on the store and the books as they stand. What a report is made of is read each time it is asked for:
    of a day what happened around it, found by the journal's stretches, since an index would cost every sale."""

    def __init__(self, registry: Registry, journal: Journal) -> None:
        self._registry = registry
        self._journal = journal

    async def settlement(self, by: str, day: date | None, merchant_id: str | None) -> dict[str, Any]:
        """Captured, refunded, fees and net of the payouts of a business day, or of all, divided by one of BY."""
        where: dict[str, str | int] = {}
        if day is not None:
            where["business_day"] = day.isoformat()
        if merchant_id is not None:
            where["merchant_id"] = merchant_id
        rows = [row async for row in self._payouts(where)]
        made = settlement_report(rows, by, self._registry.of_no)
        return {"date": None if day is None else day.isoformat(), **made}

    async def discrepancies(self, day: date | None, merchant_id: str | None) -> dict[str, Any]:
        """Everything on which a terminal and the host differ, in batches closed on a business day, or on any."""
        items: list[dict[str, Any]] = []
        reversals = await self._late_reversals()
        async for row in self._closed(day):
            span = await settled_span(self._journal, row)
            book = self._registry.of_no(row.terminal_no)
            if book is None or merchant_id not in (None, book.merchant_id) or day not in (None, day_of(row, book)):
                continue
            reversed_late = reversals.get(row.batch_id, [])
            known = [one for part in span for one in reversals.get(part.batch_id, [])]
            totals = totals_differ(span, [one for one in known if one.at_ms <= row.closed_at_ms])
            if not (row.discrepancies or reversed_late or totals):
                continue
            paid = [payout for part in (span if totals else [row]) for payout in await self._payouts_of(part)]
            disputed = Disputed(row, book, await self._payouts_of(row), paid)
            items += discrepancies_of(disputed, reversed_late, totals)
        return {"date": None if day is None else day.isoformat(), "items": items, "totals": totals_of(items)}

    async def unsettled(self, merchant_id: str | None) -> dict[str, Any]:
        """What is left unsettled now, and every batch that was settled late, with how it ended; oldest first."""
        reading = await self._flagged_reading()
        items: list[dict[str, Any]] = []
        for closing in reading.closings:
            row, book = await self._journal.batch(closing.batch_id), self._registry.of_no(closing.terminal_no)
            if not closing.late or row is None or book is None:
                continue
            items.append(ended_view(closing, row, book, await self._payouts_of(row)))
        for terminal_no, flag in reading.flagged.items():
            book = self._registry.of_no(terminal_no)
            view = None if book is None else open_view(flag, book)
            if view is not None:
                items.append(view)
        return {"items": [item for item in items if merchant_id in (None, item["merchant_id"])]}

    async def _flagged_reading(self) -> JournalReading:
        """What the journal says of terminals while they were flagged. While none is, it is read only where the next may
        be: nobody settles late then."""
        reading = JournalReading({})
        flags = await self._journal.ranges_among(EntryQuestion({"kind": ("unsettled",)}))
        after = 0
        while True:
            if not reading.flagged:
                ahead = next((first for first, last in flags if last > after), None)
                if ahead is None:
                    return reading
                after = max(after, ahead - 1)
            page = await self._journal.entries_after(after, ROWS_AT_ONCE)
            if not page:
                return reading
            for stored in page:
                reading.take(stored)
            after = page[-1].sequence

    async def _late_reversals(self) -> dict[int, list[LateReversal]]:
        """The reversals that came after the close, by the batch of what they name; each transaction once."""
        found: dict[int, dict[str, LateReversal]] = {}
        async for stored in every(self._journal, EntryQuestion({"kind": (REVERSAL_OF_CLOSED,)})):
            one = late_reversal(stored.entry)
            if one.moved_minor:
                found.setdefault(one.batch_id, {}).setdefault(one.stan, one)
        return {batch_id: list(by_stan.values()) for batch_id, by_stan in found.items()}

    async def _payouts_of(self, row: BatchRow) -> list[PayoutRow]:
        """What a batch pays, its own payout first, then those of what was told late beside it."""
        own = await self._journal.select(Question(PayoutRow, {"payout_id": row.batch_id}, limit=1))
        if row.result != SETTLED_BY_HOST:
            return own
        where: dict[str, str | int] = {"terminal_no": row.terminal_no}
        before = late_payout_id(row.batch_id, 0)
        late = await self._journal.select(Question(PayoutRow, where, after=before, limit=LATE_NOTICES_MOST))
        return own + [payout for payout in late if batch_of_payout(payout.payout_id) == row.batch_id]

    async def _payouts(self, where: dict[str, str | int]) -> AsyncIterator[PayoutRow]:
        after = 0
        while page := await self._journal.select(Question(PayoutRow, where, after=after, limit=ROWS_AT_ONCE)):
            for row in page:
                yield row
            after = page[-1].payout_id

    async def _closed(self, day: date | None) -> AsyncIterator[BatchRow]:
        """Closed batches by number: all, or those that were closed on a business day."""
        if day is not None:
            for batch_id in await self._closed_on(day):
                if (one := await self._journal.batch(batch_id)) is not None:
                    yield one
            return
        after = 0
        closed: dict[str, str | int] = {"state": "settled"}
        while page := await self._journal.select(Question(BatchRow, closed, after=after, limit=ROWS_AT_ONCE)):
            for row in page:
                yield row
            after = page[-1].batch_id

    async def _closed_on(self, day: date) -> list[int]:
        """The numbers of the batches whose closing stands in the journal under a business day of their terminals."""
        midnight_ms = round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
        about = EntryQuestion({"kind": ("batch_closed",)}, midnight_ms - ABOUT_MS, midnight_ms + DAY_MS + ABOUT_MS)
        found: set[int] = set()
        async for stored in every(self._journal, about):
            book = self._registry.of_no(stored.entry.terminal_no)
            if book is not None and business_date(book.policy, stored.entry.at_ms) == day:
                found.add(stored.entry.batch_id)
        return sorted(found)
