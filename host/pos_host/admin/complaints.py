"""The paths of refused applications, of complaints about refusals, and of requests for a right."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from pos_host.admin.account_models import (
    AccountId,
    Asked,
    Blocker,
    DocumentId,
    HistoryLine,
    Number,
    Text,
    Why,
)
from pos_host.admin.answers import Answer, Instant, MerchantId, Page
from pos_host.admin.api_router import api_router
from pos_host.admin.merchants import Mid
from pos_host.admin.pages import page_of
from pos_host.admin.queries import PAGE, Cursor, Limit, TheActor, TheOffice

router = api_router("complaints and rights")

Json = dict[str, Any]
REFUSED = "/merchants/{mid:path}/refused-applications"
COMPLAINTS = "/merchants/{mid:path}/complaints"
REQUESTS = "/merchants/{mid:path}/right-requests"
DURATION_MOST = 64
"""Characters of a duration."""

About = Literal["account_change", "holder_change", "refused_application"]
ComplainedOf = Annotated[AccountId, Field(description="the change's number, or the refused application's")]


class ComplaintGiven(Asked):
    """A complaint about a change that was rejected, or an application that was refused as it came."""

    about: About
    change_id: ComplainedOf
    text: Text = Field(examples=["the licence that was refused is the valid one"])


class AnswerGiven(Asked):
    """The answer to a complaint."""

    answer: Text = Field(examples=["you are right, the change is reviewed again"])


class RightAsked(Asked):
    """A right that is missing."""

    action: str = Field(min_length=1, max_length=DURATION_MOST, examples=["account_change.apply"])
    lasting: str = Field(max_length=DURATION_MOST, description="ISO 8601 duration, at most P30D", examples=["PT4H"])
    reason: Text = Field(examples=["the operator is ill"])


class RefusedApplication(Answer):
    """An application that was refused as it came, since something stood in the way."""

    refused_application: AccountId
    merchant_id: MerchantId
    state: Literal["refused"]
    about: Literal["account_change", "holder_change"] = Field(description="what was applied for")
    wanted: dict[str, str | None] = Field(
        description="what it asked for, numbers masked", examples=[{"number": "***************6789", "bank": "102"}]
    )
    submitted_by: str = Field(examples=["li.na"])
    applicant: str = Field(examples=["li.na"])
    documents: list[DocumentId]
    codes: list[str] = Field(description="what blocked it", examples=[["batch_unsettled"]])
    blockers: list[Blocker] = Field(description="everything that stood against it, warnings too")
    refused_at: Instant


class Complaint(Answer):
    """A complaint and what became of it."""

    complaint_id: AccountId
    merchant_id: MerchantId
    state: Literal["opened", "upheld", "dismissed", "withdrawn"]
    about: About
    change_id: ComplainedOf
    text: str = Field(examples=["the licence that was refused is the valid one"])
    opened_by: str = Field(examples=["li.na"])
    answer: str | None = Field(examples=[None])
    answered_by: str | None = Field(examples=[None])
    history: list[HistoryLine]


class RightRequest(Answer):
    """A request for a right and what became of it."""

    request_id: AccountId
    merchant_id: MerchantId
    state: Literal["requested", "granted", "refused", "withdrawn", "revoked", "expired"]
    action: str = Field(examples=["account_change.apply"])
    reason: str = Field(examples=["the operator is ill"])
    requested_by: str = Field(examples=["guest"])
    decided_by: str | None = Field(examples=[None])
    until: str | None = Field(description="when the right ends", examples=[None])
    history: list[HistoryLine]


@router.get(REFUSED, response_model=Page[RefusedApplication])
async def refused_applications(office: TheOffice, mid: Mid, cursor: Cursor, limit: Limit = PAGE) -> Json:
    """A merchant's applications that blockers refused, the oldest first; one can complain of each."""
    return page_of(office.parts.details.complaints.refused_applications(mid), limit, cursor)


@router.get(COMPLAINTS, response_model=Page[Complaint])
async def complaints(office: TheOffice, mid: Mid, cursor: Cursor, limit: Limit = PAGE) -> Json:
    """A merchant's complaints, the oldest first."""
    return page_of(office.parts.details.complaints.of_merchant(mid), limit, cursor)


@router.post(COMPLAINTS, response_model=Complaint)
async def complain(office: TheOffice, actor: TheActor, mid: Mid, given: ComplaintGiven) -> Json:
    """Complain that a change was rejected, or an application refused."""
    return await office.parts.details.complaints.open(actor, mid, given.about, given.change_id, given.text)


@router.post(COMPLAINTS + "/{number}/uphold", response_model=Complaint)
async def uphold(office: TheOffice, actor: TheActor, mid: Mid, number: Number, given: AnswerGiven) -> Json:
    """Agree with a complaint: a change is put before a reviewer again; of an application the answer says what may be
    done."""
    return await office.parts.details.complaints.answer(actor, mid, number, "uphold", given.answer)


@router.post(COMPLAINTS + "/{number}/dismiss", response_model=Complaint)
async def dismiss(office: TheOffice, actor: TheActor, mid: Mid, number: Number, given: AnswerGiven) -> Json:
    """Answer that the refusal stands."""
    return await office.parts.details.complaints.answer(actor, mid, number, "dismiss", given.answer)


@router.post(COMPLAINTS + "/{number}/withdraw", response_model=Complaint)
async def withdraw_complaint(office: TheOffice, actor: TheActor, mid: Mid, number: Number) -> Json:
    """Take a complaint back."""
    return await office.parts.details.complaints.withdraw(actor, mid, number)


@router.get(REQUESTS, response_model=Page[RightRequest])
async def right_requests(office: TheOffice, mid: Mid, cursor: Cursor, limit: Limit = PAGE) -> Json:
    """Rights that were asked for, the oldest first."""
    return page_of(office.parts.details.right_requests.of_merchant(mid), limit, cursor)


@router.post(REQUESTS, response_model=RightRequest)
async def request_right(office: TheOffice, actor: TheActor, mid: Mid, asked: RightAsked) -> Json:
    """Ask for a right for a limited time; somebody else grants it."""
    return await office.parts.details.right_requests.request(actor, mid, asked.action, asked.lasting, asked.reason)


@router.post(REQUESTS + "/{number}/{way}", response_model=RightRequest)
async def decide_right(
    office: TheOffice,
    actor: TheActor,
    mid: Mid,
    number: Number,
    way: Literal["grant", "refuse", "revoke", "withdraw"],
    why: Why | None = None,
) -> Json:
    """Decide on a request: somebody else, who has the right; only who asked withdraws."""
    return await office.parts.details.right_requests.decide(actor, mid, number, way, "" if why is None else why.why)
