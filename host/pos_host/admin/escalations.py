"""The paths of escalations, and of the ladders that say who answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query

from pos_host.admin.answers import Page
from pos_host.admin.api_router import api_router
from pos_host.admin.application_models import Review
from pos_host.admin.escalation_models import Escalation, Ladder, LadderGiven
from pos_host.admin.pages import page_of
from pos_host.admin.queries import PAGE, Cursor, Limit, Merchant, TheActor, TheOffice

router = api_router("escalations")

Json = dict[str, Any]
EscalationId = Annotated[str, Path(pattern="^[0-9]{1,18}$", description="`id` of an escalation", examples=["1"])]
Scope = Annotated[
    str,
    Path(
        min_length=1,
        max_length=64,
        description="`acquirer`, a merchant's number, or merchant/terminal",
        examples=["acquirer"],
    ),
]
State = Literal["raised", "acknowledged", "ended"]


@router.get("/escalations", response_model=Page[Escalation])
async def escalations(
    office: TheOffice,
    cursor: Cursor,
    limit: Limit = PAGE,
    merchant_id: Merchant = None,
    state: Annotated[State | None, Query(description="only those in this state")] = None,
) -> Json:
    """Escalations in the order they were raised; the cursor is a position."""
    return page_of(office.forgotten.escalations.all(merchant_id, state), limit, cursor)


@router.get("/escalations/{escalation_id}", response_model=Escalation)
async def escalation(office: TheOffice, escalation_id: EscalationId) -> Json:
    """One escalation."""
    return office.forgotten.escalations.one(escalation_id)


@router.post("/escalations/{escalation_id}/acknowledge", response_model=Escalation)
async def acknowledge(
    office: TheOffice, actor: TheActor, escalation_id: EscalationId, review: Review | None = None
) -> Json:
    """Take an escalation on: it does not climb any more unless the terminal's flag gets worse."""
    return await office.forgotten.escalations.acknowledge(actor, escalation_id, "" if review is None else review.why)


@router.get("/escalation-ladders/{scope:path}", response_model=Ladder)
async def ladder(office: TheOffice, scope: Scope) -> Json:
    """The ladder that was set for a scope; of the acquirer the shipped one where none was."""
    return office.forgotten.escalations.ladder(scope)


@router.put("/escalation-ladders/{scope:path}", response_model=Ladder)
async def set_ladder(office: TheOffice, actor: TheActor, scope: Scope, given: LadderGiven) -> Json:
    """Set the ladder of a scope, or take it away; the narrowest one that is set holds for a terminal."""
    steps = None if given.ladder is None else given.ladder.model_dump()
    return await office.forgotten.escalations.set_ladder(actor, scope, steps, given.why)
