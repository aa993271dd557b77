"""Whether an answer belongs to a request. One that does not counts as no answer."""

from __future__ import annotations

from pos_specs.dialect import FunctionRule
from pos_specs.message import Message, reply_mti

COMPARED = (3, 11, 41)
"""Elements that must come back as they went, where the dialect says that they come back (unionpay.md 1)."""

COMPARED_IF_PRESENT = (4, 42)
"""Elements that may be missing from an answer but must not differ."""

PARTIAL_APPROVAL = "10"
"""UnionPay: approved for less than was asked; the answer's amount counts."""

PROCESSING_CODE_DIGITS = 5
"""PAX terminals compare five digits of DE3: hosts change the last one of an upload (hypercom.md 2.6)."""


def mismatch(rule: FunctionRule, request: Message, answer: Message) -> str | None:
    """What makes `answer` not the answer to `request`, or None when it is."""
    if answer.mti != reply_mti(request.mti):
        return f"message type {answer.mti}"
    for number in COMPARED:
        sent = request.fields.get(number)
        if sent is not None and number in rule.echo and not _same(number, sent, answer.fields.get(number)):
            return f"element {number}"
    for number in COMPARED_IF_PRESENT:
        sent, came = request.fields.get(number), answer.fields.get(number)
        if sent is not None and came is not None and sent != came and not _partial(number, answer):
            return f"element {number}"
    if 39 in rule.add and 39 not in answer.fields and not rule.code_only_on_error:
        return "no element 39"
    return None


def _same(number: int, sent: str, came: str | None) -> bool:
    if came is None:
        return False
    if number == 3:
        return sent[:PROCESSING_CODE_DIGITS] == came[:PROCESSING_CODE_DIGITS]
    return sent == came


def _partial(number: int, answer: Message) -> bool:
    return number == 4 and answer.fields.get(39) == PARTIAL_APPROVAL
