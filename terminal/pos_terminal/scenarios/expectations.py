"""What a scenario expects of an answer, and of the host's books."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from pos_terminal.scenarios.step_arguments import Side
from pos_terminal.scenarios.table_values import MOST_WAIT_S, Given, Name, Pattern, Text, Texts, text_of


class Other(Given):
    """How an element must be, where it is not simply a value."""

    matches: Pattern | None = None
    differs_from: Text | None = None

    @model_validator(mode="after")
    def _one(self) -> Other:
        if (self.matches is None) == (self.differs_from is None):
            raise ValueError("give either matches or differs_from")
        return self


def _wanted(value: Any) -> Any:
    return text_of(value) if isinstance(value, int | float) else value


Wanted = Annotated[str | Other | None, BeforeValidator(_wanted)]
"""A value, `{matches: regex}`, `{differs_from: value}`, or null: absent."""

Elements = dict[str, Wanted]
"""By number (`"39"`), by part (`"60.batch_number"`)."""


class Expect(Given):
    """What must have come of a step. Without code, outcome, result or the like an approval is expected."""

    response_code: Texts | None = None
    outcome: Texts | None = Field(default=None, description="names of the dialect's outcomes: approved, format_error")
    answered: bool | None = None
    approved: bool | None = None
    fields: Elements = Field(default={}, description="elements of the answer")
    request: Elements = Field(default={}, description="elements of the request as it was sent")
    second_answer: Elements | Literal["none"] | None = Field(
        default=None, description="elements of the answer that came after the first, or none"
    )
    exchanges: list[Name] | None = Field(default=None, description="functions of all messages of the step, in order")
    result: Text | None = Field(default=None, description="what the terminal knows of the batch that it closed")
    refused_by_terminal: Pattern | None = None
    connection: Literal["open", "closed"] | None = None
    within_s: float | None = Field(default=None, gt=0, strict=False)
    at_least_s: float | None = Field(default=None, gt=0, strict=False)


class Batch(Given):
    """How a batch must stand at the host; only what is written is compared."""

    number: Text | None = None
    state: Literal["open", "settling", "uploading", "settled"] | None = None
    result: Literal["balanced", "balanced_after_upload", "out_of_balance", "settled_by_host"] | None = None
    debit: Side | None = None
    credit: Side | None = None
    discrepancies: list[str] | None = Field(default=None, description="their kinds, in any order")


class Check(Given):
    """What the host must say through its admin API of the step's terminal."""

    status: Literal["active", "suspended", "closing", "closed"] | None = None
    batch: Batch | None = Field(default=None, description="the current batch")
    closed_batch: Batch | None = Field(default=None, description="the batch closed last")
    books_agree: bool | None = Field(default=None, description="host's and terminal's totals of the current batch")
    unsettled: Literal["no", "due", "overdue", "forgotten"] | None = None
    events: list[str] | None = Field(default=None, description="types that came since the scenario began, in order")
    no_events: list[str] | None = None
    rule_hits: dict[str, int] | None = Field(default=None, description="how often a rule acted, by id")
    within_s: float | None = Field(
        default=None, gt=0, le=MOST_WAIT_S, strict=False, description="it may take so long until all is true"
    )
