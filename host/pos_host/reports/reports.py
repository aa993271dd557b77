"""Reads the store for the reports, a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

from pos_host.journal import ROWS_AT_ONCE, Journal, Question
from pos_host.ledger.entry import BatchRow
from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.ledger.registry import Registry
from pos_host.merchants.look_back_reading import JournalReading
from pos_host.reports.discrepancy_report import day_of, discrepancies_of, totals_of
from pos_host.reports.settlement_report import settlement_report
from pos_host.reports.unsettled_report import ended_view, open_view


class Reports:
    """The reports on the store and the books as they stand. Everything is read: a report is asked for seldom, and an
    index for it would cost every sale."""

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
        """Every record on which a terminal and the host differ, in batches closed on a business day, or on any."""
        items: list[dict[str, Any]] = []
        async for row in self._closed():
            book = self._registry.of_no(row.terminal_no)
            if not row.discrepancies or book is None or merchant_id not in (None, book.merchant_id):
                continue
            if day in (None, day_of(row, book)):
                items += discrepancies_of(row, book, await self._payout(row.batch_id))
        return {"date": None if day is None else day.isoformat(), "items": items, "totals": totals_of(items)}

    async def unsettled(self, merchant_id: str | None) -> dict[str, Any]:
        """What is left unsettled now, and every batch that was settled late, with how it ended; oldest first."""
        reading = JournalReading({})
        after = 0
        while page := await self._journal.entries_after(after, ROWS_AT_ONCE):
            for stored in page:
                reading.take(stored)
            after = page[-1].sequence
        items: list[dict[str, Any]] = []
        for closing in reading.closings:
            row, book = await self._journal.batch(closing.batch_id), self._registry.of_no(closing.terminal_no)
            if not closing.late or row is None or book is None:
                continue
            items.append(ended_view(closing, row, book, await self._payout(closing.batch_id)))
        for terminal_no, flag in reading.flagged.items():
            book = self._registry.of_no(terminal_no)
            view = None if book is None else open_view(flag, book)
            if view is not None:
                items.append(view)
        return {"items": [item for item in items if merchant_id in (None, item["merchant_id"])]}

    async def _payout(self, batch_id: int) -> PayoutRow | None:
        paid = await self._journal.select(Question(PayoutRow, {"payout_id": batch_id}, limit=1))
        return paid[0] if paid else None

    async def _payouts(self, where: dict[str, str | int]) -> AsyncIterator[PayoutRow]:
        after = 0
        while page := await self._journal.select(Question(PayoutRow, where, after=after, limit=ROWS_AT_ONCE)):
            for row in page:
                yield row
            after = page[-1].payout_id

    async def _closed(self) -> AsyncIterator[BatchRow]:
        after = 0
        closed: dict[str, str | int] = {"state": "settled"}
        while page := await self._journal.select(Question(BatchRow, closed, after=after, limit=ROWS_AT_ONCE)):
            for row in page:
                yield row
            after = page[-1].batch_id
