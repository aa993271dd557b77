"""The paths of settlement applications, and of reminders."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query

from pos_host.admin.answers import Page
from pos_host.admin.api_router import api_router
from pos_host.admin.application_models import Application, HandingIn, Reason, Reminder, Review
from pos_host.admin.queries import PAGE, Cursor, Limit, Merchant, TheActor, TheOffice, Tid
from pos_host.merchants.forgotten.applications import HandedIn

router = api_router("settlement applications")

Json = dict[str, Any]
ApplicationId = Annotated[str, Path(pattern="^[0-9]{1,18}$", description="`id` of an application", examples=["1"])]
State = Literal["submitted", "approved", "rejected", "withdrawn"]


@router.post("/terminals/{tid:path}/settlement-applications", response_model=Application)
async def submit(
    office: TheOffice, actor: TheActor, tid: Tid, handing_in: HandingIn, merchant_id: Merchant = None
) -> Json:
    """Apply for the settlement of a terminal's batch with the slips of its transactions."""
    book = office.book(tid, merchant_id)
    return await office.forgotten.applications.submit(actor, book, _handed_in(handing_in))


@router.get("/terminals/{tid:path}/settlement-applications", response_model=Page[Application])
async def of_terminal(
    office: TheOffice, tid: Tid, cursor: Cursor, limit: Limit = PAGE, merchant_id: Merchant = None
) -> Json:
    """The applications of one terminal, in the order they came; the cursor is a position."""
    number = office.book(tid, merchant_id).terminal_no
    mine = [one for one in office.forgotten.applications.all() if one["terminal_no"] == number]
    return _page(mine, cursor, limit)


@router.get("/settlement-applications", response_model=Page[Application])
async def applications(
    office: TheOffice,
    cursor: Cursor,
    limit: Limit = PAGE,
    merchant_id: Merchant = None,
    state: Annotated[State | None, Query(description="only those in this state")] = None,
) -> Json:
    """All applications, in the order they came; the cursor is a position."""
    return _page(office.forgotten.applications.all(merchant_id, state), cursor, limit)


@router.get("/settlement-applications/{application_id}", response_model=Application)
async def application(office: TheOffice, application_id: ApplicationId) -> Json:
    """One application, with what its vouchers and the books say."""
    return office.forgotten.applications.one(application_id)


ONE = "/terminals/{tid:path}/settlement-applications/{application_id}"


@router.get(ONE, response_model=Application)
async def of_terminal_one(
    office: TheOffice, tid: Tid, application_id: ApplicationId, merchant_id: Merchant = None
) -> Json:
    """One application of a terminal, with what its vouchers and the books say."""
    return office.forgotten.applications.one(application_id, office.book(tid, merchant_id))


@router.post(ONE + "/approve", response_model=Application)
async def approve(
    office: TheOffice,
    actor: TheActor,
    tid: Tid,
    application_id: ApplicationId,
    review: Review | None = None,
    merchant_id: Merchant = None,
) -> Json:
    """Settle the batch from the host's books; 409 while a voucher is missing or does not match."""
    book = office.book(tid, merchant_id)
    return await office.forgotten.applications.approve(actor, book, application_id, _why(review))


@router.post(ONE + "/reject", response_model=Application)
async def reject(
    office: TheOffice,
    actor: TheActor,
    tid: Tid,
    application_id: ApplicationId,
    reason: Reason,
    merchant_id: Merchant = None,
) -> Json:
    """Send an application back, with which vouchers are missing or do not match."""
    book = office.book(tid, merchant_id)
    return await office.forgotten.applications.reject(actor, book, application_id, reason.why)


@router.post(ONE + "/resubmit", response_model=Application)
async def resubmit(
    office: TheOffice,
    actor: TheActor,
    tid: Tid,
    application_id: ApplicationId,
    handing_in: HandingIn,
    merchant_id: Merchant = None,
) -> Json:
    """Hand in again what was rejected, with all its vouchers."""
    book = office.book(tid, merchant_id)
    return await office.forgotten.applications.resubmit(actor, book, application_id, _handed_in(handing_in))


@router.post(ONE + "/withdraw", response_model=Application)
async def withdraw(
    office: TheOffice,
    actor: TheActor,
    tid: Tid,
    application_id: ApplicationId,
    review: Review | None = None,
    merchant_id: Merchant = None,
) -> Json:
    """Take an application back."""
    book = office.book(tid, merchant_id)
    return await office.forgotten.applications.withdraw(actor, book, application_id, _why(review))


@router.post("/terminals/{tid:path}/reminders", response_model=Reminder)
async def remind(
    office: TheOffice, actor: TheActor, tid: Tid, review: Review | None = None, merchant_id: Merchant = None
) -> Json:
    """Remind a terminal to settle, now: by MQTT and, in UnionPay, in the header of its next answers."""
    return await office.forgotten.reminders.remind(actor, office.book(tid, merchant_id), _why(review))


def _handed_in(handing_in: HandingIn) -> HandedIn:
    vouchers = [voucher.model_dump(exclude_none=True) for voucher in handing_in.vouchers]
    agent = None if handing_in.agent is None else handing_in.agent.model_dump(exclude_none=True)
    return HandedIn(vouchers, handing_in.applicant, agent)


def _why(review: Review | None) -> str:
    return "" if review is None else review.why


def _page(items: list[Json], cursor: int, limit: int) -> Json:
    end = cursor + limit
    return {"items": items[cursor:end], "next_cursor": str(end) if end < len(items) else None}
