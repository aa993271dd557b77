"""What the API takes and answers about suspending, closing, replacing, reopening and diagnosing, with examples."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pos_host.admin.answers import Answer, Instant, MerchantId, TerminalId
from pos_host.merchants.closing.closure_reasons import closure_reasons

REASON_MOST = 500
"""Characters of a reason or note: a few sentences in the audit trail, not an attachment."""

HANDED_OVER_MOST = 1_000
"""Things handed over in one step: a hotel's open pre-authorisations."""

ClosureReason = Annotated[
    str,
    Field(description=f"one of {', '.join(closure_reasons())}", max_length=32, examples=["merchant_request"]),
]
Status = Literal["active", "suspended", "closing", "closed"]
Why = Annotated[str, Field(max_length=REASON_MOST, examples=["the shop moves"])]
Needed = Annotated[str, Field(min_length=1, max_length=REASON_MOST, examples=["as agreed on the phone"])]


class Given(BaseModel):
    """What all requests share: a key that is not known here is a mistake."""

    model_config = ConfigDict(extra="forbid")


class ClosureApplication(Given):
    """An application to close, as it stands on paper."""

    reason: ClosureReason
    merchant_id: MerchantId
    licence: str = Field(default="", max_length=200, description="compared with the record", examples=["91310000MA1K3"])
    why: Why = ""


class ClosureStep(Given):
    """What is said with a step."""

    note: str = Field(default="", max_length=REASON_MOST, examples=["received in the depot"])
    handed_over: list[Annotated[str, Field(max_length=64)]] = Field(
        default=[],
        max_length=HANDED_OVER_MOST,
        description="with the step unfinished_business: `id` of what somebody takes over",
        examples=[["authorisation:100001000004"]],
    )
    taken_over_by: str = Field(default="", max_length=64, description="who does", examples=["terminal T0000002"])


class Suspension(Given):
    """Why it is suspended."""

    reason: ClosureReason
    why: Needed


class Reason(Given):
    """Why; it must be said."""

    why: Needed


class Review(Given):
    """Why, for the audit trail; it may be left out."""

    why: Why = ""


class NewReplacement(Given):
    """Which terminal takes the place of this one."""

    new_terminal_id: TerminalId
    reason: ClosureReason = "fault"
    why: Why = ""


class UnfinishedThing(Answer):
    """Something that is left open, and what ends it."""

    id: str = Field(examples=["batch:100001"])
    kind: Literal["batch_unsettled", "upload_running", "answer_undelivered", "authorisation_open", "payout_open"]
    terminal_id: str = Field(description="empty where it is the merchant's", examples=["T0000001"])
    concerns: str = Field(examples=["batch 000001: 2 debits, 0 credits"])
    remedy: str = Field(examples=["settle it at the terminal, or have the host settle it"])
    amount_minor: int = Field(examples=[15200])
    currency: str = Field(examples=["156"])
    may_be_handed_over: bool


class Step(Answer):
    """A step of a closure. `waiting`: other steps come first, or something is unfinished."""

    step: str = Field(examples=["final_settlement"])
    state: Literal["done", "possible", "waiting"]
    at: Instant | None
    by: str | None = Field(examples=["lin"])
    note: str = Field(examples=[""])
    waits_for: list[str] = Field(description="steps that come first", examples=[["unfinished_business"]])
    unfinished: list[str] = Field(description="`id` of what must be ended before", examples=[["batch:100001"]])


class Closure(Answer):
    """A closure of a terminal, or with `terminal_id` null of a whole merchant."""

    id: str = Field(examples=["1"])
    state: Literal["closing", "replaced", "closed", "withdrawn"]
    possible: list[str] = Field(examples=[["take_step", "withdraw"]])
    scope: Literal["terminal", "merchant"]
    merchant_id: MerchantId
    terminal_id: TerminalId | None
    status: Status = Field(description="how the terminal or merchant stands now")
    reason: str = Field(examples=["merchant_request"])
    applied_by: str = Field(examples=["lin"])
    applied_at: Instant
    steps: list[Step]
    unfinished: list[UnfinishedThing] = Field(description="as it is now; empty once the closure has ended")
    handed_over: list[UnfinishedThing]
    replaced_by: TerminalId | None
    notices: list[dict[str, Any]] = Field(examples=[[{"notice": "closing", "to": "104110070110814"}]])
    closed_at: Instant | None


class Standing(Answer):
    """How a terminal or merchant stands after what was done."""

    merchant_id: MerchantId
    terminal_id: TerminalId | None
    status: Status
    possible: list[str] = Field(examples=[["resume", "close"]])
    suspension: dict[str, Any] | None = Field(examples=[{"reason": "violation", "holds_payouts": True}])


class Reopening(Answer):
    """A reopening."""

    id: str = Field(examples=["1"])
    state: Literal["requested", "approved", "signed_in", "rejected", "withdrawn"]
    possible: list[str] = Field(examples=[["approve", "reject", "withdraw"]])
    merchant_id: MerchantId
    terminal_id: TerminalId | None
    requested_by: str = Field(examples=["lin"])
    requested_at: Instant
    why: str = Field(examples=["the shop opens again"])
    review: dict[str, Any] | None = Field(examples=[None])
    batch_number: str | None = Field(description="with which it goes on, where the host gives it", examples=["000002"])


class Replacement(Answer):
    """One terminal in the place of another."""

    merchant_id: MerchantId
    old_terminal_id: TerminalId
    new_terminal_id: TerminalId
    reason: str = Field(examples=["fault"])
    at: Instant
    settled_batches: list[int] = Field(description="closed by the host at the hand-over", examples=[[100001]])
    batch_number: str = Field(description="with which the new one goes on", examples=["000002"])
    handed_over: list[UnfinishedThing] = Field(description="pre-authorisations that the new one may complete")


class Finding(Answer):
    """Something that explains how a terminal behaves; `refuses`: it is why it is refused."""

    code: str = Field(examples=["terminal_closed"])
    text: str = Field(examples=["the terminal is closed"])
    concerns: str = Field(examples=["terminal T0000001: contract_end, closed since 2026-03-02T12:00:00.000Z"])
    remedy: str = Field(examples=["apply for its reopening, which somebody else reviews"])
    refuses: bool
    outcome: str | None = Field(examples=["terminal_closed"])
    response_code: str | None = Field(description="in the terminal's dialect", examples=["97"])


class Diagnosis(Answer):
    """What the host knows of a terminal and what refuses it; of numbers it does not know, which are near."""

    merchant_id: str | None = Field(examples=["104110070110814"])
    terminal_id: TerminalId
    known: bool
    status: Status | None
    dialect: str | None = Field(examples=["unionpay"])
    connected: bool
    last_seen_at: Instant | None
    last_message: dict[str, Any] | None = Field(examples=[{"function": "purchase", "outcome": "terminal_closed"}])
    batch_number: str | None = Field(examples=["000001"])
    sales: dict[str, Any] | None = Field(examples=[{"allowed": False, "response_code": "97"}])
    findings: list[Finding]
    nearest: list[dict[str, str]] = Field(examples=[[{"merchant_id": "104110070110814", "terminal_id": "T0000001"}]])


class LateMessage(Answer):
    """Something that a closed terminal sent: refused, and kept."""

    sequence: int = Field(examples=[41])
    at: Instant
    function: str = Field(examples=["reversal"])
    outcome: Literal["terminal_closed", "merchant_closed"]
    stan: str = Field(examples=["000004"])
    amount_minor: int = Field(examples=[5100])
    currency: str = Field(examples=["156"])
    card: str = Field(examples=["622202******0005"])
    detail: dict[str, Any] = Field(description="records, totals, or what a reversal names", examples=[{}])
