"""A closure's life and its steps: what is to be done, in which order, and what must be ended before each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of
from pos_host.merchants.closing.unfinished import AUTHORISATION, BATCH, PAYOUT, UNDELIVERED, UPLOAD, Unfinished
from pos_host.merchants.lives import Life

CLOSURE = "closure"
"""Kind of its records; ids are counted."""

LIFE = Life(
    CLOSURE,
    "closing",
    {
        # the steps are taken, in their order; the last one closes
        "closing": {"take_step": "closing", "close": "closed", "withdraw": "withdrawn", "replace": "replaced"},
        # another terminal has taken its place: what is left is the equipment, and the payouts
        "replaced": {"take_step": "replaced", "close": "closed"},
        "closed": {},
        "withdrawn": {},
    },
)

STEPS: Mapping[str, tuple[str, ...]] = {
    "unfinished_business": (),
    "final_settlement": ("unfinished_business",),
    "final_payout": ("final_settlement",),
    "equipment_returned": ("final_settlement",),
    "data_wiped": ("equipment_returned",),
}
"""The steps, and which must be done before each: a device that still holds records is not given away."""

ENDED_BEFORE: Mapping[str, frozenset[str]] = {
    "unfinished_business": frozenset({UPLOAD, UNDELIVERED, AUTHORISATION}),
    "final_settlement": frozenset({BATCH}),
    "final_payout": frozenset({PAYOUT}),
    "equipment_returned": frozenset(),
    "data_wiped": frozenset(),
}
"""Kinds of unfinished business of which nothing may be left when a step is taken."""

DONE_BY_REPLACEMENT = ("unfinished_business", "final_settlement")
"""Steps that are done once another terminal has taken the place of one."""


def new_steps() -> dict[str, dict[str, Any]]:
    """The steps of a closure that begins."""
    return {step: {"done": False, "at": None, "by": None, "note": ""} for step in STEPS}


def step_done(by: str, note: str, now_ms: int) -> dict[str, Any]:
    """A step that somebody took."""
    return {"done": True, "at": iso_utc(now_ms), "by": by, "note": note}


def in_the_way(body: dict[str, Any], unfinished: Iterable[Unfinished], step: str) -> list[Unfinished]:
    """What must be ended before a step, without what somebody took over."""
    taken = {item["id"] for item in body["handed_over"]}
    return [thing for thing in unfinished if thing.kind in ENDED_BEFORE[step] and thing.id not in taken]


def missing_before(body: dict[str, Any], step: str) -> list[str]:
    """Steps that must be done before this one and are not."""
    return [before for before in STEPS[step] if not body["steps"][before]["done"]]


def all_done(body: dict[str, Any]) -> bool:
    """Whether nothing is left but to close."""
    return all(step["done"] for step in body["steps"].values())


def closure_view(row: RecordRow, status: str, unfinished: list[Unfinished]) -> dict[str, Any]:
    """A closure as the API shows it, with what is unfinished now; `status` is how its terminal or merchant stands."""
    body = body_of(row)
    steps = body.pop("steps")
    over = LIFE.ended(row.state)
    return {
        "id": row.record_id,
        "state": row.state,
        "possible": list(LIFE.possible(row.state)),
        "merchant_id": row.merchant_id,
        **{name: value for name, value in body.items() if name not in ("terminal_no", "closed_after")},
        "status": status,
        "steps": [_step_view(name, body, steps, unfinished, over=over) for name in STEPS],
        "unfinished": [] if over else [thing.view() for thing in unfinished],
        "changed_at": iso_utc(row.changed_at_ms),
    }


def _step_view(
    name: str, body: dict[str, Any], steps: dict[str, Any], unfinished: list[Unfinished], *, over: bool
) -> dict[str, Any]:
    step = steps[name]
    waits_for = [before for before in STEPS[name] if not steps[before]["done"]]
    blocked = [] if step["done"] or over else [thing.id for thing in in_the_way(body, unfinished, name)]
    state = "done" if step["done"] else "waiting" if waits_for or blocked or over else "possible"
    told = {key: value for key, value in step.items() if key != "done"}
    return {"step": name, "state": state, **told, "waits_for": waits_for, "unfinished": blocked}
