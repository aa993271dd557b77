"""One step of one payout: the row before and after it, and the event that tells of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.merchants.desk import Told, Written
from pos_host.money.destination import Destination
from pos_host.money.payout_at_close import ABOVE_MAXIMUM, BELOW_MINIMUM, NO_FEE_RULE, OUT_OF_BALANCE
from pos_host.money.payout_states import PAYOUT

BY_OPERATOR = "held_by_operator"
BELOW_ZERO = "net_below_zero"
"""Why a payout that is due waits: refunds or charges outweigh what else is due to its merchant. It stays with the
payout until that is made, whatever else happens to it."""

UNTIL_REVIEWED = frozenset({OUT_OF_BALANCE, BELOW_MINIMUM, ABOVE_MAXIMUM, NO_FEE_RULE, BY_OPERATOR})
"""Reasons that only a person's release takes away; all others are asked for again."""


class Step(NamedTuple):
    """The row before and after, the type of the event, and what that says besides."""

    before: PayoutRow
    after: PayoutRow
    event: str
    more: dict[str, Any] = {}  # noqa: RUF012 - never changed


def reasons_of(row: PayoutRow) -> list[str]:
    """Why a payout is held, or waits."""
    reasons: list[str] = json.loads(row.reasons)
    return reasons


def lasting(row: PayoutRow) -> list[str]:
    """The reasons that stay when account and terminal are asked again."""
    return [reason for reason in reasons_of(row) if reason in UNTIL_REVIEWED or reason == BELOW_ZERO]


def told(row: PayoutRow) -> dict[str, Any]:
    """What the events of a payout say; by the state `verify` follows it."""
    return {
        "payout_id": row.payout_id,
        "state": row.state,
        "currency": row.currency,
        "net_minor": row.net_minor,
        "business_day": row.business_day,
        "due_day": row.due_day,
        "due_at_ms": row.due_at_ms,
        "reasons": reasons_of(row),
        "account_id": row.account_id,
    }


def written(steps: Iterable[Step]) -> Written:
    """The rows and events of these steps."""
    made = list(steps)
    events = tuple(Told(step.event, step.after.terminal_no, {**told(step.after), **step.more}) for step in made)
    return Written(tuple(step.after for step in made), events)


def made(row: PayoutRow, to: Destination, now_ms: int) -> Step:
    """Paid: to one account, or each line to its own."""
    state = PAYOUT.after(row.state, "make")
    paid = row._replace(state=state, account_id=to.account_id, reasons="[]", changed_at_ms=now_ms)
    more: dict[str, Any] = {"account": to.masked}
    if to.of_lines:
        lines = [{**line, "account_id": of} for line, of in zip(json.loads(row.lines), to.of_lines, strict=True)]
        paid = paid._replace(lines=json.dumps(lines))
        more |= {"lines": lines, "shares": [share._asdict() for share in to.shares]}
    return Step(row, paid, "payout.made", more)


def held(row: PayoutRow, reasons: Sequence[str], now_ms: int) -> Step:
    """Kept back for `reasons` beside those that it had."""
    state = PAYOUT.after(row.state, "hold")
    together = list(dict.fromkeys((*reasons_of(row), *reasons)))
    return Step(row, row._replace(state=state, reasons=json.dumps(together), changed_at_ms=now_ms), "payout.held")


def lifted(row: PayoutRow, reasons: Sequence[str], now_ms: int) -> Step:
    """Still held, for `reasons` alone."""
    state = PAYOUT.after(row.state, "lift")
    return Step(row, row._replace(state=state, reasons=json.dumps(list(reasons)), changed_at_ms=now_ms), "payout.held")


def released(row: PayoutRow, now_ms: int) -> Step:
    """Free again; one that was carried over waits on with what is owed."""
    waits = [reason for reason in reasons_of(row) if reason == BELOW_ZERO]
    free = row._replace(state=PAYOUT.after(row.state, "release"), reasons=json.dumps(waits), changed_at_ms=now_ms)
    return Step(row, free, "payout.released")


def returned(row: PayoutRow, now_ms: int) -> Step:
    """Not paid to its merchant."""
    return Step(row, row._replace(state=PAYOUT.after(row.state, "return"), changed_at_ms=now_ms), "payout.returned")


def carried_over(row: PayoutRow, day: date, at_ms: int, now_ms: int) -> Step:
    """Due again on `day` at `at_ms`."""
    carried = row._replace(
        state=PAYOUT.after(row.state, "carry_over"),
        due_day=day.isoformat(),
        due_at_ms=at_ms,
        reasons=json.dumps([BELOW_ZERO]),
        changed_at_ms=now_ms,
    )
    return Step(row, carried, "payout.carried_over")
