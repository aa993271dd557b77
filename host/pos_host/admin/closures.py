"""The paths of closures, of terminals and of whole merchants."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query

from pos_host.admin.answers import Page
from pos_host.admin.api_router import api_router
from pos_host.admin.closure_models import Closure, ClosureApplication, ClosureStep, Reason
from pos_host.admin.pages import page_of
from pos_host.admin.queries import PAGE, Cursor, Limit, Merchant, TheActor, TheOffice
from pos_host.admin.whom import TheMerchant, TheTerminal
from pos_host.merchants.closing.closures import Application, StepTaken

router = api_router("closures")

Json = dict[str, Any]
State = Literal["closing", "replaced", "closed", "withdrawn"]
StepName = Annotated[str, Path(description="a step of the closure", examples=["final_settlement"])]
TERMINAL, MERCHANT = "/terminals/{tid:path}/closure", "/merchants/{mid:path}/closure"


@router.get("/closures", response_model=Page[Closure])
async def closures(
    office: TheOffice,
    cursor: Cursor,
    limit: Limit = PAGE,
    merchant_id: Merchant = None,
    state: Annotated[State | None, Query(description="only those in this state")] = None,
) -> Json:
    """All closures, in the order they were applied for."""
    return page_of(office.parts.endings.closures.all(merchant_id, state), limit, cursor)


@router.post(TERMINAL + "/steps/{step}", response_model=Closure)
async def take_step(
    office: TheOffice, actor: TheActor, whom: TheTerminal, step: StepName, taken: ClosureStep | None = None
) -> Json:
    """Take a step; the last one closes the terminal. 409 names what is unfinished."""
    return await office.parts.endings.closures.take_step(actor, whom, step, _taken(taken))


@router.post(TERMINAL + "/withdraw", response_model=Closure)
async def withdraw(office: TheOffice, actor: TheActor, whom: TheTerminal, reason: Reason) -> Json:
    """Take the closure back, while it is not ended."""
    return await office.parts.endings.closures.withdraw(actor, whom, reason.why)


@router.post(TERMINAL, response_model=Closure)
async def apply(office: TheOffice, actor: TheActor, whom: TheTerminal, application: ClosureApplication) -> Json:
    """Begin to close a terminal: from now on it sells nothing. Answers with what is unfinished."""
    return await office.parts.endings.closures.apply(actor, whom, _application(application))


@router.get(TERMINAL, response_model=Closure)
async def latest(office: TheOffice, whom: TheTerminal) -> Json:
    """The latest closure of a terminal, with what is unfinished now."""
    return office.parts.endings.closures.latest(whom)


@router.post(MERCHANT + "/steps/{step}", response_model=Closure)
async def take_merchants_step(
    office: TheOffice, actor: TheActor, whom: TheMerchant, step: StepName, taken: ClosureStep | None = None
) -> Json:
    """Take a step for all terminals of a merchant; the last one closes them and the merchant."""
    return await office.parts.endings.closures.take_step(actor, whom, step, _taken(taken))


@router.post(MERCHANT + "/withdraw", response_model=Closure)
async def withdraw_merchants(office: TheOffice, actor: TheActor, whom: TheMerchant, reason: Reason) -> Json:
    """Take the closure of a merchant back, while it is not ended."""
    return await office.parts.endings.closures.withdraw(actor, whom, reason.why)


@router.post(MERCHANT, response_model=Closure)
async def apply_for_merchant(
    office: TheOffice, actor: TheActor, whom: TheMerchant, application: ClosureApplication
) -> Json:
    """Begin to close a merchant with all its terminals."""
    return await office.parts.endings.closures.apply(actor, whom, _application(application))


@router.get(MERCHANT, response_model=Closure)
async def latest_of_merchant(office: TheOffice, whom: TheMerchant) -> Json:
    """The latest closure of a merchant, with what is unfinished at all its terminals."""
    return office.parts.endings.closures.latest(whom)


def _application(given: ClosureApplication) -> Application:
    return Application(given.reason, given.merchant_id, given.licence, given.why)


def _taken(given: ClosureStep | None) -> StepTaken:
    return StepTaken() if given is None else StepTaken(given.note, given.handed_over, given.taken_over_by)
