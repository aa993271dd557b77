"""Suspending a terminal or merchant, and letting it go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of, changed, record
from pos_host.merchants.actors import Actor
from pos_host.merchants.closing.closure_reasons import ClosureReason, reason_named
from pos_host.merchants.closing.closure_states import CLOSURE, LIFE
from pos_host.merchants.closing.terminal_states import SUSPENSION, Whom, state_of, state_row, suspension_of
from pos_host.merchants.desk import Desk, Told, Written
from pos_host.merchants.free_text import plain_text


class Suspensions:
    """Everything raises Refused, NotNow, Forbidden or NotKept as `Desk.act` does; `judge_payouts` holds or releases a
    merchant's payouts by what holds afterwards."""

    def __init__(self, desk: Desk, judge_payouts: Callable[[str], Awaitable[None]]) -> None:
        self._desk = desk
        self._registry = desk.registry
        self._judge_payouts = judge_payouts

    async def suspend(self, actor: Actor, whom: Whom, reason_name: str, why: str) -> dict[str, Any]:
        """Stop new sales at once; payouts are held where the reason says so. Gives how it stands."""
        reason, why = reason_named(reason_name), plain_text("why", why)

        def decide(now_ms: int) -> Written:
            before = state_of(self._registry, whom)
            after = whom.life.after(before, "suspend")
            row = suspension_row(whom, reason, actor, why, now_ms)
            told = Told(f"{_thing(whom)}.suspended", whom.terminal_no, {"reason": reason.name})
            return self._written(whom, before, after, row, told, now_ms)

        return await self._act(actor, "suspend", whom, decide, why)

    async def resume(self, actor: Actor, whom: Whom, why: str) -> dict[str, Any]:
        """Let it sell again, or where its closure goes on, go on with that; payouts held for it are released."""
        why = plain_text("why", why)

        def decide(now_ms: int) -> Written:
            before = state_of(self._registry, whom)
            after = whom.life.after(before, "go_on_closing" if self._is_closing(whom) else "resume")
            kept = suspension_of(self._registry, whom)
            row = None if kept is None else changed(kept, "ended", now_ms)
            told = Told(f"{_thing(whom)}.resumed", whom.terminal_no, {"status": after})
            return self._written(whom, before, after, row, told, now_ms)

        return await self._act(actor, "resume", whom, decide, why)

    def _is_closing(self, whom: Whom) -> bool:
        rows = self._registry.records.of_kind(CLOSURE, whom.merchant_id)
        return any(body_of(row)["terminal_no"] == whom.terminal_no and not LIFE.ended(row.state) for row in rows)

    def _written(self, whom: Whom, before: str, after: str, row: RecordRow | None, told: Told, now_ms: int) -> Written:
        rows = (state_row(self._registry, whom, after, now_ms), *([] if row is None else [row]))
        view = {
            "merchant_id": whom.merchant_id,
            "terminal_id": None if whom.book is None else whom.book.terminal_id,
            "status": after,
            "possible": list(whom.life.possible(after)),
            "suspension": None if row is None or after != "suspended" else body_of(row),
        }
        return Written(rows, (told,), {"status": before}, {"status": after}, view)

    async def _act(self, actor: Actor, verb: str, whom: Whom, decide: Any, why: str) -> dict[str, Any]:
        action = f"{_thing(whom)}.{verb}"
        judged = partial(self._judge_payouts, whom.merchant_id)
        answer: dict[str, Any] = await self._desk.act(actor, action, whom.subject(), decide, why, judged)
        return answer


def suspension_row(whom: Whom, reason: ClosureReason, actor: Actor, why: str, now_ms: int) -> RecordRow:
    """The record of why it is suspended."""
    body = {
        "reason": reason.name,
        "reason_text": reason.text,
        "holds_payouts": reason.holds_payouts,
        "why": why,
        "by": actor.name,
        "since": iso_utc(now_ms),
    }
    return record(SUSPENSION, whom.record_id, whom.merchant_id, "suspended", now_ms, body)


def _thing(whom: Whom) -> str:
    return "merchant" if whom.book is None else "terminal"
