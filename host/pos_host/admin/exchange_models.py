"""What the API answers about exchanges and expectations, with examples; and what may be asked of exchanges."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pos_host.admin.answers import Answer, Instant, MerchantId, TerminalId
from pos_host.admin.queries import NUMBER_MOST
from pos_host.expectations.expectation import COUNT_MOST
from pos_host.expectations.wanted import VALUE_MOST, Wanted, WantedError, wanted_of

WITHIN_MOST_S = 60.0
"""The longest that an answer is held back; clients of HTTP give up soon after."""

FIELDS_MOST = 64
"""Elements that one query names; more go into an expectation."""

Mark = Annotated[int, Field(description="the number of the latest exchange", examples=[17])]
Text = Annotated[str | None, Query(max_length=VALUE_MOST)]


class Element(Answer):
    """An element as `pos-host decode --mask` shows it."""

    number: str = Field(description='"" for the message type and the bitmap', examples=["4"])
    name: str = Field(examples=["amount"])
    start: int | None = Field(description="its first byte, counted from the message type", examples=[37])
    end: int | None = Field(description="the byte behind its last", examples=[43])
    counter: str = Field(description="the bytes of its length, in hex", examples=[""])
    raw: str = Field(description='its bytes in hex; "" where the value is masked', examples=["000000001234"])
    value: str = Field(examples=["000000001234"])
    meaning: str = Field(examples=["CNY 12.34"])
    parts: list[dict[str, str]] = Field(examples=[[]])


class MessageContent(Answer):
    """A message, card data masked."""

    mti: str = Field(examples=["0200"])
    fields: dict[str, str] = Field(examples=[{"4": "000000001234", "11": "000002"}])
    elements: list[Element] | None = Field(None, description="/messages only")


class ExchangeAnswer(Answer):
    """A request that the host received, and its answer as it was made, before a fault."""

    number: int = Field(description="counts the exchanges of this host", examples=[17])
    at: Instant
    peer: str = Field(examples=["127.0.0.1:50312"])
    dialect: str = Field(examples=["unionpay"])
    merchant_id: MerchantId
    terminal_id: TerminalId
    function: str = Field(description='"" where the message could not be read', examples=["purchase"])
    outcome: str = Field(examples=["approved"])
    reason: str = Field(description="why it was not approved, where there is more to say", examples=[""])
    response_code: str | None = Field(examples=["00"])
    rules: list[str] = Field(description="the scenario rules that acted", examples=[[]])
    fault: str | None = Field(description="the fault that spoilt the answer", examples=[None])
    request: MessageContent | None
    reply: MessageContent | None


class Received(Answer):
    """Exchanges, and a mark from which to ask on."""

    items: list[ExchangeAnswer]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last", examples=["100"])
    mark: Mark


class Marked(Answer):
    """From here on."""

    mark: Mark


class CountRange(BaseModel):
    """How often, both ends included; without `at_most` any number."""

    model_config = ConfigDict(extra="forbid", strict=True)

    at_least: int = Field(0, ge=0, le=COUNT_MOST)
    at_most: int | None = Field(None, ge=0, le=COUNT_MOST)


def _number_or_range(given: Any) -> Any:
    """One complaint where it is neither, and not one for each that it might have been."""
    if isinstance(given, bool) or not isinstance(given, int | dict):
        raise ValueError("must be a number, or at_least and at_most")
    return given


class ExpectationDocument(BaseModel):
    """What is expected: conditions on the request and its answer, how often, and how long to wait for it."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"function": "purchase", "amount_minor": 1234, "count": 1}]},
    )

    function: str | None = None
    terminal_id: str | None = None
    merchant_id: str | None = None
    dialect: str | None = None
    mti: str | None = None
    amount: str | None = Field(None, description="as people write it: 12.34")
    amount_minor: int | None = None
    currency: str | None = Field(None, description="letters or number")
    stan: str | None = None
    card: str | None = Field(None, description="a card number; first six and last four digits are compared")
    outcome: str | None = None
    response_code: str | None = None
    rule: str | None = Field(None, description="the id of a rule that acted")
    fault: str | None = None
    fields: dict[str, str | None] | None = Field(
        None, description='elements and parts: {"25": "00", "60.batch_number": "000001", "55": "*", "52": null}'
    )
    count: Annotated[int | CountRange, BeforeValidator(_number_or_range)] = Field(
        1, description="exactly so often, or at_least and at_most"
    )
    within: float = Field(0, ge=0, le=WITHIN_MOST_S, description="seconds for which GET waits until it is met")
    since: int | None = Field(
        None, ge=0, le=NUMBER_MOST, description="a mark; by default that of the last DELETE /received, or the start"
    )


class DifferenceAnswer(Answer):
    """One thing that was not as expected."""

    what: str = Field(examples=["DE4"])
    wanted: str | None = Field(description="null: it should be absent", examples=["000000001234"])
    came: str | None = Field(description="null: it was absent", examples=["000000001235"])


class Miss(Answer):
    """An exchange that was not the expected one, and why."""

    exchange: ExchangeAnswer
    differences: list[DifferenceAnswer]


class ExpectationAnswer(Answer):
    """An expectation and what became of it."""

    id: str = Field(examples=["1"])
    expected: dict[str, Any] = Field(examples=[{"function": "purchase", "amount_minor": 1234}])
    count: CountRange
    since: int = Field(examples=[0])
    verdict: Literal["met", "missed", "pending"]
    matched: int = Field(examples=[0])
    explanation: str = Field(examples=["expected once: purchase (amount_minor 1234); came 0 times"])
    matches: list[ExchangeAnswer]
    nearest: list[Miss]


class Expectations(Answer):
    """Every expectation since the last reset."""

    items: list[ExpectationAnswer]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last", examples=["100"])


class CleanHost(Answer):
    """The host is as it was at its start."""

    now: Instant
    mark: Mark


async def _wanted(
    function: Text = None,
    terminal_id: Text = None,
    merchant: Annotated[str | None, Query(max_length=VALUE_MOST, description="the merchant's number")] = None,
    dialect: Text = None,
    mti: Text = None,
    amount: Text = None,
    amount_minor: int | None = None,
    currency: Text = None,
    stan: Text = None,
    card: Text = None,
    outcome: Text = None,
    response_code: Text = None,
    rule: Text = None,
    fault: Text = None,
    field: Annotated[
        list[str] | None, Query(max_length=FIELDS_MOST, description="`25=00`, `60.batch_number=000001`, `55=*`")
    ] = None,
) -> Wanted:
    """The conditions of a query. Merchants see nothing here, so that it takes `merchant` and not `merchant_id`."""
    fields: dict[str, str | None] = {}
    for text in field or ():
        place, _, value = text.partition("=")
        fields[place] = value or None
    given = {
        "function": function, "terminal_id": terminal_id, "merchant_id": merchant, "dialect": dialect, "mti": mti,
        "amount": amount, "amount_minor": amount_minor, "currency": currency, "stan": stan, "card": card,
        "outcome": outcome, "response_code": response_code, "rule": rule, "fault": fault, "fields": fields or None,
    }  # fmt: skip
    try:
        return wanted_of({name: value for name, value in given.items() if value is not None})
    except WantedError as error:
        raise invalid("query", error) from None


def invalid(where: str, error: WantedError) -> RequestValidationError:
    """The problem of a condition that says nothing: its text begins with the condition's name."""
    name, _, reason = str(error).partition(": ")
    return RequestValidationError([{"type": "value_error", "loc": (where, name), "msg": reason or str(error)}])


TheWanted = Annotated[Wanted, Depends(_wanted)]
Since = Annotated[int, Query(ge=0, le=NUMBER_MOST, description="a mark: only what came after it")]
