"""Texts of rules with places to fill in: `{request.11}`, `{batch.number}`, `{now.time}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from pos_host.clock import Instant
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.decision import Decision
from pos_host.ledger.group_totals import sides
from pos_host.rules.errors import RuleFailed
from pos_host.transaction.request import Request
from pos_specs.message import Message

PLACES = {
    "request.N": "element N of the request",
    "reply.N": "element N of the answer as it would be without the rule",
    "function": "the function",
    "terminal_id": "the terminal",
    "merchant_id": "the merchant",
    "stan": "the STAN",
    "currency": "the currency's number",
    "amount_minor": "the amount in minor units, twelve digits",
    "amount.cents": "the last two digits of the amount in minor units",
    "rrn": "the retrieval reference number of the decision",
    "approval_code": "the approval code, empty for a decline",
    "batch.number": "the terminal's open batch, six digits",
    "batch.debit.count": "how many debits stand in it",
    "batch.debit.amount_minor": "their sum in minor units",
    "batch.credit.count": "how many credits stand in it",
    "batch.credit.amount_minor": "their sum in minor units",
    "now.time": "the merchant's local time, hhmmss",
    "now.date": "the merchant's local date, MMDD",
    "now.settlement_date": "the business day, MMDD",
}
"""Every place and what is put there."""

NEVER_REPEATED = frozenset({"pan", "track", "pin", "secret", "records"})
"""Elements of this sensitivity are not put into others, where nobody would look for a card number and mask it."""

_PLACE = re.compile(r"\{([^{}:]*)(?::0([0-9]{1,2}))?\}")
_ELEMENT = re.compile(r"(request|reply)\.([0-9]{1,3})")


class Scene(NamedTuple):
    """What a template may speak of. `decision` and `reply` are None before they are made."""

    request: Request
    book: Book | None
    now: Instant
    decision: Decision | None = None
    reply: Message | None = None


class Template:
    """A text with places; `{amount_minor:012}` fills up with zeros to that width.

    Raises ValueError, in words that follow a key's name, for a place that there is not; `early` templates are filled in
    before there is a decision and an answer.
    """

    def __init__(self, text: str, *, early: bool = False) -> None:
        self.text = text
        known = [name for name in PLACES if not early or not name.startswith(("reply", "rrn", "approval_code"))]
        for name, _ in _PLACE.findall(text):
            element = _ELEMENT.fullmatch(name)
            shown = name if element is None else f"{element[1]}.N"
            if shown not in known or (element is not None and not 2 <= int(element[2]) <= 128):
                raise ValueError(f"has a place that there is not; there are {', '.join(known)}")
        if set("{}") & set(_PLACE.sub("", text)):
            raise ValueError("has a brace that belongs to no place such as {request.11}")

    def fill(self, scene: Scene, target: int = 0) -> str:
        """The text for the element `target`; raises RuleFailed where an element to repeat is absent or sensitive."""
        if "{" not in self.text:
            return self.text
        return _PLACE.sub(lambda found: _value(found[1], scene, target).zfill(int(found[2] or 0)), self.text)


def _value(name: str, scene: Scene, target: int) -> str:
    element = _ELEMENT.fullmatch(name)
    if element is not None:
        return _element(element[1], int(element[2]), scene, target)
    if name.startswith("batch."):
        return _of_batch(name, None if scene.book is None else scene.book.current)
    request, decision = scene.request, scene.decision
    amount = f"{request.amount_minor or 0:012d}"
    values: Mapping[str, str] = {
        "function": request.function,
        "terminal_id": request.terminal_id,
        "merchant_id": request.merchant_id,
        "stan": request.stan,
        "currency": request.currency,
        "amount_minor": amount,
        "amount.cents": amount[-2:],
        "rrn": "" if decision is None else decision.rrn,
        "approval_code": "" if decision is None else decision.approval_code,
        "now.time": scene.now.time,
        "now.date": scene.now.date,
        "now.settlement_date": scene.now.settlement_date,
    }
    return values[name]


def _element(side: str, number: int, scene: Scene, target: int) -> str:
    message = scene.request.message if side == "request" else scene.reply
    value = None if message is None else message.fields.get(number)
    element = scene.request.language.dialect.elements.get(number)
    if value is None or element is None:
        raise RuleFailed(f"the {side} has no element {number}")
    if number != target and element.sensitive in NEVER_REPEATED:
        raise RuleFailed(f"element {number} is sensitive ({element.sensitive}) and is not put into another")
    return value


def _of_batch(name: str, batch: Batch | None) -> str:
    if batch is None:
        raise RuleFailed("the terminal has no batch yet")
    if name == "batch.number":
        return batch.number
    _, side, what = name.split(".")
    debit, credit = sides(batch)
    return str(getattr(debit if side == "debit" else credit, what))
