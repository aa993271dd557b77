"""Replacing a terminal that does not work: another one takes its place, and its unfinished batch with it.

The host settles the batch from its own books at the hand-over, as `settled_by_host`, since nobody has the old device's
log any more; the new terminal goes on under the number that follows, and with the open pre-authorisations. The records
of the old batch stay under the terminal that made them, and what the old device still sends is refused and kept.
"""

from __future__ import annotations

from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.added_terminal import ADDED_TERMINAL, added_terminal_id
from pos_host.ledger.book import Book
from pos_host.ledger.entry import BatchRow, Entry, Row
from pos_host.ledger.group_totals import has_money
from pos_host.ledger.host_settlement import Judgement, written
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of, changed, record
from pos_host.ledger.standing import REPLACEMENT
from pos_host.merchants.actors import Actor
from pos_host.merchants.closing.closure_reasons import ClosureReason, reason_named
from pos_host.merchants.closing.closure_states import DONE_BY_REPLACEMENT, LIFE, step_done
from pos_host.merchants.closing.closures import Closures
from pos_host.merchants.closing.terminal_states import TERMINAL, Whom, state_row
from pos_host.merchants.closing.unfinished import unfinished_of
from pos_host.merchants.desk import Desk, Refused, Told, Written
from pos_host.merchants.directory import TERMINAL_ID
from pos_host.merchants.free_text import plain_text

BY = "replacement"
"""At whose word the host settles the batch."""


class Replacements:
    """Everything raises Refused, NotNow, Forbidden or NotKept as `Desk.act` does."""

    def __init__(self, desk: Desk, closures: Closures) -> None:
        self._desk = desk
        self._registry = desk.registry
        self._closures = closures

    def all(self, merchant_id: str | None = None) -> list[dict[str, Any]]:
        """Replacements in the order they were made."""
        rows = self._registry.records.of_kind(REPLACEMENT, merchant_id)
        return [replacement_view(row) for row in rows]

    async def replace(
        self, actor: Actor, book: Book, new_terminal_id: str, reason_name: str, why: str = ""
    ) -> dict[str, Any]:
        """Have the terminal `new_terminal_id` of the same merchant take this one's place; gives what was handed over.

        The old one is closed from then on; equipment, payouts and data are left to its closure.
        """
        reason, why = reason_named(reason_name, replaces=True), plain_text("why", why, needed=False)
        whom = Whom(book.merchant_id, book)

        def decide(now_ms: int) -> Written:
            state = TERMINAL.after(book.status, "replace")
            added = self._added(actor, book, new_terminal_id, now_ms)
            entries, settled = _settled(book, now_ms)
            row = self._record(book, new_terminal_id, reason, actor, settled, now_ms)
            handed_over = body_of(row)["handed_over"]
            closure = self._closure(whom, reason, actor, new_terminal_id, handed_over, why, now_ms)
            rows = (*settled, state_row(self._registry, whom, state, now_ms), row, closure, *added)
            view = replacement_view(row)
            told = (
                Told("terminal.replaced", book.terminal_no, view),
                Told("terminal.closed", book.terminal_no, {"closure_id": closure.record_id, "reason": reason.name}),
            )
            return Written(rows, told, {"status": book.status}, view, view, entries)

        answer: dict[str, Any] = await self._desk.act(actor, "terminal.replace", whom.subject(), decide, why)
        self._closures.tell_terminal(book, reason.name)
        return answer

    def _added(self, actor: Actor, book: Book, new_id: str, now_ms: int) -> list[RecordRow]:
        """What lets the new terminal enrol; nothing for one that is enrolled, which must not have begun a batch."""
        merchant_id, registry = book.merchant_id, self._registry
        if TERMINAL_ID.fullmatch(new_id) is None or new_id == book.terminal_id:
            text = "new_terminal_id: must be another terminal's, 1 to 8 printable ASCII characters"
            raise Refused("id_not_valid", text, status=422)
        if book.merchant.status in ("closing", "closed"):
            text = f"merchant {merchant_id} is {book.merchant.status}: it adds no terminal"
            raise Refused("merchant_not_active", text)
        known = registry.find(merchant_id, new_id)
        if known is not None and (known.enrolled or known.busy):
            batch = known.current
            fresh = batch is not None and batch.state == "open" and not has_money(batch) and not known.busy
            if known.status != "active" or known.predecessor is not None or not fresh:
                text = f"terminal {new_id} trades already: take one that is new, or has an empty batch"
                raise Refused("terminal_in_use", text)
            return []
        record_id = added_terminal_id(merchant_id, new_id)
        if registry.records.find(REPLACEMENT, record_id) is not None:
            raise Refused("terminal_in_use", f"terminal {new_id} has taken another one's place already")
        if registry.expects(merchant_id, new_id):
            return []
        body = {"terminal_id": new_id, "added_at_ms": now_ms, "added_by": actor.name}
        return [record(ADDED_TERMINAL, record_id, merchant_id, "added", now_ms, body)]

    def _record(
        self,
        book: Book,
        new_id: str,
        reason: ClosureReason,
        actor: Actor,
        settled: tuple[Row, ...],
        now_ms: int,
    ) -> RecordRow:
        open_ones = [thing.view() for thing in unfinished_of(self._registry, book, now_ms)]
        closed = [row for row in settled if isinstance(row, BatchRow) and row.state == "settled"]
        handed_over = [thing for thing in open_ones if thing["kind"] == "authorisation_open"]
        body = {
            "old_terminal_no": book.terminal_no,
            "old_terminal_id": book.terminal_id,
            "new_terminal_id": new_id,
            "reason": reason.name,
            "by": actor.name,
            "at": iso_utc(now_ms),
            "settled_batches": [row.batch_id for row in closed],
            "batch_number": _next_number(book, settled),
            "handed_over": handed_over,
        }
        return record(
            REPLACEMENT, added_terminal_id(book.merchant_id, new_id), book.merchant_id, "handed_over", now_ms, body
        )

    def _closure(
        self,
        whom: Whom,
        reason: ClosureReason,
        actor: Actor,
        new_id: str,
        handed_over: list[dict[str, Any]],
        why: str,
        now_ms: int,
    ) -> RecordRow:
        """The closure that is left of the old terminal: the one under way, or a new one for the same reason. What the
        new terminal takes over stands in its way no more."""
        row = self._closures.new_or_open(actor, whom, reason, why, now_ms)
        body = body_of(row)
        for step in DONE_BY_REPLACEMENT:
            if not body["steps"][step]["done"]:
                body["steps"][step] = step_done(actor.name, f"handed over to terminal {new_id}", now_ms)
        body["handed_over"] += [{**thing, "to": new_id, "at": iso_utc(now_ms)} for thing in handed_over]
        body["replaced_by"] = new_id
        body["closed_after"] = whom.book.last_sequence if whom.book is not None else 0
        return changed(row, LIFE.after(row.state, "replace"), now_ms, body)


def replacement_view(row: RecordRow) -> dict[str, Any]:
    """A replacement as the API shows it."""
    body = body_of(row)
    del body["old_terminal_no"]
    return {"merchant_id": row.merchant_id, **body}


def _settled(book: Book, now_ms: int) -> tuple[tuple[Entry, ...], tuple[Row, ...]]:
    """What closes every batch of the old terminal that holds money or is being uploaded, whatever its amount."""
    entries: tuple[Entry, ...] = ()
    rows: tuple[Row, ...] = ()
    for batch in book.batches:
        if not batch.closed and (has_money(batch) or batch.state == "uploading"):
            made = written(book, batch, Judgement("settled", BY), now_ms)
            entries, rows = (*entries, *made[0]), (*rows, *made[1])
    return entries, rows


def _next_number(book: Book, settled: tuple[Row, ...]) -> str:
    """The number with which the new terminal goes on: that of the batch which follows the last one with money."""
    opened = [row.number for row in settled if isinstance(row, BatchRow) and row.state == "open"]
    if opened:
        return opened[-1]
    return "" if book.current is None else book.current.number
