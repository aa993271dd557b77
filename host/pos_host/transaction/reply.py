"""The answer to a request: what the dialect echoes, and what the host makes, element by element."""

from __future__ import annotations

from pos_host.clock import Instant
from pos_host.ledger.decision import Decision
from pos_host.transaction.reply_source import Plan, compile_plan
from pos_specs.cards import DOMESTIC, organisation, pan_of_track2
from pos_specs.dialect import FunctionRule
from pos_specs.language import Language, Route
from pos_specs.message import Message, reply_mti
from pos_specs.totals import JUDGED_WRONG
from pos_specs.vocabulary import DECLINED_BY_RULE, OUTCOMES

BALANCE_OUTCOMES = frozenset({"approved", "out_of_balance", "out_of_balance_send_batch"})
"""Outcomes of judged totals: a UnionPay 0510 tells them in DE48 and not in DE39."""


def response_code(language: Language, outcome: str, rule: FunctionRule | None = None) -> str:
    """The dialect's code for an outcome in the answers of a rule; one the dialect does not have is a system error."""
    return language.dialect.code_for(outcome, rule)


def build_reply(language: Language, route: Route, message: Message, decision: Decision, at: Instant) -> Message:
    """The answer of the route's rule to `message`: what it echoes and what is added; the codec puts it in order."""
    if route.plan is None:
        route.plan = answer_plan(language, route.rule, message)
    reply: Message = route.plan(message, decision, at)
    return reply


def answer_plan(language: Language, rule: FunctionRule, message: Message) -> Plan:
    """A function that makes the rule's answer to every message that has the elements of `message`."""
    silent = BALANCE_OUTCOMES if rule.code_only_on_error else frozenset()
    sure = {number: f"f[{number}]" for number in rule.echo if number in message.fields}
    possible = {}
    for number in rule.add:
        name = rule.answer.get(number) or language.dialect.answer.get(number, "")
        if name in SURE and not (silent and name == "response_code"):
            sure[number] = SURE[name]
        else:
            possible[number] = POSSIBLE.get(name) or SURE.get(name) or f"decision.values.get({name!r})"
    return compile_plan(
        reply_mti(message.mti),
        sure,
        possible,
        {
            "CODES": {
                **{name: "" if name in silent else response_code(language, name, rule) for name in OUTCOMES},
                DECLINED_BY_RULE: "",
            },
            "ACQUIRER_ID": language.dialect.acquirer_id,
            "INSTITUTIONS": f"{language.dialect.acquirer_id:<11}" * 2,
            "batch_info": _batch_info,
            "pan": _pan,
            "card_organisation": _card_organisation,
            "totals": _totals,
            "settlement_code": _settlement_code,
        },
    )


def bare_reply(language: Language, message: Message, outcome: str, at: Instant) -> Message:
    """The answer to a message that has no rule: its key elements, the time and the code."""
    elements = language.dialect.elements
    clock = {12: ("local_time", at.time), 13: ("local_date", at.date)}  # in 1993 something else stands there
    made = {n: value for n, (name, value) in clock.items() if n in elements and elements[n].name == name}
    made[39] = response_code(language, outcome)
    for number in (3, 11, 24, 41, 42, 60):
        if number in message.fields:
            made[number] = message.fields[number]
    fields = dict(sorted(made.items()))
    if language.dialect.totals_kind != "unionpay48":
        fields.pop(60, None)
    return Message(reply_mti(message.mti), fields)


def _batch_info(message: Message, decision: Decision) -> str | None:
    """The request's DE60; where the host gives the batch number, with that number in it."""
    sent = message.fields.get(60)
    number = decision.values.get("batch_number")
    if sent is None or number is None:
        return sent
    return sent[:2] + number + sent[8:]


def _pan(message: Message) -> str | None:
    """DE2, or what stands for it on track 2; an enciphered track may show no digits there, and then it is none."""
    pan = message.fields.get(2) or pan_of_track2(message.fields.get(35, ""))
    return pan if pan.isdigit() else None


def _card_organisation(pan: str | None) -> str:
    """DE63.1, by which a terminal knows in which half of its totals a card counts (unionpay.md 4.1)."""
    return organisation(pan) if pan else DOMESTIC


def _totals(message: Message, decision: Decision) -> str | None:
    """What the handler gives; where nothing could be judged the terminal's own under code 3 (unionpay.md 8a)."""
    given = decision.values.get("totals")
    if given is not None or decision.outcome in BALANCE_OUTCOMES:
        return given
    sent = message.fields.get(48, "")
    if len(sent) not in (31, 62) or not sent.isdigit():
        sent = "0" * 62
    return "".join(sent[half : half + 30] + JUDGED_WRONG for half in range(0, len(sent), 31))


def _settlement_code(decision: Decision) -> str | None:
    """DE66 of ISO 1987: 1 or 2 from the handler, 3 where nothing could be judged."""
    return decision.values.get("settlement_code") or (None if decision.outcome in BALANCE_OUTCOMES else JUDGED_WRONG)


SURE = {
    "local_time": "at.time",
    "local_date": "at.date",
    "settlement_date": "at.settlement_date",
    "acquirer_id": "ACQUIRER_ID",
    "response_code": "CODES[decision.outcome] or decision.values.get('response_code')",
}
"""How the values are made that no answer lacks, as source text for `reply_source`."""

POSSIBLE = {
    "rrn": "decision.rrn",
    "approval_code": "decision.approval_code if approved else None",
    "institutions": "INSTITUTIONS if approved else None",
    "batch_info": "batch_info(message, decision) if decision.values else f.get(60)",
    "pan": "f.get(2) or pan(message)",
    "card_organisation": "card_organisation(r.get(2) or pan(message)) if approved else None",
    "totals": "totals(message, decision)",
    "settlement_code": "settlement_code(decision)",
}
"""How those are made that may be empty; what is not here the handler gives in `decision.values`.
DE44 holds issuer and acquirer, eleven characters each (unionpay.md 2): the simulator is its own issuer."""
