"""The answer to a request: what the dialect echoes, and what the host makes, element by element."""

from __future__ import annotations

from collections.abc import Callable

from pos_host.clock import Instant
from pos_host.ledger.decision import Decision
from pos_specs.cards import DOMESTIC, organisation, pan_of_track2
from pos_specs.dialect import FunctionRule
from pos_specs.language import Language
from pos_specs.message import Message, reply_mti
from pos_specs.totals import JUDGED_WRONG

Value = Callable[[Language, Message, Decision, Instant], str | None]

BALANCE_OUTCOMES = frozenset({"approved", "out_of_balance", "out_of_balance_send_batch"})
"""Outcomes of judged totals: a UnionPay 0510 tells them in DE48 and not in DE39."""


def response_code(language: Language, outcome: str) -> str:
    """The dialect's code for an outcome; one the dialect does not have is a system error."""
    outcomes = language.dialect.outcomes
    return outcomes.get(outcome) or outcomes["internal_error"]


class ReplyPlan:
    """A rule's answer worked out once: what is echoed, who makes the rest, what the handler gives."""

    __slots__ = ("echo", "given", "made", "rule")

    def __init__(self, language: Language, rule: FunctionRule) -> None:
        answer = language.dialect.answer
        self.rule = rule
        self.echo = rule.echo
        added = [(number, answer.get(number, "")) for number in rule.add]
        self.made = [(number, meaning, _VALUES[meaning]) for number, meaning in added if meaning in _VALUES]
        self.given = [(number, meaning) for number, meaning in added if meaning not in _VALUES]


_plans: dict[int, ReplyPlan] = {}
"""By the identity of the rule; languages and their rules live as long as the process."""


def build_reply(language: Language, rule: FunctionRule, message: Message, decision: Decision, at: Instant) -> Message:
    """The answer of `rule` to `message`: what it echoes and what is added; the codec puts it in order."""
    plan = _plans.get(id(rule))
    if plan is None or plan.rule is not rule:
        plan = _plans[id(rule)] = ReplyPlan(language, rule)
    request = message.fields
    fields = {number: request[number] for number in plan.echo if number in request}
    silent = rule.code_only_on_error and decision.outcome in BALANCE_OUTCOMES
    for number, meaning, make in plan.made:
        value = make(language, message, decision, at)
        if value and not (silent and meaning == "response_code"):
            fields[number] = value
    values = decision.values
    for number, meaning in plan.given:
        value = values.get(meaning)
        if value:
            fields[number] = value
    return Message(reply_mti(message.mti), fields)


def bare_reply(language: Language, message: Message, outcome: str, at: Instant) -> Message:
    """The answer to a message that has no rule: its key elements, the time and the code."""
    made = {12: at.time, 13: at.date, 39: response_code(language, outcome)}
    for number in (3, 11, 24, 41, 42, 60):
        if number in message.fields:
            made[number] = message.fields[number]
    fields = dict(sorted(made.items()))
    if language.dialect.totals_kind != "unionpay48":
        fields.pop(60, None)
    return Message(reply_mti(message.mti), fields)


def _approval_code(language: Language, message: Message, decision: Decision, at: Instant) -> str | None:
    return decision.approval_code if decision.outcome == "approved" else None


def _batch_info(language: Language, message: Message, decision: Decision, at: Instant) -> str | None:
    """The request's DE60; where the host gives the batch number, with that number in it."""
    sent = message.fields.get(60)
    number = decision.values.get("batch_number")
    if sent is None or number is None:
        return sent
    return sent[:2] + number + sent[8:]


def _pan(language: Language, message: Message, decision: Decision, at: Instant) -> str | None:
    return message.fields.get(2) or pan_of_track2(message.fields.get(35, "")) or None


def _institutions(language: Language, message: Message, decision: Decision, at: Instant) -> str | None:
    """Issuer and acquirer, eleven characters each (unionpay.md 2, DE44); the simulator is its own issuer."""
    return f"{language.dialect.acquirer_id:<11}" * 2 if decision.outcome == "approved" else None


def _card_organisation(language: Language, message: Message, decision: Decision, at: Instant) -> str | None:
    """DE63.1, by which a terminal knows in which half of its totals a card counts (unionpay.md 4.1)."""
    if decision.outcome != "approved":
        return None
    pan = _pan(language, message, decision, at)
    return organisation(pan) if pan else DOMESTIC


def _totals(language: Language, message: Message, decision: Decision, at: Instant) -> str | None:
    """What the handler gives; where nothing could be judged the terminal's own under code 3 (unionpay.md 8a)."""
    given = decision.values.get("totals")
    if given is not None or decision.outcome in BALANCE_OUTCOMES:
        return given
    sent = message.fields.get(48, "")
    if len(sent) not in (31, 62) or not sent.isdigit():
        sent = "0" * 62
    return "".join(sent[half : half + 30] + JUDGED_WRONG for half in range(0, len(sent), 31))


def _settlement_code(language: Language, message: Message, decision: Decision, at: Instant) -> str | None:
    """DE66 of ISO 1987: 1 or 2 from the handler, 3 where nothing could be judged."""
    return decision.values.get("settlement_code") or (None if decision.outcome in BALANCE_OUTCOMES else JUDGED_WRONG)


_VALUES: dict[str, Value] = {
    "local_time": lambda language, message, decision, at: at.time,
    "local_date": lambda language, message, decision, at: at.date,
    "settlement_date": lambda language, message, decision, at: at.settlement_date,
    "acquirer_id": lambda language, message, decision, at: language.dialect.acquirer_id,
    "rrn": lambda language, message, decision, at: decision.rrn or None,
    "approval_code": _approval_code,
    "response_code": lambda language, message, decision, at: response_code(language, decision.outcome),
    "institutions": _institutions,
    "batch_info": _batch_info,
    "pan": _pan,
    "card_organisation": _card_organisation,
    "totals": _totals,
    "settlement_code": _settlement_code,
}
