"""The shapes of settlement applications and reminders, asked and answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pos_host.admin.answers import Answer, BatchNumber, Instant, MaskedCard, MerchantId, Side, TerminalId
from pos_host.merchants.forgotten.vouchers import SLIP_MOST_CHARACTERS, VOUCHERS_MOST

NAME_MOST, REASON_MOST = 64, 500
"""Characters of a person's name and of a reason: both stand in the audit trail for ever."""

_SLIP = "SALE\nTrace 000004\nReference 000001000004\nDate 03-02 20:15:00\nAmount CNY 51.00"
DocumentId = Annotated[
    str, Field(pattern="^[0-9a-f]{64}$", description="id of a document handed in before", examples=["9f" * 32])
]


class GivenVoucher(BaseModel):
    """A slip: its text, or what stands on it."""

    model_config = ConfigDict(extra="forbid")

    slip: str | None = Field(
        default=None, max_length=SLIP_MOST_CHARACTERS, description="the text of the slip", examples=[_SLIP]
    )
    receipt: str | None = Field(default=None, max_length=6, description="its trace number", examples=["000004"])
    stan: str | None = Field(default=None, max_length=6, description="another name of `receipt`", examples=["000004"])
    invoice: str | None = Field(default=None, max_length=6, description="its invoice number", examples=["000004"])
    rrn: str | None = Field(default=None, max_length=12, description="its reference", examples=["000001000004"])
    amount_minor: int | None = Field(default=None, gt=0, description="in minor units", examples=[5100])
    date: str | None = Field(default=None, max_length=32, description="local", examples=["2026-03-02"])


class Agent(BaseModel):
    """Somebody who applies for the merchant, and the papers that allow it; what is missing is named."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=NAME_MOST, min_length=1, examples=["Chen Wei"])
    authorisation: DocumentId | None = None
    merchant_identity: DocumentId | None = None
    agent_identity: DocumentId | None = None


class HandingIn(BaseModel):
    """The vouchers of a batch, and who hands them in."""

    model_config = ConfigDict(extra="forbid")

    vouchers: list[GivenVoucher] = Field(min_length=1, max_length=VOUCHERS_MOST)
    applicant: str = Field(default="", max_length=NAME_MOST, description="by default who asks", examples=["Li Na"])
    agent: Agent | None = None


class Review(BaseModel):
    """Why, for the audit trail; it may be left out."""

    model_config = ConfigDict(extra="forbid")

    why: str = Field(default="", max_length=REASON_MOST, examples=["the terminal is broken"])


class Reason(BaseModel):
    """Why; it must be said."""

    model_config = ConfigDict(extra="forbid")

    why: str = Field(min_length=1, max_length=REASON_MOST, examples=["two slips are missing"])


class Voucher(Answer):
    """A slip as it was understood."""

    receipt: str = Field(examples=["000004"])
    invoice: str = Field(examples=[""])
    rrn: str = Field(examples=["000001000004"])
    amount_minor: int = Field(examples=[5100])
    date: str = Field(examples=["03-02"])


class Missing(Answer):
    """A transaction without its voucher."""

    function: str = Field(examples=["purchase"])
    receipt: str = Field(examples=["000005"])
    rrn: str = Field(examples=["000001000005"])
    amount_minor: int = Field(examples=[4900])
    card: MaskedCard


class Mismatched(Answer):
    """A voucher that fits no transaction."""

    voucher: int = Field(description="its place, from 1 on", examples=[2])
    reasons: list[
        Literal[
            "unknown_to_host",
            "declined",
            "reversed",
            "amount_differs",
            "receipt_differs",
            "date_differs",
            "handed_in_twice",
        ]
    ] = Field(examples=[["amount_differs"]])


class Checked(Answer):
    """The vouchers beside the books, as of the last step."""

    complete: bool
    matched: int = Field(examples=[1])
    missing: list[Missing]
    mismatched: list[Mismatched]


class Confirmation(Answer):
    """That the batch is settled, and with how much."""

    number: str = Field(examples=["100001-1"])
    result: Literal["settled_by_host"]
    settled_at: Instant
    debit: Side
    credit: Side
    currency: str = Field(examples=["156"])


class Application(Answer):
    """A settlement application."""

    id: str = Field(examples=["1"])
    state: Literal["submitted", "approved", "rejected", "withdrawn"]
    possible: list[str] = Field(description="what can be done with it now", examples=[["approve", "reject"]])
    merchant_id: MerchantId
    terminal_id: TerminalId
    batch_id: int = Field(examples=[100001])
    batch_number: BatchNumber
    applicant: str = Field(examples=["Li Na"])
    handed_in_by: str = Field(examples=["operator"])
    handed_in_at: Instant
    handed_in_times: int = Field(examples=[1])
    agent: dict[str, Any] | None = Field(examples=[None])
    vouchers: list[Voucher]
    checked: Checked
    review: dict[str, Any] | None = Field(description="by whom, when and why it was decided", examples=[None])
    confirmation: Confirmation | None


class Reminder(Answer):
    """What was sent to the terminal."""

    merchant_id: MerchantId
    terminal_id: TerminalId
    command: Literal["settle_now"]
    batch_number: BatchNumber
    severity: Literal["none", "due", "overdue", "forgotten"]
    reminded_at: Instant
    expires_at: Instant
