"""The host's own settlement: takes the turn of each terminal whose forgotten batch is due, and ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Protocol

from pos_host.clock import Clock
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.entry import Entry, Row
from pos_host.ledger.group_totals import sides
from pos_host.ledger.host_settlement import Judgement, unsettled_batch, written
from pos_host.logs import Logger
from pos_host.settlement.automatic import ForgottenBatch, due_ms, judged
from pos_host.settlement.policy import Policy

log = Logger("pos_host.settlement")

TRY_AGAIN_MS = 60_000
"""After a commit that failed: a full disk is not mended sooner, and each try is a line in the log."""

Written = tuple[tuple[Entry, ...], tuple[Row, ...]]
Decide = Callable[[Book, int], Written | None]


class Turns(Protocol):
    """Who gives a terminal's turn to the host itself: the pipeline."""

    def take_turn(self, book: Book, decide: Decide, done: Callable[[bool], None]) -> None:
        """Have `decide` called once nothing of the terminal is under way, with the book and the time; what it
        writes is committed and applied before its next request. `done` is told whether that succeeded."""


class NothingToSettle(Exception):
    """The terminal has no batch with money; the text names it."""


class UploadRunning(Exception):
    """The terminal's batch is being uploaded; the text names both."""


class NotKept(Exception):
    """The settlement could not be made durable, and so did not happen."""


class Settler:
    """Settles forgotten batches at their time, each in its terminal's turn, so that the terminal's own settlement
    in the same second and the host's have one winner."""

    def __init__(self, turns: Turns, clock: Clock, policy: Policy) -> None:
        self._turns = turns
        self._clock = clock
        self._policy = policy
        self._due: dict[Book, int] = {}
        self._under_way: dict[Book, tuple[Batch, str] | None] = {}

    @property
    def busy(self) -> bool:
        """Whether a settlement waits for its turn or its commit."""
        return bool(self._under_way)

    def next_due_ms(self) -> int | None:
        """When the next batch falls due, UTC milliseconds."""
        return min(self._due.values(), default=None)

    def changed(self, book: Book) -> None:
        """Note when the batch of a book that may have changed falls due."""
        if self._policy.auto_settle is None or book in self._under_way:
            return
        batch = unsettled_batch(book)
        at_ms = None if batch is None else due_ms(_forgotten(book, batch), self._policy)
        if at_ms is None:
            self._due.pop(book, None)
        else:
            self._due[book] = at_ms

    def look(self) -> bool:
        """Ask for the turn of every terminal that is due by now, in the order of enrolment; True if there was one."""
        now_ms = self._clock.now_ms()
        due = sorted((book for book, at_ms in self._due.items() if at_ms <= now_ms), key=lambda book: book.terminal_no)
        for book in due:
            del self._due[book]
            self._under_way[book] = None
            self._turns.take_turn(book, self._judge, partial(self._done, book))
        return bool(due)

    async def settle_now(self, book: Book) -> Batch:
        """Close the terminal's batch at an operator's word, whatever its amount; gives the closed batch.

        Raises NothingToSettle, UploadRunning, or NotKept when the commit failed.
        """
        ended: asyncio.Future[Batch] = asyncio.get_running_loop().create_future()
        chosen: list[Batch] = []

        def decide(book: Book, now_ms: int) -> Written | None:
            try:
                chosen.append(_settleable(book))
            except (NothingToSettle, UploadRunning) as refused:
                ended.set_exception(refused)
                return None
            return written(book, chosen[0], Judgement("settled", "operator"), now_ms)

        def done(kept: bool) -> None:
            if ended.done():
                return
            if kept:
                _tell(book, chosen[0], "settled", "operator")
                ended.set_result(chosen[0])
            else:
                ended.set_exception(NotKept(f"the settlement of terminal {book.terminal_id} could not be stored"))

        self._turns.take_turn(book, decide, done)
        return await ended

    def _judge(self, book: Book, now_ms: int) -> Written | None:
        """In the terminal's turn: what was due may have been settled while the host waited for it."""
        batch = unsettled_batch(book)
        found = None if batch is None else judged(_forgotten(book, batch), self._policy, now_ms)
        if batch is None or found is None:
            return None
        day = found.business_day.isoformat()
        self._under_way[book] = (batch, found.result)
        return written(book, batch, Judgement(found.result, "schedule", day, found.not_before_ms), now_ms)

    def _done(self, book: Book, kept: bool) -> None:
        made = self._under_way.pop(book)
        if not kept:
            self._due[book] = self._clock.now_ms() + TRY_AGAIN_MS
            return
        if made is not None:
            _tell(book, *made, "schedule")
        self.changed(book)


def _settleable(book: Book) -> Batch:
    batch = unsettled_batch(book)
    uploading = book.uploading
    if uploading is not None:
        raise UploadRunning(f"terminal {book.terminal_id} is uploading batch {uploading.number}")
    if batch is None:
        raise NothingToSettle(f"terminal {book.terminal_id} has no batch with money in it")
    return batch


def _forgotten(book: Book, batch: Batch) -> ForgottenBatch:
    row = book.host_settlement
    return ForgottenBatch(
        first_money_at_ms=batch.first_money_at_ms or batch.opened_at_ms,
        debit_amount_minor=sides(batch)[0].amount_minor,
        upload_since_ms=_upload_since_ms(batch),
        not_before_ms=0 if row is None else row.not_before_ms,
    )


def _upload_since_ms(batch: Batch) -> int | None:
    """The last of its upload: its beginning or a record."""
    if batch.state != "uploading":
        return None
    return max(batch.last_activity_at_ms, int(batch.settlement["at_ms"]))


def _tell(book: Book, batch: Batch, result: str, by: str) -> None:
    where = {"terminal_id": book.terminal_id, "merchant_id": book.merchant_id, "batch_number": batch.number}
    tell = log.warning if result == "held" else log.info
    tell("host_settlement", **where, result=result, by=by, debit_amount_minor=sides(batch)[0].amount_minor)
