"""Escalation: somebody answers for each terminal that does not settle, and where nobody does the next one is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.book import Book
from pos_host.ledger.host_settlement import unsettled_batch
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of, record
from pos_host.merchants.actors import HOST, Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written
from pos_host.merchants.forgotten.escalation_ladder import Ladder, Step, read_ladder, shipped_ladder, written
from pos_host.merchants.free_text import plain_text
from pos_host.merchants.lives import Life
from pos_host.settlement.impact import impact_of
from pos_host.settlement.unsettled import SEVERITIES
from pos_host.settlement.watch import Watch

ESCALATION, LADDER = "escalation", "escalation_ladder"
"""Kinds of its records; an escalation's id is counted, a ladder's is its scope."""

ACQUIRER = "acquirer"
"""The scope of everybody; a merchant's is its number, a terminal's `merchant/terminal`."""

LIFE = Life(
    ESCALATION,
    "raised",
    {
        "raised": {"acknowledge": "acknowledged", "climb": "raised", "end": "ended"},
        "acknowledged": {"climb": "raised", "end": "ended"},
        "ended": {},
    },
)


class Escalations:
    """Raises, climbs and ends escalations as flags change and deadlines pass. Actions raise what `Desk.act` raises."""

    def __init__(self, desk: Desk, watch: Watch) -> None:
        self._desk = desk
        self._registry = desk.registry
        self._watch = watch
        self._open: dict[int, str] = {}
        self._due: dict[str, int] = {}
        for row in self._registry.records.of_kind(ESCALATION):
            self._note(row)
        self._registry.records.listen(ESCALATION, self._note)
        left = {book for number in self._open if (book := self._registry.of_no(number)) is not None}
        watch.flagged |= left | {book for book in self._registry if book.flag is not None}

    def all(self, merchant_id: str | None = None, state: str | None = None) -> list[dict[str, Any]]:
        """Escalations in the order they were raised, of one merchant or in one state where asked."""
        rows = sorted(self._registry.records.of_kind(ESCALATION, merchant_id), key=lambda row: int(row.record_id))
        return [escalation_view(row) for row in rows if state in (None, row.state)]

    def one(self, escalation_id: str) -> dict[str, Any]:
        """One escalation; raises Refused (404)."""
        return escalation_view(self._row(escalation_id))

    async def acknowledge(self, actor: Actor, escalation_id: str, why: str = "") -> dict[str, Any]:
        """Take it on: it does not climb any more, unless the terminal's flag gets worse."""
        why, row = plain_text("why", why, needed=False), self._row(escalation_id)

        def change(body: dict[str, Any], now_ms: int) -> tuple[dict[str, Any], int]:
            return {**body, "acknowledged_by": actor.name, "acknowledged_at": iso_utc(now_ms)}, 0

        answer: dict[str, Any] = await self._step(actor, "acknowledge", "acknowledged", row, change, why)
        return answer

    # -- ladders

    def ladder_of(self, book: Book) -> Ladder:
        """The terminal's own ladder, else its merchant's, else the acquirer's, else the shipped one."""
        for scope in (f"{book.merchant_id}/{book.terminal_id}", book.merchant_id, ACQUIRER):
            row = self._registry.records.find(LADDER, scope)
            if row is not None and row.state == "set":
                return read_ladder(body_of(row)["ladder"])
        return shipped_ladder()

    def ladder(self, scope: str) -> dict[str, Any]:
        """The ladder that was set for a scope; `ladder` is null where none was. Raises Refused (404)."""
        self._check_scope(scope)
        row = self._registry.records.find(LADDER, scope)
        is_set = row is not None and row.state == "set"
        shown = body_of(row)["ladder"] if row is not None and is_set else None
        if shown is None and scope == ACQUIRER:
            shown = written(shipped_ladder())
        return {"scope": scope, "own": is_set, "ladder": shown}

    async def set_ladder(self, actor: Actor, scope: str, given: dict[str, Any] | None, why: str = "") -> dict[str, Any]:
        """Set the ladder of a scope, or take it away (None) so that the next wider one holds again; raises Refused."""
        why = plain_text("why", why, needed=False)
        try:
            ladder = None if given is None else written(read_ladder(given))
        except ValueError as error:
            raise Refused("invalid_ladder", str(error), status=422) from None

        merchant_id = self._merchant_of(scope)

        def decide(now_ms: int) -> Written:
            self._check_scope(scope)
            body = {"ladder": ladder}
            row = record(LADDER, scope, merchant_id or "", "none" if ladder is None else "set", now_ms, body)
            told = Told("escalation.ladder_changed", 0, {"scope": scope})
            return Written((row,), (told,), self.ladder(scope), body, None)

        shown = scope if merchant_id is not None else "(nobody known)"  # it may be anything, a card's number
        await self._desk.act(actor, "escalation.set_ladder", Subject(f"ladder of {shown}"), decide, why)
        return self.ladder(scope)

    def _check_scope(self, scope: str) -> None:
        if self._merchant_of(scope) is None:
            text = "the scope must be acquirer, a merchant's number, or merchant/terminal, of those the host knows"
            raise Refused("unknown_scope", text, status=404)

    def _merchant_of(self, scope: str) -> str | None:
        """Whose a scope is; "" for the acquirer's, None where the host knows nobody of that number. A number may have
        strokes of its own."""
        if scope == ACQUIRER:
            return ""
        if self._registry.knows_merchant(scope):
            return scope
        cuts = [place for place, character in enumerate(scope) if character == "/"]
        known = (scope[:cut] for cut in cuts if self._registry.knows_terminal(scope[:cut], scope[cut + 1 :]))
        return next(known, None)

    # -- what falls due

    def next_due_ms(self) -> int | None:
        """Now while a flag has changed, else when the first deadline passes."""
        if self._watch.flagged:
            return self._desk.clock.now_ms()
        return min(self._due.values(), default=None)

    async def act_on_due(self, now_ms: int) -> None:
        """Follow the flags, then climb where nobody acknowledged in time."""
        while self._watch.flagged:
            book = min(self._watch.flagged, key=lambda book: book.terminal_no)
            self._watch.flagged.discard(book)  # before: a flag that changes meanwhile is followed once more
            try:
                await self._follow(book)
            except Exception:
                self._watch.flagged.add(book)
                raise
        for escalation_id in [one for one, due_ms in self._due.items() if due_ms <= now_ms]:
            await self._climb(self._row(escalation_id))

    async def _follow(self, book: Book) -> None:
        """Bring the terminal's escalation to what its flag says."""
        known = self._open.get(book.terminal_no)
        row = None if known is None else self._row(known)
        if book.flag is None:
            if row is not None:
                await self._step(HOST, "end", "ended", row, lambda body, now_ms: (body, 0))
            return
        severity = book.flag.severity
        steps = self.ladder_of(book)[severity]
        if not steps:
            return
        if row is None:
            await self._raise(book, steps[0])
        elif SEVERITIES.index(severity) > SEVERITIES.index(body_of(row)["severity"]):
            await self._step(HOST, "climb", "raised", row, self._taken_to(book, severity, 0, steps[0]))

    async def _raise(self, book: Book, step: Step) -> None:
        def decide(now_ms: int) -> Written:
            if book.flag is None:
                return Written()
            about = {"terminal_no": book.terminal_no, "terminal_id": book.terminal_id, "times_raised": 0}
            body, due_ms = self._taken_to(book, book.flag.severity, 0, step)(about, now_ms)
            escalation_id = self._registry.records.next_id(ESCALATION)
            row = record(ESCALATION, escalation_id, book.merchant_id, LIFE.initial, now_ms, body, due_ms)
            return _told("raised", None, row)

        await self._desk.act(HOST, "escalation.raise", _subject(book.terminal_id, book.merchant_id), decide)

    async def _climb(self, row: RecordRow) -> None:
        """To the next step; at the last one it stays, without a deadline."""
        body = body_of(row)
        book = self._registry.of_no(body["terminal_no"])
        steps = () if book is None else self.ladder_of(book)[body["severity"]]
        place = body["step"] + 1
        if book is None or place >= len(steps):
            await self._step(HOST, "climb", "unanswered", row, lambda body, now_ms: ({**body, "unanswered": True}, 0))
            return
        await self._step(HOST, "climb", "raised", row, self._taken_to(book, body["severity"], place, steps[place]))

    def _taken_to(
        self, book: Book, severity: str, place: int, step: Step
    ) -> Callable[[dict[str, Any], int], tuple[dict[str, Any], int]]:
        """What a step makes of an escalation's body, and its deadline."""

        def change(body: dict[str, Any], now_ms: int) -> tuple[dict[str, Any], int]:
            due_ms = now_ms + step.within_ms
            batch = unsettled_batch(book)
            about: dict[str, Any] = {"batch_number": None, "impact": None}
            if batch is not None and book.flag is not None:
                impact = impact_of(batch, book.flag.due_at_ms, now_ms)._asdict()
                about = {"batch_number": batch.number, "impact": impact}
            told = {"severity": severity, "step": place, **step._asdict(), **about}
            told |= {"acknowledge_by": iso_utc(due_ms), "raised_at": iso_utc(now_ms), "unanswered": False}
            told |= {"acknowledged_by": None, "acknowledged_at": None, "times_raised": body["times_raised"] + 1}
            return {**body, **told}, due_ms

        return change

    async def _step(
        self,
        actor: Actor,
        action: str,
        event: str,
        row: RecordRow,
        change: Callable[[dict[str, Any], int], tuple[dict[str, Any], int]],
        why: str = "",
    ) -> Any:
        """One way of the life; `change` gives the body and the deadline after it."""
        terminal_id = body_of(row)["terminal_id"]

        def decide(now_ms: int) -> Written:
            now = self._row(row.record_id)
            state = LIFE.after(now.state, action)
            body, due_ms = change(body_of(now), now_ms)
            return _told(event, now, record(ESCALATION, now.record_id, now.merchant_id, state, now_ms, body, due_ms))

        subject = _subject(terminal_id, row.merchant_id)
        right = f"escalation.{'raise' if action == 'climb' else action}"
        return await self._desk.act(actor, right, subject, decide, why)

    def _note(self, row: RecordRow) -> None:
        """Keep which terminal has an open one, and its deadline."""
        number = body_of(row)["terminal_no"]
        if LIFE.ended(row.state):
            if self._open.get(number) == row.record_id:
                del self._open[number]
        else:
            self._open[number] = row.record_id
        if row.due_at_ms:
            self._due[row.record_id] = row.due_at_ms
        else:
            self._due.pop(row.record_id, None)

    def _row(self, escalation_id: str) -> RecordRow:
        row = self._registry.records.find(ESCALATION, escalation_id)
        if row is None:
            raise Refused("not_there", f"no escalation {escalation_id}", status=404)
        return row


def escalation_view(row: RecordRow) -> dict[str, Any]:
    """An escalation as the API shows it."""
    body = body_of(row)
    body.pop("terminal_no")
    return {
        "id": row.record_id,
        "state": row.state,
        "possible": [action for action in LIFE.possible(row.state) if action == "acknowledge"],
        "merchant_id": row.merchant_id,
        "changed_at": iso_utc(row.changed_at_ms),
        **body,
    }


def _told(event: str, before: RecordRow | None, after: RecordRow) -> Written:
    view = escalation_view(after)
    told = Told(f"{ESCALATION}.{event}", body_of(after)["terminal_no"], view)
    return Written((after,), (told,), None if before is None else escalation_view(before), view, view)


def _subject(terminal_id: str, merchant_id: str) -> Subject:
    return Subject(f"terminal {terminal_id}", merchant_id)
