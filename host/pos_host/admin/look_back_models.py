"""The shapes of the daily look-back and of risk patterns."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pos_host.admin.answers import Answer, BatchNumber, Currency, Instant, MerchantId, TerminalId

SettledBy = Literal["terminal", "schedule", "operator", "application", "replacement"]
Result = Literal["balanced", "balanced_after_upload", "out_of_balance", "settled_by_host"]


class SettledWay(Answer):
    """How many batches were settled in one way, and how much."""

    by: SettledBy
    result: Result
    currency: str = Field(examples=["156"])
    batches: int = Field(examples=[28])
    net_minor: int = Field(description="sales less refunds and voids", examples=[152000])


class LateSettlement(Answer):
    """A batch that was settled when its terminal was overdue or forgotten already."""

    merchant_id: MerchantId
    terminal_id: TerminalId
    batch_id: int = Field(examples=[100001])
    batch_number: BatchNumber
    settled_at: Instant
    by: SettledBy
    result: Result
    net_minor: int = Field(examples=[5100])
    currency: str = Field(examples=["156"])
    late: Literal["overdue", "forgotten"]
    cause: str = Field(description="first that applies of late_causes.toml", examples=["never_connected"])


class StillFlagged(Answer):
    """A terminal that was flagged when the look-back was made."""

    merchant_id: MerchantId
    terminal_id: TerminalId
    severity: Literal["due", "overdue", "forgotten"]
    since: Instant
    reasons: list[str] = Field(examples=[["past_cutoff"]])


class RepeatOffender(Answer):
    """A terminal that is late again and again."""

    merchant_id: MerchantId
    terminal_id: TerminalId
    times_late: int = Field(examples=[3])


class PayoutDifference(Answer):
    """A settled batch whose money is not what its payout begins with."""

    batch_id: int = Field(examples=[100001])
    terminal_id: TerminalId
    books_minor: int = Field(examples=[5100])
    payout_minor: int | None = Field(description="null where there is no payout", examples=[None])


class BesidePayouts(Answer):
    """The books beside the payouts, before fees."""

    checked: int = Field(examples=[30])
    differences: list[PayoutDifference]


class DryRun(Answer):
    """What the host would have settled, beside what became of the batch."""

    merchant_id: MerchantId
    terminal_id: TerminalId
    batch_id: int = Field(examples=[100001])
    batch_number: BatchNumber
    business_day: str = Field(examples=["2026-03-02"])
    would_settle_minor: int = Field(examples=[5100])
    settled_minor: int | None = Field(description="null while it is open", examples=[5100])
    result: Result | None
    settled_at: Instant | None
    same: bool | None


class Stretch(Answer):
    """The part of the journal that was read: events after the one sequence, through the other."""

    after: int = Field(examples=[0])
    through: int = Field(examples=[41])


class LookBack(Answer):
    """What a business day came to."""

    date: str = Field(examples=["2026-03-02"])
    made_at: Instant
    sequence: Stretch
    settled: list[SettledWay]
    not_settled: dict[str, int] = Field(
        description="batches the host judged and left, by what it made of them", examples=[{"carried_over": 1}]
    )
    reminders: int = Field(examples=[2])
    late_totals: int = Field(description="terminals that settled what the host had settled", examples=[0])
    late: list[LateSettlement]
    causes: dict[str, int] = Field(examples=[{"never_connected": 1}])
    still_flagged: list[StillFlagged]
    repeat_offenders: list[RepeatOffender]
    payouts: BesidePayouts
    dry_run: list[DryRun]


class Pattern(Answer):
    """A pattern of sales for the risk view; nothing was declined for it."""

    id: str = Field(examples=["1"])
    state: Literal["flagged", "reviewed"]
    possible: list[str] = Field(examples=[["review"]])
    merchant_id: MerchantId
    terminal_id: TerminalId
    pattern: str = Field(examples=["many_small_contactless"])
    text: str = Field(examples=["many small contactless sales in a row"])
    count: int = Field(examples=[10])
    amount_minor: int = Field(examples=[50000])
    currency: Currency
    cards: int = Field(description="how many different cards", examples=[1])
    first_at: Instant
    last_at: Instant
    reviewed_by: str | None = Field(examples=[None])
    finding: str | None = Field(examples=[None])
