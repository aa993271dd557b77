"""The paths of suspensions, reopenings and replacements."""

from __future__ import annotations

from typing import Any

from pos_host.admin.answers import Page
from pos_host.admin.api_router import api_router
from pos_host.admin.closure_models import (
    NewReplacement,
    Reason,
    Reopening,
    Replacement,
    Review,
    Standing,
    Suspension,
)
from pos_host.admin.pages import page_of
from pos_host.admin.queries import PAGE, Cursor, Limit, Merchant, TheActor, TheOffice
from pos_host.admin.whom import TheMerchant, TheTerminal
from pos_host.merchants.desk import Refused

router = api_router("suspensions, reopenings, replacements")

Json = dict[str, Any]
TERMINAL, MERCHANT = "/terminals/{tid:path}", "/merchants/{mid:path}"


@router.post(TERMINAL + "/suspend", response_model=Standing)
async def suspend(office: TheOffice, actor: TheActor, whom: TheTerminal, given: Suspension) -> Json:
    """Stop a terminal's sales at once; for a violation its payouts are held."""
    return await office.parts.endings.suspensions.suspend(actor, whom, given.reason, given.why)


@router.post(TERMINAL + "/resume", response_model=Standing)
async def resume(office: TheOffice, actor: TheActor, whom: TheTerminal, given: Reason) -> Json:
    """Let a suspended terminal go on; payouts held for it are released."""
    return await office.parts.endings.suspensions.resume(actor, whom, given.why)


@router.post(MERCHANT + "/suspend", response_model=Standing)
async def suspend_merchant(office: TheOffice, actor: TheActor, whom: TheMerchant, given: Suspension) -> Json:
    """Stop the sales of all terminals of a merchant at once."""
    return await office.parts.endings.suspensions.suspend(actor, whom, given.reason, given.why)


@router.post(MERCHANT + "/resume", response_model=Standing)
async def resume_merchant(office: TheOffice, actor: TheActor, whom: TheMerchant, given: Reason) -> Json:
    """Let a suspended merchant go on."""
    return await office.parts.endings.suspensions.resume(actor, whom, given.why)


@router.post(TERMINAL + "/reopen/approve", response_model=Reopening)
async def approve(office: TheOffice, actor: TheActor, whom: TheTerminal, review: Review | None = None) -> Json:
    """Open a terminal again; not by who applied for it. It begins with a sign-in and a new batch number."""
    return await office.parts.endings.reopenings.approve(actor, whom, _why(review))


@router.post(TERMINAL + "/reopen/reject", response_model=Reopening)
async def reject(office: TheOffice, actor: TheActor, whom: TheTerminal, given: Reason) -> Json:
    """Leave a terminal closed; not by who applied for its reopening."""
    return await office.parts.endings.reopenings.reject(actor, whom, given.why)


@router.post(TERMINAL + "/reopen/withdraw", response_model=Reopening)
async def withdraw(office: TheOffice, actor: TheActor, whom: TheTerminal, review: Review | None = None) -> Json:
    """Take the application for a reopening back."""
    return await office.parts.endings.reopenings.withdraw(actor, whom, _why(review))


@router.post(TERMINAL + "/reopen", response_model=Reopening)
async def request(office: TheOffice, actor: TheActor, whom: TheTerminal, given: Reason) -> Json:
    """Apply for the reopening of a closed terminal."""
    return await office.parts.endings.reopenings.request(actor, whom, given.why)


@router.get(TERMINAL + "/reopen", response_model=Reopening)
async def latest(office: TheOffice, whom: TheTerminal) -> Json:
    """The latest reopening of a terminal."""
    return office.parts.endings.reopenings.latest(whom)


@router.post(MERCHANT + "/reopen/approve", response_model=Reopening)
async def approve_merchants(
    office: TheOffice, actor: TheActor, whom: TheMerchant, review: Review | None = None
) -> Json:
    """Open a merchant again; its terminals stay closed, each is reopened by itself."""
    return await office.parts.endings.reopenings.approve(actor, whom, _why(review))


@router.post(MERCHANT + "/reopen/reject", response_model=Reopening)
async def reject_merchants(office: TheOffice, actor: TheActor, whom: TheMerchant, given: Reason) -> Json:
    """Leave a merchant closed."""
    return await office.parts.endings.reopenings.reject(actor, whom, given.why)


@router.post(MERCHANT + "/reopen/withdraw", response_model=Reopening)
async def withdraw_merchants(
    office: TheOffice, actor: TheActor, whom: TheMerchant, review: Review | None = None
) -> Json:
    """Take the application for a merchant's reopening back."""
    return await office.parts.endings.reopenings.withdraw(actor, whom, _why(review))


@router.post(MERCHANT + "/reopen", response_model=Reopening)
async def request_for_merchant(office: TheOffice, actor: TheActor, whom: TheMerchant, given: Reason) -> Json:
    """Apply for the reopening of a closed merchant."""
    return await office.parts.endings.reopenings.request(actor, whom, given.why)


@router.get(MERCHANT + "/reopen", response_model=Reopening)
async def latest_of_merchant(office: TheOffice, whom: TheMerchant) -> Json:
    """The latest reopening of a merchant."""
    return office.parts.endings.reopenings.latest(whom)


@router.post(TERMINAL + "/replacement", response_model=Replacement)
async def replace(office: TheOffice, actor: TheActor, whom: TheTerminal, given: NewReplacement) -> Json:
    """Have another terminal take this one's place: the host settles its batch, and the new one goes on after it."""
    if whom.book is None:
        raise Refused("not_there", f"no {whom.name}", status=404)
    replacements = office.parts.endings.replacements
    return await replacements.replace(actor, whom.book, given.new_terminal_id, given.reason, given.why)


@router.get("/replacements", response_model=Page[Replacement])
async def replacements(office: TheOffice, cursor: Cursor, limit: Limit = PAGE, merchant_id: Merchant = None) -> Json:
    """All replacements, in the order they were made."""
    return page_of(office.parts.endings.replacements.all(merchant_id), limit, cursor)


def _why(review: Review | None) -> str:
    return "" if review is None else review.why
