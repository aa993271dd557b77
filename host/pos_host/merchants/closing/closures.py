"""Closing a terminal, or a merchant with all its terminals: applied for, step by step, until nothing is left open.

apply → unfinished business → final settlement → final payout, equipment returned → data wiped → closed
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from pos_host.clock import iso_utc
from pos_host.ledger.book import Book
from pos_host.ledger.merchant import MERCHANT
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of, changed, record
from pos_host.ledger.standing import standing_of
from pos_host.merchants.actors import Actor
from pos_host.merchants.closing.closure_reasons import ClosureReason, reason_named
from pos_host.merchants.closing.closure_states import (
    CLOSURE,
    LIFE,
    STEPS,
    all_done,
    closure_view,
    in_the_way,
    missing_before,
    new_steps,
    step_done,
)
from pos_host.merchants.closing.suspensions import suspension_row
from pos_host.merchants.closing.terminal_states import TERMINAL, Whom, state_of, state_row
from pos_host.merchants.closing.unfinished import MAY_BE_HANDED_OVER, Unfinished, unfinished_of, unfinished_of_merchant
from pos_host.merchants.desk import Desk, Refused, Told, Written
from pos_host.merchants.free_text import plain_text

COMMAND_VALID_MS = 86_400_000
"""A terminal that was away when it was closed may be told within a day; later its own sign-in tells it."""

Command = Callable[[Book, dict[str, Any]], None]
"""Sends a command to a terminal by MQTT."""

JudgePayouts = Callable[[str], Awaitable[None]]
"""Has a merchant's open payouts held or released by what holds now."""


class Application(NamedTuple):
    """What somebody applies with: the reason, the merchant's number and licence as they stand on paper, and why."""

    reason: str
    merchant_id: str
    licence: str = ""
    why: str = ""


class StepTaken(NamedTuple):
    """What is said with a step: a note (where the device is, who wiped it), and the ids of unfinished business that
    somebody takes over, with `taken_over_by` naming who."""

    note: str = ""
    handed_over: Sequence[str] = ()
    taken_over_by: str = ""


class Closures:
    """Everything raises Refused, NotNow, Forbidden or NotKept as `Desk.act` does."""

    def __init__(self, desk: Desk, command: Command, judge_payouts: JudgePayouts) -> None:
        self._desk = desk
        self._registry = desk.registry
        self._command = command
        self._judge_payouts = judge_payouts

    def all(self, merchant_id: str | None = None, state: str | None = None) -> list[dict[str, Any]]:
        """Closures in the order they were applied for, of one merchant or in one state where asked."""
        rows = sorted(self._registry.records.of_kind(CLOSURE, merchant_id), key=lambda row: int(row.record_id))
        return [self._view(row) for row in rows if state in (None, row.state)]

    def latest(self, whom: Whom) -> dict[str, Any]:
        """The latest closure of a terminal or merchant; raises Refused (404) where there was none."""
        rows = self._of(whom)
        if not rows:
            raise Refused("no_closure", f"{whom.name} was never to be closed", status=404)
        return self._view(rows[-1])

    async def apply(self, actor: Actor, whom: Whom, application: Application) -> dict[str, Any]:
        """Begin to close: from now on nothing new is sold. Gives the closure with its unfinished business."""
        reason = reason_named(application.reason)
        why = plain_text("why", application.why, needed=False)

        def decide(now_ms: int) -> Written:
            self._check_papers(whom, application)
            before = state_of(self._registry, whom)
            after = self._state_when_begun(whom, before, reason)
            row = self._new(actor, whom, reason, why, now_ms)
            rows = [row] if after == before else [row, state_row(self._registry, whom, after, now_ms)]
            if reason.suspends and after == "suspended" != before:
                rows.append(suspension_row(whom, reason, actor, why, now_ms))
            told = Told("closure.begun", whom.terminal_no, {"closure_id": row.record_id, "reason": reason.name})
            view = self._view(row, after)
            return Written(tuple(rows), (told,), {"status": before}, view, view)

        answer = await self._act(actor, "closure.apply", whom, decide, why)
        if reason.holds_payouts:
            await self._judge_payouts(whom.merchant_id)
        return answer

    async def withdraw(self, actor: Actor, whom: Whom, why: str) -> dict[str, Any]:
        """Take it back; a terminal that was suspended stays so until it is resumed."""
        why = plain_text("why", why)

        def decide(now_ms: int) -> Written:
            row = self._open(whom)
            closed = changed(row, LIFE.after(row.state, "withdraw"), now_ms)
            before = state_of(self._registry, whom)
            after = whom.life.after(before, "withdraw") if before == "closing" else before
            rows = [closed] if after == before else [closed, state_row(self._registry, whom, after, now_ms)]
            told = Told("closure.withdrawn", whom.terminal_no, {"closure_id": row.record_id, "status": after})
            view = self._view(closed, after)
            return Written(tuple(rows), (told,), self._view(row), view, view)

        return await self._act(actor, "closure.withdraw", whom, decide, why)

    async def take_step(self, actor: Actor, whom: Whom, step: str, taken: StepTaken) -> dict[str, Any]:
        """Take one step; the last one closes. Refused while something is unfinished that must end before it."""
        if step not in STEPS:
            raise Refused("unknown_step", f"no step {step}; steps are {', '.join(STEPS)}", status=404)
        note = plain_text("note", taken.note, needed=False)
        if whom.book is None and self._is_last(whom, step):
            await self._close_terminals(actor, whom)

        def decide(now_ms: int) -> Written:
            row = self._open(whom)
            state, body = LIFE.after(row.state, "take_step"), body_of(row)
            unfinished = self._unfinished(whom, now_ms)
            if step == "unfinished_business":
                body["handed_over"] += _handed_over(taken, unfinished, now_ms)
            _refuse_untimely(body, step, unfinished)
            body["steps"][step] = step_done(actor.name, note, now_ms)
            event = {"closure_id": row.record_id, "step": step}
            told = [Told("closure.step_taken", whom.terminal_no, event)]
            if not all_done(body):
                after = changed(row, state, now_ms, body)
                view = self._view(after)
                return Written((after,), tuple(told), self._view(row), view, view)
            return self._closed(whom, row, body, unfinished, told, now_ms)

        answer = await self._act(actor, "closure.take_step", whom, decide, note)
        if answer["state"] == "closed" and whom.book is not None:
            self.tell_terminal(whom.book, answer["reason"])
        return answer

    def tell_terminal(self, book: Book, reason: str) -> None:
        """The command by which a terminal learns that it is closed."""
        now_ms = self._desk.clock.now_ms()
        command_id = f"closed-{book.terminal_no}-{now_ms}"
        expires_at = iso_utc(now_ms + COMMAND_VALID_MS)
        self._command(book, {"command": "closed", "id": command_id, "expires_at": expires_at, "reason": reason})

    def new_or_open(self, actor: Actor, whom: Whom, reason: ClosureReason, why: str, now_ms: int) -> RecordRow:
        """The closure under way, or the row of a new one, for somebody who goes on with it in a commit of his own."""
        rows = [row for row in self._of(whom) if not LIFE.ended(row.state)]
        return rows[-1] if rows else self._new(actor, whom, reason, why, now_ms)

    # -- closing

    def _closed(
        self,
        whom: Whom,
        row: RecordRow,
        body: dict[str, Any],
        unfinished: list[Unfinished],
        told: list[Told],
        now_ms: int,
    ) -> Written:
        """All steps are done: close, unless something came in since its step was taken."""
        _refuse_unfinished(list(dict.fromkeys(thing for step in STEPS for thing in in_the_way(body, unfinished, step))))
        before = state_of(self._registry, whom)
        after = before if before == "closed" else whom.life.after(before, "close")
        if whom.book is not None:
            body["closed_after"] = whom.book.last_sequence
        body["closed_at"] = iso_utc(now_ms)
        body["notices"].append(_notice("closed", whom, now_ms))
        closed = changed(row, LIFE.after(row.state, "close"), now_ms, body)
        rows = [closed] if after == before else [closed, state_row(self._registry, whom, after, now_ms)]
        event = "terminal.closed" if whom.book is not None else "merchant.closed"
        told.append(Told(event, whom.terminal_no, {"closure_id": row.record_id, "reason": body["reason"]}))
        view = self._view(closed, after)
        return Written(tuple(rows), tuple(told), self._view(row), view, view)

    async def _close_terminals(self, actor: Actor, whom: Whom) -> None:
        """Before a merchant closes its terminals do, each in its own turn; done again after a crash it goes on."""
        reason = body_of(self._open(whom))["reason"]
        for book in self._registry.of_merchant(whom.merchant_id):
            if book.status != "closed":
                mine = Whom(whom.merchant_id, book)
                await self._act(actor, "closure.close_terminal", mine, self._closing_terminal(mine, reason), "")
                self.tell_terminal(book, reason)

    def _closing_terminal(self, whom: Whom, reason: str) -> Callable[[int], Written]:
        def decide(now_ms: int) -> Written:
            book = whom.book
            if book is None or book.status == "closed":
                return Written(answer={})
            everything = Whom(whom.merchant_id)
            merchant = self._open(everything)
            LIFE.after(merchant.state, "close")
            body = body_of(merchant)
            unfinished = self._unfinished(everything, now_ms)  # or the first would be closed and the second stand open
            _refuse_unfinished([thing for step in STEPS for thing in in_the_way(body, unfinished, step)])
            state = TERMINAL.after(standing_of(book), "close")
            own = [
                changed(row, LIFE.after(row.state, "close"), now_ms, {**body_of(row), "closed_at": iso_utc(now_ms)})
                for row in self._of(whom)
                if not LIFE.ended(row.state)
            ]
            told = Told("terminal.closed", book.terminal_no, {"closure_id": merchant.record_id, "reason": reason})
            rows = (*own, state_row(self._registry, whom, state, now_ms))
            return Written(rows, (told,), {"status": book.status}, {"status": state}, {})

        return decide

    def _is_last(self, whom: Whom, step: str) -> bool:
        """Whether nothing but this step is left of a closure that goes on."""
        rows = [row for row in self._of(whom) if not LIFE.ended(row.state)]
        left = [name for row in rows for name, told in body_of(row)["steps"].items() if not told["done"]]
        return left == [step]

    # -- within

    def _check_papers(self, whom: Whom, application: Application) -> None:
        """What stands on the application against what is on record; neither is repeated in the refusal."""
        open_ones = [row for row in self._of(whom) if not LIFE.ended(row.state)]
        if open_ones:
            text = f"closure {open_ones[-1].record_id} of {whom.name} is {open_ones[-1].state} already"
            raise Refused("closure_open", text, closure_id=open_ones[-1].record_id)
        if application.merchant_id != whom.merchant_id:
            raise Refused("merchant_differs", f"merchant_id: is not the merchant of {whom.name}", status=422)
        kept = self._registry.records.find(MERCHANT, whom.merchant_id)
        licence = "" if kept is None else str(body_of(kept).get("licence_number", ""))
        if licence and application.licence != licence:
            raise Refused("licence_differs", "licence: is not the one on the merchant's record", status=422)

    def _state_when_begun(self, whom: Whom, before: str, reason: ClosureReason) -> str:
        """A violation suspends; what is suspended already stays so, and says so as well as a closing would."""
        if before == "suspended":
            return before
        return whom.life.after(before, "suspend" if reason.suspends else "begin_closing")

    def _new(self, actor: Actor, whom: Whom, reason: ClosureReason, why: str, now_ms: int) -> RecordRow:
        body = {
            "scope": "merchant" if whom.book is None else "terminal",
            "terminal_no": whom.terminal_no,
            "terminal_id": None if whom.book is None else whom.book.terminal_id,
            "reason": reason.name,
            "reason_text": reason.text,
            "why": why,
            "applied_by": actor.name,
            "applied_at": iso_utc(now_ms),
            "status_before": state_of(self._registry, whom),
            "replaced_by": None,
            "found": [thing.view() for thing in self._unfinished(whom, now_ms)],
            "handed_over": [],
            "steps": new_steps(),
            "notices": [_notice("closing", whom, now_ms)],
            "closed_at": None,
            "closed_after": 0,
        }
        number = self._registry.records.next_id(CLOSURE)
        return record(CLOSURE, number, whom.merchant_id, LIFE.initial, now_ms, body)

    def _unfinished(self, whom: Whom, now_ms: int) -> list[Unfinished]:
        if whom.book is None:
            return unfinished_of_merchant(self._registry, whom.merchant_id, now_ms)
        return unfinished_of(self._registry, whom.book, now_ms)

    def _of(self, whom: Whom) -> list[RecordRow]:
        """Its closures, the latest last."""
        rows = self._registry.records.of_kind(CLOSURE, whom.merchant_id)
        mine = [row for row in rows if body_of(row)["terminal_no"] == whom.terminal_no]
        return sorted(mine, key=lambda row: int(row.record_id))

    def _open(self, whom: Whom) -> RecordRow:
        """The latest closure of it; one that has ended refuses every action by its life. Raises Refused (404)."""
        rows = self._of(whom)
        if not rows:
            raise Refused("no_closure", f"{whom.name} is not to be closed", status=404)
        return rows[-1]

    def _view(self, row: RecordRow, status: str | None = None) -> dict[str, Any]:
        body = body_of(row)
        whom = Whom(row.merchant_id, self._registry.of_no(body["terminal_no"]))
        unfinished = self._unfinished(whom, self._desk.clock.now_ms())
        return closure_view(row, status or state_of(self._registry, whom), unfinished)

    async def _act(self, actor: Actor, action: str, whom: Whom, decide: Any, why: str) -> dict[str, Any]:
        answer: dict[str, Any] = await self._desk.act(actor, action, whom.subject(), decide, why)
        return answer


def _refuse_untimely(body: dict[str, Any], step: str, unfinished: list[Unfinished]) -> None:
    if body["steps"][step]["done"]:
        raise Refused("step_taken", f"{step} was taken at {body['steps'][step]['at']}")
    missing = missing_before(body, step)
    if missing:
        raise Refused("step_too_early", f"{step} comes after {', '.join(missing)}", waits_for=missing)
    _refuse_unfinished(in_the_way(body, unfinished, step))


def _refuse_unfinished(things: list[Unfinished]) -> None:
    if things:
        named = "; ".join(f"{thing.concerns}: {thing.remedy}" for thing in things[:3])
        more = f"; and {len(things) - 3} more" if len(things) > 3 else ""
        text = f"{len(things)} unfinished: {named}{more}"
        raise Refused("unfinished_business", text, unfinished=[thing.view() for thing in things])


def _handed_over(taken: StepTaken, unfinished: list[Unfinished], now_ms: int) -> list[dict[str, Any]]:
    """What somebody takes over; raises Refused (422) for what is not there, cannot be, or nobody takes."""
    if not taken.handed_over:
        return []
    by = plain_text("taken_over_by", taken.taken_over_by)
    known = {thing.id: thing for thing in unfinished if thing.kind in MAY_BE_HANDED_OVER}
    for thing_id in taken.handed_over:
        if thing_id not in known:
            raise Refused("not_to_hand_over", "handed_over: names what is not unfinished or cannot be", status=422)
    return [{**known[thing_id].view(), "to": by, "at": iso_utc(now_ms)} for thing_id in taken.handed_over]


def _notice(what: str, whom: Whom, now_ms: int) -> dict[str, Any]:
    """A notice to the merchant: it goes out as the event of the same commit, and a terminal is told by a command."""
    return {"notice": what, "about": whom.name, "to": whom.merchant_id, "at": iso_utc(now_ms)}
