"""The shapes of payouts and of the reports on them, for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pos_host.admin.answers import Answer, BatchNumber, Currency, Instant, MerchantId, Stan

WHY_MOST = 500
"""Characters of a reason: it stands in the audit trail for ever."""

PayoutState = Literal["pending", "held", "released", "made", "returned"]
BusinessDay = Annotated[str, Field(description="business day", examples=["2026-03-02"])]
Minor = Annotated[int, Field(description="in minor units of the currency", examples=[149100])]
TerminalOf = Annotated[str | None, Field(description="null for a fixed charge", examples=["T0000001"])]


class Why(BaseModel):
    """Why, for the audit trail; it must be said."""

    model_config = ConfigDict(extra="forbid")

    why: str = Field(min_length=1, max_length=WHY_MOST, examples=["reviewed: the slip was lost, our record is right"])


class PayoutLine(Answer):
    """One product's share of a payout, or a fixed charge."""

    product: str = Field(description="or fixed_charge", examples=["credit"])
    sales: int = Field(default=0, examples=[2])
    captured_minor: int = Field(default=0, examples=[150000])
    refunds: int = Field(default=0, examples=[0])
    refunded_minor: int = Field(default=0, examples=[0])
    fees_minor: int = Field(default=0, examples=[900])
    charges_minor: int = Field(default=0, examples=[0])
    account_id: str | None = Field(
        default=None, description="the account this line went to, where the payout went to several", examples=["2"]
    )


class Payout(Answer):
    """What a settled batch, or a fixed charge, pays; net = captured − refunded − fees − charges."""

    id: int = Field(
        description="the batch's id, or a number of its own for a fixed charge and for what was told late",
        examples=[100001],
    )
    merchant_id: MerchantId
    terminal_id: TerminalOf
    batch_id: int | None = Field(description="null for a fixed charge", examples=[100001])
    state: PayoutState
    reasons: list[str] = Field(description="why it is held, or waits", examples=[["out_of_balance"]])
    currency: Currency
    business_day: BusinessDay
    due_day: Annotated[str, Field(description="the day it is paid", examples=["2026-03-03"])]
    due_at: Instant
    captured_minor: Minor
    refunded_minor: Minor
    gross_minor: Minor
    fees_minor: Minor
    charges_minor: Minor
    net_minor: Minor
    account_id: str | None = Field(description="the account it went to; null where none is known", examples=["1"])
    changed_at: Instant
    lines: list[PayoutLine]


class SettlementSums(Answer):
    """Sums of payouts; net = paid + pending + held + carried over + returned."""

    currency: Currency
    payouts: int = Field(examples=[2])
    captured_minor: Minor
    refunded_minor: Minor
    gross_minor: Minor
    fees_minor: Minor
    charges_minor: Minor
    net_minor: Minor
    paid_minor: Minor
    pending_minor: Minor
    held_minor: Minor
    carried_over_minor: Minor
    returned_minor: Minor


class SettlementLine(SettlementSums):
    """One day, merchant, terminal or product."""

    day: str | None = Field(default=None, examples=["2026-03-02"])
    merchant_id: str | None = Field(default=None, examples=["104110070110814"])
    terminal_id: str | None = Field(default=None, examples=["T0000001"])
    product: str | None = Field(default=None, examples=["credit"])


class SettlementReport(Answer):
    """Lines, and totals by currency that are the same however the report is divided."""

    date: str | None = Field(description="null for all days", examples=["2026-03-02"])
    by: Literal["day", "merchant", "terminal", "product"]
    items: list[SettlementLine]
    totals: list[SettlementSums]


class DiscrepancyLine(Answer):
    """One record, reversal or total on which terminal and host differ."""

    day: BusinessDay
    merchant_id: MerchantId
    terminal_id: str = Field(examples=["T0000001"])
    batch_id: int = Field(examples=[100001])
    batch_number: BatchNumber
    result: str = Field(examples=["out_of_balance"])
    closed_at: Instant
    currency: Currency
    kind: str = Field(examples=["amount_differs"])
    stan: Stan = Field(description="empty for totals")
    terminal_minor: Minor
    host_minor: Minor
    difference_minor: int = Field(description="terminal − host", examples=[100])
    payout_state: PayoutState | None = Field(description="of what the batch pays; null: it pays nothing")
    paid_minor: int = Field(description="what of that, and of what was told late, is paid already, net", examples=[0])
    terminal_totals: dict[str, list[int]] | None = Field(default=None, description="of totals_differ: count, amount")
    host_totals: dict[str, list[int]] | None = Field(default=None, description="the same of the host")


class DiscrepancySums(Answer):
    """Sums of one currency."""

    currency: Currency
    records: int = Field(examples=[1])
    terminal_minor: Minor
    host_minor: Minor
    difference_minor: int = Field(examples=[100])


class DiscrepancyReport(Answer):
    """Differences in the batches closed on a day, or on any."""

    date: str | None = Field(examples=["2026-03-02"])
    items: list[DiscrepancyLine]
    totals: list[DiscrepancySums]


class UnsettledLine(Answer):
    """A batch that was not settled in time."""

    merchant_id: MerchantId
    terminal_id: str = Field(examples=["T0000001"])
    batch_id: int = Field(examples=[100001])
    batch_number: BatchNumber
    severity: str = Field(examples=["forgotten"])
    since: str | None = Field(description="of one that is unsettled now", examples=["2026-03-02T15:00:00.000Z"])
    reasons: list[str] = Field(examples=[["past_cutoff"]])
    ended: str | None = Field(
        description="terminal, schedule, operator, application; null: it is not", examples=["schedule"]
    )
    ended_at: str | None = Field(examples=["2026-03-03T15:30:00.000Z"])
    result: str | None = Field(examples=["settled_by_host"])
    cause: str | None = Field(examples=["operator"])
    currency: Currency
    gross_minor: Minor
    payout_state: PayoutState | None
    net_minor: int | None = Field(examples=[149100])


class UnsettledReport(Answer):
    """What is unsettled, and how everything else that was late ended."""

    items: list[UnsettledLine]
