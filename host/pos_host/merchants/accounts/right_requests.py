"""A right that somebody lacks: asked for with a reason, granted by somebody else, for a limited time."""

from __future__ import annotations

from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of, record
from pos_host.merchants.accounts.change_history import find_change, history_view, step, stepped
from pos_host.merchants.actors import HOST, Actor, may, needed_role
from pos_host.merchants.desk import Desk, Forbidden, Refused, Subject, Told, Written
from pos_host.merchants.four_eyes import check_other_person, same_person
from pos_host.merchants.free_text import plain_text
from pos_host.merchants.lives import Life
from pos_host.settlement.durations import DurationError, duration_ms

RIGHT_REQUEST = "right_request"

RIGHT_REQUEST_LIFE = Life(
    "right_request",
    "requested",
    {
        "requested": {"grant": "granted", "refuse": "refused", "withdraw": "withdrawn"},
        "granted": {"revoke": "revoked", "end": "expired"},
        "refused": {},
        "withdrawn": {},
        "revoked": {},
        "expired": {},
    },
)

LONGEST_MS = 30 * 86_400_000
"""A right for longer than a month is a role, which an administrator gives."""

MAY_BE_GRANTED = ("operator", "reviewer")
"""Least roles of the actions that can be granted: what needs an administrator, or is the host's own, cannot."""


class RightRequests:
    """All requests for rights. Its `granted` is what the desk asks."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        desk.granted = self.granted

    def granted(self, actor: Actor, action: str, merchant_id: str, now_ms: int) -> bool:
        """Whether the actor has been given the right to `action` for that merchant, and has it still."""
        rows = self._desk.records.of_kind(RIGHT_REQUEST, merchant_id)
        return any(
            row.state == "granted"
            and now_ms < row.due_at_ms
            and body_of(row)["action"] == action
            and body_of(row)["requested_by"] == actor.name
            for row in rows
        )

    async def request(self, actor: Actor, merchant_id: str, action: str, lasting: str, reason: str) -> dict[str, Any]:
        """Ask for the right to `action` for one merchant, `lasting` an ISO 8601 duration; gives the request."""

        def decide(now_ms: int) -> Written:
            if not self._desk.registry.knows_merchant(merchant_id):
                raise Refused("no_such_merchant", f"merchant {merchant_id} is not known", status=404)
            if needed_role(action) not in MAY_BE_GRANTED:
                raise Refused("no_such_right", "action: must be an action that can be granted", status=422)
            if self._desk.allows(actor, action, merchant_id):
                raise Refused("has_right", f"{actor.name} has the right to {action} already")
            body = {
                "action": action,
                "lasting_ms": _lasting_ms(lasting),
                "reason": plain_text("reason", reason),
                "requested_by": actor.name,
                "history": [step("request", actor.name, "requested", now_ms)],
            }
            number = self._desk.records.next_id(RIGHT_REQUEST)
            return self._written("requested", record(RIGHT_REQUEST, number, merchant_id, "requested", now_ms, body))

        return await self._act(actor, "request", Subject("right request", merchant_id), decide)

    async def decide(self, actor: Actor, merchant_id: str, number: str, way: str, why: str = "") -> dict[str, Any]:
        """`grant`, `refuse`, `revoke` or `withdraw` a request.

        Whoever decides is somebody else and may do the action without a grant; only the asker withdraws.
        """

        def decide(now_ms: int) -> Written:
            row = find_change(self._desk.records, RIGHT_REQUEST, merchant_id, number)
            body = body_of(row)
            extra: dict[str, Any] = {"why": plain_text("why", why, needed=False)}
            until_ms = now_ms + body["lasting_ms"] if way == "grant" else 0
            if way == "withdraw":
                _check_asker(actor, body["requested_by"])
            else:
                check_other_person(actor, [body["requested_by"]], "deciding on a right")
                _check_has(actor, body["action"])
                extra["decided_by"] = actor.name
            moved = stepped(RIGHT_REQUEST_LIFE, row, way, actor.name, now_ms, extra, due_at_ms=until_ms)
            return self._written(_PAST[way], moved, row)

        return await self._act(actor, way, _subject(merchant_id, number), decide, why)

    def of_merchant(self, merchant_id: str) -> list[dict[str, Any]]:
        """Views of the requests for a merchant, the oldest first."""
        return [self.view(row) for row in self._desk.records.of_kind(RIGHT_REQUEST, merchant_id)]

    def view(self, row: RecordRow) -> dict[str, Any]:
        body = body_of(row)
        return {
            "request_id": row.record_id,
            "merchant_id": row.merchant_id,
            "state": row.state,
            "action": body["action"],
            "reason": body["reason"],
            "requested_by": body["requested_by"],
            "decided_by": body.get("decided_by"),
            "until": iso_utc(row.due_at_ms) or None,
            "history": history_view(body),
        }

    def next_due_ms(self) -> int | None:
        """When the first right that was granted ends."""
        due = [row.due_at_ms for row in self._desk.records.of_kind(RIGHT_REQUEST) if row.due_at_ms]
        return min(due, default=None)

    async def act_on_due(self, now_ms: int) -> None:
        """End the rights whose time is over; none of them has counted since."""
        for row in self._desk.records.of_kind(RIGHT_REQUEST):
            if row.due_at_ms and row.due_at_ms <= now_ms:
                await self._act(HOST, "end", _subject(row.merchant_id, row.record_id), self._ending(row))

    def _ending(self, row: RecordRow) -> Any:
        def decide(now_ms: int) -> Written:
            return self._written("ended", stepped(RIGHT_REQUEST_LIFE, row, "end", HOST.name, now_ms, {}), row)

        return decide

    def _written(self, what: str, row: RecordRow, before: RecordRow | None = None) -> Written:
        body = body_of(row)
        data = {"request_id": row.record_id, "state": row.state, "right": body["action"]}
        trail = {**data, "requested_by": body["requested_by"]}
        earlier = None if before is None else {**trail, "state": before.state}
        told = (Told(f"right.{what}", 0, data),)
        return Written((row,), told, before=earlier, after=trail, answer=row.record_id)

    async def _act(self, actor: Actor, way: str, subject: Subject, decide: Any, why: str = "") -> dict[str, Any]:
        number = await self._desk.act(actor, f"right.{way}", subject, decide, plain_text("why", why, needed=False))
        return self.view(find_change(self._desk.records, RIGHT_REQUEST, subject.merchant_id, number))


_PAST = {"grant": "granted", "refuse": "refused", "revoke": "revoked", "withdraw": "withdrawn"}


def _lasting_ms(text: str) -> int:
    try:
        lasting_ms = duration_ms(text)
    except DurationError:
        lasting_ms = 0
    if not 0 < lasting_ms <= LONGEST_MS:
        raise Refused("invalid_duration", "lasting: must be a duration up to P30D, such as PT4H", status=422)
    return lasting_ms


def _check_asker(actor: Actor, asker: str) -> None:
    if not same_person(actor.name, asker):
        raise Forbidden("forbidden", "only who asked for a right withdraws the request")


def _check_has(actor: Actor, action: str) -> None:
    if not may(actor, action):
        raise Forbidden("forbidden", f"{actor.name} has no right to {action} to give or take")


def _subject(merchant_id: str, number: str) -> Subject:
    return Subject(f"right request {number}", merchant_id)
