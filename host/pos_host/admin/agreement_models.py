"""What the API takes and answers about settlement policies and fee schedules, with examples."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pos_host.admin.answers import Answer, MerchantId, TerminalId
from pos_host.admin.merchant_models import Why
from pos_host.merchants.long_numbers import without_foreign_numbers

POLICY_EXAMPLE = {"cutoff": "22:00", "auto_settle": "23:30", "min_amount_minor": 100}
SCHEDULE_EXAMPLE = {"rule": [{"name": "credit", "products": ["credit"], "rate_percent": "0.55"}]}

CALENDAR_EXAMPLE = {"holidays": ["01-01", "2030-02-04"], "working_days": ["2030-02-09"], "payout_time": "10:30"}

Level = Literal["acquirer", "merchant", "terminal"]
State = Literal["planned", "in_force", "replaced", "withdrawn"]
Number = Annotated[int, Field(ge=1, description="of a version", examples=[1])]
Instant = Annotated[
    str,
    Field(max_length=64, description="ISO 8601 with an offset; now where left out", examples=["2030-01-01T00:00:00Z"]),
]
Day = Annotated[
    str, Field(max_length=10, description="a business day; today's where left out", examples=["2030-01-01"])
]


def _without_numbers_of_people(values: dict[str, Any]) -> dict[str, Any]:
    """The values as they are; raises ValueError where a text holds a number as long as a card's: none of ours does."""
    text = json.dumps(values, ensure_ascii=False)
    if without_foreign_numbers(text) != text:
        raise ValueError("holds a number as long as a card's; a name or a time needs none")
    return values


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")

    why: Why = ""


class NewPolicy(_Given):
    """A scope's own keys, as a policy file writes them, in place of those it had."""

    values: Annotated[dict[str, str | int], AfterValidator(_without_numbers_of_people)] = Field(
        examples=[POLICY_EXAMPLE]
    )
    valid_from: Instant | None = None


class NewSchedule(_Given):
    """A scope's own rules, charges and removals, as a fee schedule's file has them, in place of those it had."""

    values: Annotated[dict[str, Any], AfterValidator(_without_numbers_of_people)] = Field(examples=[SCHEDULE_EXAMPLE])
    valid_from: Day | None = None


class NewCalendar(_Given):
    """A scope's own keys, as a calendar's file has them, in place of those it had."""

    values: dict[str, Any] = Field(examples=[CALENDAR_EXAMPLE])
    valid_from: Day | None = None


class RestorePolicy(_Given):
    """An earlier version to bring back."""

    version: Number
    valid_from: Instant | None = None


class RestoreSchedule(_Given):
    """An earlier version to bring back."""

    version: Number
    valid_from: Day | None = None


class Withdrawal(_Given):
    """A planned version to take back."""

    version: Number


class _Scoped(Answer):
    scope: Level
    merchant_id: MerchantId | None
    terminal_id: TerminalId | None


class Version(_Scoped):
    """One version of what was agreed at a scope."""

    version: Number
    state: State
    valid_from: str = Field(description="an instant, or a business day", examples=["2030-01-01T00:00:00.000Z"])
    values: dict[str, Any] = Field(description="the scope's own", examples=[POLICY_EXAMPLE])
    by: str = Field(examples=["admin"])
    why: str = Field(examples=["as agreed on the phone"])
    restores: int | None = Field(description="the version it brings back", examples=[None])


class Agreement(_Scoped):
    """What holds at a scope."""

    version: int | None = Field(description="null where the scope has nothing of its own", examples=[1])
    values: dict[str, Any] = Field(description="the scope's own", examples=[POLICY_EXAMPLE])
    effective: dict[str, Any] = Field(description="with everything inherited", examples=[POLICY_EXAMPLE])
    planned: list[Version]
