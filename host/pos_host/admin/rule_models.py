"""What the API takes and answers about scenario rules, with examples. Their content is checked by the rulebook."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pos_host.admin.answers import Answer, Instant, MerchantId, Stan, TerminalId

_NO_FUNDS = {
    "id": "no-funds",
    "when": {"function": "purchase", "amount": "51.00"},
    "reply": {"response_code": "51"},
}

RuleDocument = Annotated[
    dict[str, Any], Field(description="a rule as rule files have it (docs/rules.md)", examples=[_NO_FUNDS])
]


class RuleSet(BaseModel):
    """All the rules there are to be."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rules: list[RuleDocument]
    seed: int | None = Field(None, description="what chance is drawn from; kept as it is where none is given")


class Rule(Answer):
    """A rule: its document, and what it did so far."""

    id: Annotated[str, BeforeValidator(str)] = Field(examples=["no-funds"])  # a rule file may write a number
    enabled: bool
    matched: int = Field(description="requests for which its conditions were true", examples=[3])
    acted: int = Field(description="requests on which it acted", examples=[1])
    last_hit_at: Instant | None


class Rules(Answer):
    """Part of the rules, in their order, or all of them."""

    items: list[Rule]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last", examples=["100"])
    seed: int = Field(description="what chance is drawn from", examples=[0])


class Hit(Answer):
    """A request on which a rule acted."""

    at: Instant
    merchant_id: MerchantId
    terminal_id: TerminalId
    stan: Stan
    function: str = Field(examples=["purchase"])
    replied: bool = Field(description="whether its reply acted")
    fault: str | None = Field(description="the kind of its fault; null where none acted", examples=["late_reply"])
