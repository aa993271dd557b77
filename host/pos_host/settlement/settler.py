"""The host's own settlement: takes the turn of each terminal whose forgotten batch is due, and ends it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Protocol

from pos_host.clock import Clock
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.entry import Entry, Row
from pos_host.ledger.group_totals import sides
from pos_host.ledger.host_settlement import Judgement, unsettled_batch, written
from pos_host.logs import Logger
from pos_host.merchants.desk import Refused
from pos_host.settlement.automatic import ForgottenBatch, due_ms, judged

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


class NothingToSettle(Refused):
    """The terminal has no batch with money; the text names it."""

    def __init__(self, text: str) -> None:
        super().__init__("nothing_to_settle", text)


class UploadRunning(Refused):
    """The terminal's batch is being uploaded; the text names both."""

    def __init__(self, text: str) -> None:
        super().__init__("upload_running", text)


class Settler:
    """Settles forgotten batches at their time, each in its terminal's turn, so that the terminal's own settlement
    in the same second and the host's have one winner."""

    def __init__(self, turns: Turns, clock: Clock) -> None:
        self._turns = turns
        self._clock = clock
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
        if book in self._under_way:
            return
        batch = None if book.policy.auto_settle is None else unsettled_batch(book)
        at_ms = None if batch is None else due_ms(_forgotten(book, batch), book.policy)
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

    def settlement_of(self, book: Book, by: str, now_ms: int) -> tuple[Batch, Written]:
        """The terminal's batch, and what to commit in its turn to close it, whatever its amount; `by` says at whose
        word: operator or application. Raises NothingToSettle, or UploadRunning before an upload was idle for the grace.
        """
        uploading, batch = book.uploading, unsettled_batch(book)
        since_ms = None if uploading is None else _upload_since_ms(uploading)
        if uploading is not None and since_ms is not None and now_ms < since_ms + book.policy.grace_ms:
            raise UploadRunning(f"terminal {book.terminal_id} is uploading batch {uploading.number}")
        if batch is None:
            raise NothingToSettle(f"terminal {book.terminal_id} has no batch with money in it")
        return batch, written(book, batch, Judgement("settled", by), now_ms)

    def _judge(self, book: Book, now_ms: int) -> Written | None:
        """In the terminal's turn: what was due may have been settled while the host waited for it."""
        batch = unsettled_batch(book)
        found = None if batch is None else judged(_forgotten(book, batch), book.policy, now_ms)
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


def _forgotten(book: Book, batch: Batch) -> ForgottenBatch:
    row = book.host_settlement
    return ForgottenBatch(
        first_money_at_ms=batch.first_money_at_ms or batch.opened_at_ms,
        debit_amount_minor=sides(batch)[0].amount_minor,
        upload_since_ms=_upload_since_ms(batch),
        not_before_ms=0 if row is None else row.not_before_ms,
        judged_day=None if row is None or not row.business_day else date.fromisoformat(row.business_day),
    )


def _upload_since_ms(batch: Batch) -> int | None:
    """The last of its upload: its beginning or a record."""
    if batch.state != "uploading":
        return None
    return max(batch.last_activity_at_ms, int(batch.settlement.get("at_ms", 0)))


def _tell(book: Book, batch: Batch, result: str, by: str) -> None:
    where = {"terminal_id": book.terminal_id, "merchant_id": book.merchant_id, "batch_number": batch.number}
    tell = log.warning if result == "held" else log.info
    tell("host_settlement", **where, result=result, by=by, debit_amount_minor=sides(batch)[0].amount_minor)
