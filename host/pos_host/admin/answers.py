"""The shapes of what the API answers, for its OpenAPI document. More fields may come; none goes away."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

_INSTANT = "2026-03-02T12:00:00.000Z"

Instant = Annotated[str, Field(description="UTC, RFC 3339", examples=[_INSTANT])]
MerchantId = Annotated[str, Field(examples=["104110070110814"])]
TerminalId = Annotated[str, Field(examples=["T0000001"])]
BatchNumber = Annotated[str, Field(examples=["000001"])]
BatchState = Literal["open", "settling", "uploading", "settled"]
AuthorisationState = Literal["open", "completed", "voided", "reversed", "expired"]
Currency = Annotated[str, Field(description="ISO 4217, three digits", examples=["156"])]
Stan = Annotated[str, Field(description="the terminal's trace number", examples=["000004"])]
MaskedCard = Annotated[str, Field(description="first six and last four digits", examples=["622202******0005"])]


class Answer(BaseModel):
    """What all answers share: fields not named here are passed on."""

    model_config = ConfigDict(extra="allow")


Item = TypeVar("Item")


class Page(Answer, Generic[Item]):
    """Part of a list."""

    items: list[Item]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last", examples=["100"])


class Health(Answer):
    """The host runs."""

    status: str = Field(examples=["ok"])
    version: str = Field(examples=["0.1.0"])


class Time(Answer):
    """The host's time."""

    now: Instant


class ClockTime(Time):
    """The host's time and where it comes from."""

    clock: Literal["system", "manual"]


class Side(Answer):
    """A number of transactions and their sum."""

    count: int = Field(examples=[30])
    amount_minor: int = Field(description="in minor units of the currency", examples=[152000])


class CurrentBatch(Answer):
    """The batch a terminal is in."""

    id: int = Field(examples=[100001])
    number: BatchNumber
    state: BatchState
    opened_at: Instant
    debit: Side
    credit: Side
    currency: Currency


class Impact(Answer):
    """What a batch that nobody settles does to people."""

    not_paid_minor: int = Field(description="sales less refunds and voids, in minor units", examples=[152000])
    currency: Currency
    days_late: int = Field(default=0, description="days since the cut-off, each counted once begun", examples=[1])
    cardholders: int = Field(description="how many different cards stand in the batch", examples=[28])


class Unsettled(Answer):
    """Why a terminal's batch should have been settled."""

    severity: Literal["due", "overdue", "forgotten"]
    since: Instant
    due_at: Instant
    reasons: list[str] = Field(examples=[["past_cutoff"]])
    clears: str = Field(description="what makes the flag go away", examples=["settle the batch"])
    impact: Impact | None = Field(default=None, description="null once the money is gone from the batch")


class Terminal(Answer):
    """A terminal, its current batch and its flag."""

    terminal_id: TerminalId
    merchant_id: MerchantId
    dialect: str = Field(examples=["unionpay"])
    status: Literal["active", "suspended", "closing", "closed"]
    connected: bool
    enrolled_at: Instant
    last_seen_at: Instant | None
    batch: CurrentBatch
    unsettled: Unsettled | None


class Batch(Answer):
    """A batch, the terminal's totals beside the host's."""

    id: int = Field(examples=[100001])
    merchant_id: MerchantId
    terminal_id: TerminalId
    number: BatchNumber
    state: BatchState
    result: Literal["balanced", "balanced_after_upload", "out_of_balance", "settled_by_host"] | None
    opened_at: Instant
    closed_at: Instant | None
    currency: Currency
    debit: Side
    credit: Side
    host_totals: dict[str, Side] = Field(description="by the groups of the dialect's settlement")
    terminal_totals: dict[str, Side] | None = Field(description="as the terminal sent them; null before that")
    terminal_debit: Side | None
    terminal_credit: Side | None
    discrepancies: int = Field(description="how many records differ", examples=[0])


class TerminalRecord(Answer):
    """A record as the terminal uploaded it."""

    amount_minor: int = Field(examples=[5100])
    card: MaskedCard


class HostRecord(Answer):
    """A transaction as the host holds it."""

    function: str = Field(examples=["purchase"])
    amount_minor: int = Field(examples=[5000])
    card: MaskedCard
    rrn: str = Field(examples=["000001000004"])
    outcome: str = Field(examples=["approved"])
    reversed: bool
    voided: bool


class Discrepancy(Answer):
    """One record on which terminal and host differ."""

    kind: Literal["not_uploaded", "unknown_to_host", "amount_differs"]
    stan: Stan
    terminal: TerminalRecord | None
    host: HostRecord | None


class Authorisation(Answer):
    """A pre-authorisation."""

    merchant_id: MerchantId
    terminal_id: TerminalId
    state: AuthorisationState
    approval_code: str = Field(description="by which its completion names it", examples=["000004"])
    rrn: str = Field(examples=["000001000004"])
    card: MaskedCard
    currency: Currency
    amount_minor: int = Field(description="in all, with what was added to it", examples=[50000])
    completed_minor: int | None = Field(description="null unless completed", examples=[48000])
    authorised_at: Instant
    expires_at: Instant


class Event(Answer):
    """Something that happened, as a CloudEvents 1.0 object."""

    specversion: str = Field(examples=["1.0"])
    id: str = Field(description="the same however often the event is sent", examples=["5d1f0c2e-41"])
    source: str = Field(examples=["pos-host/5d1f0c2e"])
    type: str = Field(examples=["transaction.approved"])
    subject: str = Field(description="merchant and terminal, percent-encoded", examples=["104110070110814/T0000001"])
    time: Instant
    datacontenttype: str = Field(examples=["application/json"])
    sequence: int = Field(description="strictly increasing", examples=[41])
    data: dict[str, Any]
