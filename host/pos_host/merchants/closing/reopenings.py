"""Reopening what was closed: applied for, reviewed by somebody else, begun with a sign-in and a new batch number."""

from __future__ import annotations

from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.book import Book
from pos_host.ledger.entry import Row
from pos_host.ledger.group_totals import has_money
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of, changed, record
from pos_host.ledger.rows import batch_row, terminal_row
from pos_host.ledger.standing import REOPENING, REPLACEMENT
from pos_host.merchants.actors import Actor
from pos_host.merchants.closing.terminal_states import Whom, state_of, state_row
from pos_host.merchants.desk import Desk, Refused, Told, Written
from pos_host.merchants.four_eyes import check_other_person
from pos_host.merchants.free_text import plain_text
from pos_host.merchants.lives import Life
from pos_specs.dialect import Dialect

LIFE = Life(
    REOPENING,
    "requested",
    {
        "requested": {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"},
        # open again; a terminal sells from its sign-in on
        "approved": {"sign_in": "signed_in"},
        "signed_in": {},
        "rejected": {},
        "withdrawn": {},
    },
)


class Reopenings:
    """Everything raises Refused, NotNow, Forbidden or NotKept as `Desk.act` does."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._registry = desk.registry

    def latest(self, whom: Whom) -> dict[str, Any]:
        """The latest reopening of a terminal or merchant; raises Refused (404) where there was none."""
        return reopening_view(self._latest(whom))

    async def request(self, actor: Actor, whom: Whom, why: str) -> dict[str, Any]:
        """Apply for it; a terminal that was replaced stays closed, and so do those of a closed merchant."""
        why = plain_text("why", why)

        def decide(now_ms: int) -> Written:
            whom.life.after(state_of(self._registry, whom), "reopen")
            self._refuse_pointless(whom)
            body = {
                "terminal_no": whom.terminal_no,
                "terminal_id": None if whom.book is None else whom.book.terminal_id,
                "requested_by": actor.name,
                "requested_at": iso_utc(now_ms),
                "why": why,
                "review": None,
                "batch_number": None,
            }
            number = self._registry.records.next_id(REOPENING)
            row = record(REOPENING, number, whom.merchant_id, LIFE.initial, now_ms, body)
            return _written("requested", whom, None, row)

        return await self._act(actor, "reopening.request", whom, decide, why)

    async def approve(self, actor: Actor, whom: Whom, why: str = "") -> dict[str, Any]:
        """Open it again; not by who applied for it. A terminal goes on under a new batch number."""
        why = plain_text("why", why, needed=False)

        def decide(now_ms: int) -> Written:
            row = self._latest(whom)
            state, body = LIFE.after(row.state, "approve"), body_of(row)
            check_other_person(actor, (body["requested_by"],), "a review")
            after = whom.life.after(state_of(self._registry, whom), "reopen")
            self._refuse_closed_merchant(whom)
            rows: tuple[Row, ...] = (state_row(self._registry, whom, after, now_ms),)
            if whom.book is not None:
                rows, body["batch_number"] = _begun_anew(whom.book, after, now_ms)
                state = state if signs_in(whom.book.dialect) else "signed_in"
            body["review"] = {"by": actor.name, "at": iso_utc(now_ms), "reason": why}
            made = _written("approved", whom, row, changed(row, state, now_ms, body))
            name = "terminal.reopened" if whom.book is not None else "merchant.reopened"
            told = Told(name, whom.terminal_no, {"reopening_id": row.record_id, "batch_number": body["batch_number"]})
            return made._replace(rows=(*rows, *made.rows), told=(*made.told, told))

        return await self._act(actor, "reopening.approve", whom, decide, why)

    async def reject(self, actor: Actor, whom: Whom, why: str) -> dict[str, Any]:
        """Leave it closed; not by who applied for it."""
        why = plain_text("why", why)

        def decide(now_ms: int) -> Written:
            row = self._latest(whom)
            state, body = LIFE.after(row.state, "reject"), body_of(row)
            check_other_person(actor, (body["requested_by"],), "a review")
            body["review"] = {"by": actor.name, "at": iso_utc(now_ms), "reason": why}
            return _written("rejected", whom, row, changed(row, state, now_ms, body))

        return await self._act(actor, "reopening.reject", whom, decide, why)

    async def withdraw(self, actor: Actor, whom: Whom, why: str = "") -> dict[str, Any]:
        """Take the application back."""
        why = plain_text("why", why, needed=False)

        def decide(now_ms: int) -> Written:
            row = self._latest(whom)
            return _written("withdrawn", whom, row, changed(row, LIFE.after(row.state, "withdraw"), now_ms))

        return await self._act(actor, "reopening.withdraw", whom, decide, why)

    def _refuse_pointless(self, whom: Whom) -> None:
        """One application at a time, and none for what cannot be opened."""
        self._refuse_closed_merchant(whom)
        for row in self._of(whom):
            if row.state == "requested":
                text = f"reopening {row.record_id} of {whom.name} waits for its review already"
                raise Refused("reopening_open", text, reopening_id=row.record_id)
        for row in self._registry.records.of_kind(REPLACEMENT, whom.merchant_id):
            body = body_of(row)
            if whom.book is not None and body["old_terminal_no"] == whom.terminal_no:
                text = f"{whom.name} was replaced by {body['new_terminal_id']}, which goes on with its business"
                raise Refused("terminal_replaced", text, replaced_by=body["new_terminal_id"])

    def _refuse_closed_merchant(self, whom: Whom) -> None:
        status = self._registry.merchant(whom.merchant_id).status
        if whom.book is not None and status in ("closing", "closed"):
            raise Refused("merchant_not_active", f"merchant {whom.merchant_id} is {status}: reopen that first")

    def _of(self, whom: Whom) -> list[RecordRow]:
        rows = self._registry.records.of_kind(REOPENING, whom.merchant_id)
        mine = [row for row in rows if body_of(row)["terminal_no"] == whom.terminal_no]
        return sorted(mine, key=lambda row: int(row.record_id))

    def _latest(self, whom: Whom) -> RecordRow:
        rows = self._of(whom)
        if not rows:
            raise Refused("no_reopening", f"nobody applied for the reopening of {whom.name}", status=404)
        return rows[-1]

    async def _act(self, actor: Actor, action: str, whom: Whom, decide: Any, why: str) -> dict[str, Any]:
        answer: dict[str, Any] = await self._desk.act(actor, action, whom.subject(), decide, why)
        return answer


def signs_in(dialect: Dialect) -> bool:
    """Whether a terminal of the dialect has a sign-in of its own; in BASE24 only the line does."""
    return any(rule.name == "sign_in" and not rule.anonymous for rule in dialect.functions)


def reopening_view(row: RecordRow) -> dict[str, Any]:
    """A reopening as the API shows it."""
    body = body_of(row)
    del body["terminal_no"]
    possible = [action for action in LIFE.possible(row.state) if action != "sign_in"]
    return {
        "id": row.record_id,
        "state": row.state,
        "possible": possible,
        "merchant_id": row.merchant_id,
        **body,
        "changed_at": iso_utc(row.changed_at_ms),
    }


def _begun_anew(book: Book, status: str, now_ms: int) -> tuple[tuple[Row, ...], str | None]:
    """The terminal's row, and its empty batch under the following number, which its sign-in gives it. Where it numbers
    its batches itself, the next number that it names is believed."""
    current = book.current
    if current is None or has_money(current):
        raise Refused("batch_unsettled", f"terminal {book.terminal_id} has a batch that was not settled")
    given = current.dialect.batch.number == "sign_in"
    known = given or current.dialect.batch.number == "none"
    row = terminal_row(book, now_ms, number_known=known)._replace(status=status)
    number = current.dialect.batch.after(current.number)
    return (row, batch_row(book, current, number=number)), number if given else None


def _written(event: str, whom: Whom, before: RecordRow | None, after: RecordRow) -> Written:
    view = reopening_view(after)
    told = Told(f"{REOPENING}.{event}", whom.terminal_no, {"reopening_id": after.record_id})
    return Written((after,), (told,), None if before is None else reopening_view(before), view, view)
