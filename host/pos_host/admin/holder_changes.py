"""The paths of settlement holders and of what changes them."""

from __future__ import annotations

from typing import Any

from pos_host.admin.account_models import Because, Blocker, Number, RefusalReasons, Why
from pos_host.admin.answers import Page
from pos_host.admin.api_router import api_router
from pos_host.admin.holder_models import (
    Evaluation,
    Holder,
    HolderChange,
    HolderChangeAsked,
    HolderGiven,
    HolderToken,
)
from pos_host.admin.merchants import Mid
from pos_host.admin.pages import page_of
from pos_host.admin.queries import PAGE, Cursor, Limit, TheActor, TheOffice

router = api_router("settlement holders")

Json = dict[str, Any]
HOLDERS = "/merchants/{mid:path}/settlement-holders"
CHANGES = "/merchants/{mid:path}/settlement-holder-changes"


@router.get(HOLDERS, response_model=Page[Holder])
async def holders(office: TheOffice, mid: Mid, cursor: Cursor, limit: Limit = PAGE) -> Json:
    """A merchant's settlement holders, former ones among them, the oldest first."""
    return page_of(office.parts.details.holders.of_merchant(mid), limit, cursor)


@router.post(HOLDERS, response_model=Holder)
async def record_holder(office: TheOffice, actor: TheActor, mid: Mid, given: HolderGiven) -> Json:
    """Enter the holder a merchant begins with; 409 where it has one."""
    return await office.parts.details.holders.record_first(actor, mid, given.given())


@router.get(CHANGES + "/blockers", response_model=Page[Blocker])
async def blockers(office: TheOffice, actor: TheActor, mid: Mid) -> Json:
    """Every reason why the settlement holder cannot be changed now."""
    return {"items": office.parts.details.holder_changes.blockers(actor, mid), "next_cursor": None}


@router.get(CHANGES, response_model=Page[HolderChange])
async def changes(office: TheOffice, mid: Mid, cursor: Cursor, limit: Limit = PAGE) -> Json:
    """A merchant's changes, the oldest first."""
    return page_of(office.parts.details.holder_changes.of_merchant(mid), limit, cursor)


@router.post(CHANGES, response_model=HolderChange)
async def apply(office: TheOffice, actor: TheActor, mid: Mid, asked: HolderChangeAsked) -> Json:
    """Apply for a new holder; 409 `blocked` tells every reason at once in `blockers`."""
    return await office.parts.details.holder_changes.apply(actor, mid, asked.asked())


@router.get(CHANGES + "/{number}", response_model=HolderChange)
async def change(office: TheOffice, mid: Mid, number: Number) -> Json:
    """One change."""
    return office.parts.details.holder_changes.show(mid, number)


@router.post(CHANGES + "/{number}/approve", response_model=HolderChange)
async def approve(office: TheOffice, actor: TheActor, mid: Mid, number: Number, why: Why | None = None) -> Json:
    """Agree to a change and give the outgoing holder notice; 403 for who applied, and for the incoming holder."""
    return await office.parts.details.holder_changes.approve(actor, mid, number, _why(why))


@router.post(CHANGES + "/{number}/reject", response_model=HolderChange)
async def reject(office: TheOffice, actor: TheActor, mid: Mid, number: Number, refusal: RefusalReasons) -> Json:
    """Refuse a change, with reasons."""
    return await office.parts.details.holder_changes.reject(actor, mid, number, refusal.reasons)


@router.post(CHANGES + "/{number}/withdraw", response_model=HolderChange)
async def withdraw(office: TheOffice, actor: TheActor, mid: Mid, number: Number, why: Why | None = None) -> Json:
    """Take an application back before it takes effect."""
    return await office.parts.details.holder_changes.withdraw(actor, mid, number, _why(why))


@router.post(CHANGES + "/{number}/confirm-training", response_model=HolderChange)
async def confirm_training(office: TheOffice, actor: TheActor, mid: Mid, number: Number) -> Json:
    """Note that the incoming holder was trained; without it the change takes no effect."""
    return await office.parts.details.holder_changes.confirm_training(actor, mid, number)


@router.post(CHANGES + "/{number}/issue-token", response_model=HolderToken)
async def issue_token(office: TheOffice, actor: TheActor, mid: Mid, number: Number) -> Json:
    """Make the incoming holder's user; its token is told this once."""
    return await office.parts.details.holder_changes.issue_token(actor, mid, number)


@router.post(CHANGES + "/{number}/evaluate", response_model=HolderChange)
async def evaluate(office: TheOffice, actor: TheActor, mid: Mid, number: Number, said: Evaluation) -> Json:
    """Say how a change went once its watch is over; it is archived with its papers."""
    return await office.parts.details.holder_changes.evaluate(actor, mid, number, said.evaluation)


@router.post(CHANGES + "/{number}/roll-back", response_model=HolderChange)
async def roll_back(office: TheOffice, actor: TheActor, mid: Mid, number: Number, because: Because) -> Json:
    """Put the holder before back."""
    return await office.parts.details.holder_changes.roll_back(actor, mid, number, because.why)


def _why(why: Why | None) -> str:
    return "" if why is None else why.why
