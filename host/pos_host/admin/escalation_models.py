"""The shapes of escalations and their ladders, asked and answered."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pos_host.admin.answers import Answer, BatchNumber, Impact, Instant, MerchantId, TerminalId
from pos_host.merchants.free_text import TEXT_MOST

Severity = Literal["due", "overdue", "forgotten"]


class Step(BaseModel):
    """One of those who answer for a terminal that does not settle."""

    model_config = ConfigDict(extra="forbid")

    responsible: str = Field(examples=["settlement desk"])
    tell: Literal["event", "webhook", "e-mail"] = Field(description="how they are told: who forwards the event decides")
    address: str = Field(description="a URL or an e-mail address; empty for an event", examples=["desk@example.com"])
    acknowledge_within: str = Field(description="ISO 8601 duration; after it the next step is told", examples=["PT2H"])


class Steps(BaseModel):
    """Who answers at each severity, the first of them first."""

    model_config = ConfigDict(extra="forbid")

    due: list[Step] = []
    overdue: list[Step] = []
    forgotten: list[Step] = []


class LadderGiven(BaseModel):
    """A ladder to set; null takes the scope's own away, and the next wider one holds again."""

    model_config = ConfigDict(extra="forbid")

    ladder: Steps | None
    why: str = Field(default="", max_length=TEXT_MOST, examples=["a new team"])


class Ladder(Answer):
    """The ladder of a scope."""

    scope: str = Field(examples=["acquirer"])
    own: bool = Field(description="whether this scope has one of its own")
    ladder: Steps | None


class Escalation(Answer):
    """A terminal that does not settle, and who answers for it now."""

    id: str = Field(examples=["1"])
    state: Literal["raised", "acknowledged", "ended"]
    possible: list[str] = Field(description="what a person can do with it now", examples=[["acknowledge"]])
    merchant_id: MerchantId
    terminal_id: TerminalId
    severity: Severity
    batch_number: BatchNumber | None
    impact: Impact | None
    responsible: str = Field(examples=["settlement desk"])
    tell: Literal["event", "webhook", "e-mail"]
    address: str = Field(examples=["desk@example.com"])
    raised_at: Instant
    acknowledge_by: Instant
    acknowledged_by: str | None = Field(examples=[None])
    unanswered: bool = Field(description="whether even the last of the ladder did not acknowledge in time")
    times_raised: int = Field(examples=[1])
