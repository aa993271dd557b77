"""The paths of payouts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query

from pos_host.admin.answers import Page
from pos_host.admin.api_router import api_router
from pos_host.admin.business_days import AskedDay
from pos_host.admin.payout_models import Payout, PayoutState, Why
from pos_host.admin.queries import NUMBER_MOST, PAGE, Cursor, Limit, Of, TheActor, TheOffice
from pos_host.merchants.desk import Refused

router = api_router("payouts")

Json = dict[str, Any]
PayoutId = Annotated[int, Path(ge=1, le=NUMBER_MOST, description="`id` of a payout", examples=[100001])]


@router.get("/payouts", response_model=Page[Payout])
async def payouts(
    office: TheOffice,
    cursor: Cursor,
    day: AskedDay,
    limit: Limit = PAGE,
    merchant_id: Of = None,
    terminal_id: Annotated[str | None, Query(description="only what this terminal's batches pay")] = None,
    state: Annotated[PayoutState | None, Query(description="only those in this state")] = None,
) -> Json:
    """Payouts by number; the cursor is the last one's."""
    where: dict[str, str | int] = {}
    if merchant_id is not None:
        where["merchant_id"] = merchant_id
    if terminal_id is not None:
        where["terminal_no"] = office.book(terminal_id, merchant_id).terminal_no
    if state is not None:
        where["state"] = state
    if day is not None:
        where["business_day"] = day.isoformat()
    service = office.parts.payouts
    rows = await service.page(where, cursor, limit + 1)
    following = str(rows[limit - 1].payout_id) if len(rows) > limit else None
    return {"items": [service.view(row) for row in rows[:limit]], "next_cursor": following}


@router.get("/payouts/{payout_id}", response_model=Payout)
async def payout(office: TheOffice, payout_id: PayoutId, merchant_id: Of = None) -> Json:
    """One payout."""
    row = await office.parts.payouts.find(payout_id)
    if merchant_id not in (None, row.merchant_id):
        raise Refused("payout_not_found", f"no payout {payout_id} of merchant {merchant_id}", status=404)
    return office.parts.payouts.view(row)


@router.post("/payouts/{payout_id}/hold", response_model=Payout)
async def hold(office: TheOffice, actor: TheActor, payout_id: PayoutId, given: Why) -> Json:
    """Keep a payout back until somebody releases it."""
    return await office.parts.payouts.hold(actor, payout_id, given.why)


@router.post("/payouts/{payout_id}/release", response_model=Payout)
async def release(office: TheOffice, actor: TheActor, payout_id: PayoutId, given: Why) -> Json:
    """Let a held payout go on, as after a review; 409 while the account or the terminal still holds it."""
    return await office.parts.payouts.release(actor, payout_id, given.why)


@router.post("/payouts/{payout_id}/return", response_model=Payout)
async def give_back(office: TheOffice, actor: TheActor, payout_id: PayoutId, given: Why) -> Json:
    """End a held payout that its merchant does not get."""
    return await office.parts.payouts.give_back(actor, payout_id, given.why)
