"""Answers to the questions of the admin API and the verbs: pages of terminals, batches, events, flags."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from pos_host.clock import Clock, ManualClock, iso_utc
from pos_host.journal import Journal
from pos_host.ledger.book import Book
from pos_host.ledger.entry import BatchRow
from pos_host.ledger.registry import Registry
from pos_host.merchants import trail
from pos_host.merchants.actors import ADMIN, Actor
from pos_host.merchants.desk import Desk, Subject, Told, Written
from pos_host.merchants.forgotten.forgotten_settlements import ForgottenSettlements
from pos_host.settlement.durations import duration_ms
from pos_host.settlement.settler import Settler
from pos_host.settlement.watch import Watch
from pos_host.transaction_search import Wanted, transactions_of
from pos_host.views import (
    authorisation_view,
    authorisations_of,
    batch_view,
    live_row,
    terminal_view,
    unsettled_books,
)

if TYPE_CHECKING:
    from pos_host.assembly import Assembly

Page = dict[str, Any]
EventsAfter = Callable[[int, int], Awaitable[list[dict[str, Any]]]]
EventsOfMerchant = Callable[[str, int, int], Awaitable[tuple[list[dict[str, Any]], int | None]]]
"""A merchant's events after a sequence, at most so many, and the sequence from which the next page goes on."""


ADVANCE_MOST_MS = 366 * 86_400_000
"""The furthest one request may move the manual clock: a year; a scenario takes years in steps."""


class NotThere(Exception):
    """What was asked for does not exist; the text says what."""


class Ambiguous(Exception):
    """The terminal id exists under several merchants."""

    def __init__(self, terminal_id: str, merchants: list[str]) -> None:
        super().__init__(f"terminal {terminal_id} exists under merchants {', '.join(merchants)}")
        self.merchants = merchants


class NotPossible(Exception):
    """The request makes no sense for this host as it runs; the text says why."""


class Office:
    """The host's back office: what is asked of it, its clock, and settlement at an operator's word. `parts` are all the
    others that the API asks: directory, users, terms and so on."""

    parts: Assembly

    def __init__(
        self,
        registry: Registry,
        journal: Journal,
        clock: Clock,
        watch: Watch,
        events_after: EventsAfter,
        events_of_merchant: EventsOfMerchant,
        settler: Settler,
        desk: Desk,
        forgotten: ForgottenSettlements,
    ) -> None:
        self._registry = registry
        self._journal = journal
        self._clock = clock
        self._watch = watch
        self._events_after = events_after
        self._events_of_merchant = events_of_merchant
        self._settler = settler
        self.desk = desk
        self.forgotten = forgotten
        self._clock_turn = asyncio.Lock()

    def terminals(self, limit: int, cursor: int, merchant_id: str | None = None) -> Page:
        """Terminals in the order of enrolment; the cursor is the last one's number."""
        books = sorted((book for book in self._registry if book.enrolled), key=lambda book: book.terminal_no)
        wanted = [b for b in books if b.terminal_no > cursor and merchant_id in (None, b.merchant_id)]
        following = wanted[limit - 1].terminal_no if len(wanted) > limit else None
        return _page([terminal_view(book, self._clock.now_ms()) for book in wanted[:limit]], following)

    def terminal(self, terminal_id: str, merchant_id: str | None) -> dict[str, Any]:
        """One terminal; raises NotThere or Ambiguous."""
        return terminal_view(self.book(terminal_id, merchant_id), self._clock.now_ms())

    async def batches(self, terminal_id: str, merchant_id: str | None, limit: int, cursor: int) -> Page:
        """A terminal's batches, newest first; the cursor is the last one's id. Raises NotThere or Ambiguous."""
        book = self.book(terminal_id, merchant_id)
        rows = await self._journal.batches_of(book.terminal_no, cursor, limit + 1)
        views = [batch_view(live_row(book, row), book.merchant_id, book.terminal_id) for row in rows[:limit]]
        return _page(views, rows[limit - 1].batch_id if len(rows) > limit else None)

    async def batch(self, batch_id: int, merchant_id: str | None = None) -> dict[str, Any]:
        """One batch (of that merchant), the terminal's totals beside the host's; raises NotThere."""
        row, book = await self._batch_row(batch_id, merchant_id)
        return batch_view(live_row(book, row), book.merchant_id, book.terminal_id)

    async def discrepancies(self, batch_id: int, merchant_id: str | None = None) -> Page:
        """Where terminal and host differ in a batch (of that merchant); raises NotThere."""
        row, _ = await self._batch_row(batch_id, merchant_id)
        return _page(json.loads(row.discrepancies) if row.discrepancies else [], None)

    def unsettled(self, limit: int, cursor: int, merchant_id: str | None = None) -> Page:
        """Flagged terminals, worst first; the cursor is a position."""
        flagged = unsettled_books([book for book in self._registry if merchant_id in (None, book.merchant_id)])
        shown = flagged[cursor : cursor + limit]
        following = cursor + limit if len(flagged) > cursor + limit else None
        return _page([terminal_view(book, self._clock.now_ms()) for book in shown], following)

    def authorisations(self, limit: int, cursor: int, merchant_id: str | None, state: str | None) -> Page:
        """Pre-authorisations by terminal and age; the cursor is the last one's number."""
        books = [book for book in self._registry if book.enrolled and merchant_id in (None, book.merchant_id)]
        now_ms = self._clock.now_ms()
        views = {
            row.authorisation_no: authorisation_view(row, book, now_ms)
            for row, book in authorisations_of(books)
            if row.authorisation_no > cursor
        }
        wanted = [(number, view) for number, view in views.items() if state in (None, view["state"])]
        following = wanted[limit - 1][0] if len(wanted) > limit else None
        return _page([view for _, view in wanted[:limit]], following)

    async def transactions(
        self, wanted: Wanted, terminal_id: str | None, merchant_id: str | None, limit: int, cursor: int
    ) -> Page:
        """Transactions, the latest first; the cursor is a sequence. Raises NotThere for a terminal nobody knows."""
        books = [book for book in self._registry if book.enrolled and merchant_id in (None, book.merchant_id)]
        if terminal_id is not None:
            books = [book for book in books if book.terminal_id == terminal_id]
            if not books:
                raise NotThere(f"no terminal {terminal_id}")
        anybody = terminal_id is None and merchant_id is None
        views, following = await transactions_of(self._journal, books, wanted, limit, cursor, anybody=anybody)
        return _page(views, following)

    async def settle(
        self, terminal_id: str, merchant_id: str | None, actor: Actor = ADMIN, why: str = ""
    ) -> dict[str, Any]:
        """Close a terminal's batch from the host's own books, now; gives the closed batch.

        Raises NotThere, Ambiguous, Forbidden, NothingToSettle, UploadRunning or NotKept.
        """
        book = self.book(terminal_id, merchant_id)

        def decide(now_ms: int) -> Written:
            batch, (entries, rows) = self._settler.settlement_of(book, "operator", now_ms)
            told = Told("batch.settlement_ordered", book.terminal_no, {"batch_id": batch.batch_id})
            return Written(rows, (told,), answer=batch.batch_id, entries=entries)

        subject = Subject(f"terminal {book.terminal_id}", book.merchant_id, book)
        return await self.batch(await self.desk.act(actor, "terminal.settle", subject, decide, why))

    async def events(self, after: int, limit: int, merchant_id: str | None = None) -> Page:
        """Every event after a sequence, in order; those that one merchant may see where it is named."""
        if merchant_id is not None:
            return _page(*await self._events_of_merchant(merchant_id, after, limit))
        events = await self._events_after(after, limit)
        return _page(events, events[-1]["sequence"] if len(events) == limit else None)

    def now_ms(self) -> int:
        """The host's time, UTC milliseconds."""
        return self._clock.now_ms()

    async def audit(
        self, limit: int, cursor: int, named: dict[str, str | None], since_ms: int | None, until_ms: int | None
    ) -> Page:
        """The audit trail, the latest first; the cursor is the last one's number."""
        wanted = trail.Wanted(**named, since_ms=since_ms or 0, until_ms=until_ms)
        rows = await trail.audit_rows(self._journal, wanted, limit + 1, cursor)
        following = rows[limit - 1].audit_no if len(rows) > limit else None
        return _page([trail.audit_view(row) for row in rows[:limit]], following)

    async def move_clock(self, actor: Actor, duration: str) -> dict[str, str]:
        """`advance_clock` as somebody's action, audited when it begins; raises Forbidden beside what that raises."""

        def decide(now_ms: int) -> Written:
            self._check_advance(duration)
            return Written(told=(Told("clock.advanced", 0, {"by": duration}),))

        await self.desk.act(actor, "clock.advance", Subject("clock"), decide)
        return await self.advance_clock(duration)

    async def advance_clock(self, duration: str) -> dict[str, str]:
        """Move a manual clock by an ISO 8601 duration; answers once all that falls due by then has happened.

        Raises NotPossible with the system clock, ValueError for a duration that is none or too long.
        """
        clock, by_ms = self._check_advance(duration)
        async with self._clock_turn:  # two at once move it twice
            await self._watch.advance(clock, clock.now_ms() + by_ms)
            return {"now": iso_utc(clock.now_ms())}

    def _check_advance(self, duration: str) -> tuple[ManualClock, int]:
        if not isinstance(self._clock, ManualClock):
            raise NotPossible("the clock is the system's; start the host with --clock manual to move it")
        by_ms = duration_ms(duration)
        if by_ms > ADVANCE_MOST_MS:
            raise ValueError(f"{duration} is more than a year; advance in steps")
        return self._clock, by_ms

    def clock(self) -> dict[str, str]:
        """The host's time and where it comes from."""
        kind = "manual" if isinstance(self._clock, ManualClock) else "system"
        return {"now": iso_utc(self._clock.now_ms()), "clock": kind}

    def book(self, terminal_id: str, merchant_id: str | None) -> Book:
        """The terminal's book; raises NotThere or Ambiguous."""
        found = self._registry.of_terminal(terminal_id)
        mine = [book for book in found if merchant_id in (None, book.merchant_id)]
        if not mine:
            under = f" under merchant {merchant_id}" if merchant_id is not None else ""
            raise NotThere(f"no terminal {terminal_id}{under}")
        if len(mine) > 1:
            raise Ambiguous(terminal_id, sorted(book.merchant_id for book in mine))
        return mine[0]

    async def _batch_row(self, batch_id: int, merchant_id: str | None) -> tuple[BatchRow, Book]:
        row = await self._journal.batch(batch_id)
        book = None if row is None else self._registry.of_no(row.terminal_no)
        if row is None or book is None or merchant_id not in (None, book.merchant_id):
            raise NotThere(f"no batch {batch_id}")
        return row, book


def _page(items: list[Any], next_cursor: int | None) -> Page:
    return {"items": items, "next_cursor": None if next_cursor is None else str(next_cursor)}
