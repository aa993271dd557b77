"""What a step brought, held against what was expected of it: one masked sentence for each difference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pos_specs.currencies import find_currency, show_amount
from pos_specs.dialect import DataElement
from pos_specs.language import Language
from pos_specs.masking import mask_fields
from pos_specs.message import Message
from pos_terminal.scenarios.expectations import Batch, Elements, Expect, Other
from pos_terminal.scenarios.live_terminal import Performed
from pos_terminal.scenarios.step_arguments import Accident, Side
from pos_terminal.scenarios.step_commands import side_of

LOSES_THE_ANSWER = frozenset(
    {
        "answer_lost",
        "line_cut_before_sending",
        "line_cut_after_sending",
        "power_cut_before_sending",
        "power_cut_after_sending",
    }
)
"""Accidents after which a step without expectations is to have no answer."""


def differences(
    language: Language, expect: Expect | None, accident: Accident | None, came: Performed, verb: str
) -> list[str]:
    """Every difference, in words; without expectations an approval is expected, or none after an accident."""
    wanted = expect or Expect()
    return [
        *_answer(language, _with_default(wanted, accident, verb), came),
        *_elements(language, "the answer", wanted.fields, None if came.last is None else came.last.response),
        *_elements(language, "the request", wanted.request, None if came.last is None else came.last.request),
        *_second(language, wanted, came),
        *_course(wanted, came),
    ]


def _with_default(wanted: Expect, accident: Accident | None, verb: str) -> Expect:
    said = (wanted.response_code, wanted.outcome, wanted.answered, wanted.approved, wanted.result, wanted.connection)
    if any(item is not None for item in said):
        return wanted
    if accident is not None and accident.kind in LOSES_THE_ANSWER:
        return wanted.model_copy(update={"answered": False})
    if verb in ("message", "raw"):
        return wanted.model_copy(update={"answered": True})
    return wanted.model_copy(update={"approved": True})


def _answer(language: Language, wanted: Expect, came: Performed) -> Iterator[str]:
    last = came.last
    code = None if last is None else last.code
    answered = last is not None and last.response is not None
    approved = came.result.approved if came.result is not None else last is not None and last.approved
    if came.result is not None and last is None:  # done without the host: kept for later
        answered = came.result.answered
    if wanted.response_code is not None and code not in wanted.response_code:
        yield f"response code {_either(wanted.response_code)} was expected, {_code(language, came)} came"
    if wanted.outcome is not None:
        codes = [language.dialect.outcomes.get(name, "no such outcome") for name in wanted.outcome]
        if code not in codes:
            names = ", ".join(f"{name} ({code})" for name, code in zip(wanted.outcome, codes, strict=True))
            yield f"outcome {names} was expected, {_code(language, came)} came"
    if wanted.answered is not None and wanted.answered != answered:
        yield f"{'an answer' if wanted.answered else 'no answer'} was expected, {_code(language, came)} came"
    if wanted.approved is not None and wanted.approved != approved:
        yield f"{'an approval' if wanted.approved else 'no approval'} was expected, {_code(language, came)} came"
    if wanted.result is not None:
        closed = came.result.closed if came.result is not None else None
        result = "no closed batch" if closed is None else closed.result
        if result != wanted.result:
            yield f"the batch was to be {wanted.result}, what came is {result}: {_code(language, came)}"


def _course(wanted: Expect, came: Performed) -> Iterator[str]:
    """The messages that were exchanged, the connection, and how long it took."""
    if wanted.exchanges is not None:
        functions = [exchange.function for exchange in came.exchanges]
        if functions != wanted.exchanges:
            yield f"messages expected: {', '.join(wanted.exchanges) or 'none'}; sent: {', '.join(functions) or 'none'}"
    if wanted.connection is not None and came.closed != (wanted.connection == "closed"):
        yield f"the connection was to be {wanted.connection}, it is {'closed' if came.closed else 'open'}"
    seconds = sum(exchange.latency_ms or 0 for exchange in came.exchanges) / 1000
    if wanted.within_s is not None and seconds > wanted.within_s:
        yield f"within {wanted.within_s:g} s was expected, it took {seconds:.2f} s"
    if wanted.at_least_s is not None and seconds < wanted.at_least_s:
        yield f"at least {wanted.at_least_s:g} s was expected, it took {seconds:.2f} s"


def _second(language: Language, wanted: Expect, came: Performed) -> Iterator[str]:
    if wanted.second_answer is None:
        return
    if wanted.second_answer == "none":
        if came.second is not None:
            yield "no second answer was expected, one came"
    elif came.second is None:
        yield "a second answer was expected, none came"
    else:
        yield from _elements(language, "the second answer", wanted.second_answer, came.second)


def _elements(language: Language, whose: str, wanted: Elements, message: Message | None) -> Iterator[str]:
    if wanted and message is None:
        yield f"elements of {whose} were expected, and there is none"
        return
    for path, value in wanted.items():
        unknown = _known(language, path)
        if unknown:
            yield unknown
        elif message is not None:
            yield from _element(language, whose, path, value, message)


def _element(language: Language, whose: str, path: str, wanted: str | Other | None, message: Message) -> Iterator[str]:
    came = language.parts.getter(path)(message)
    name = _name(language, path)
    shown = _shown(language, message, path, came)
    if wanted is None:
        if came is not None:
            yield f"{name} of {whose} was to be absent, it is {shown}"
    elif isinstance(wanted, str):
        if came != wanted:
            yield f"{name} of {whose} was to be {_shown(language, message, path, wanted)}, it is {shown}"
    elif wanted.matches is not None:
        if came is None or re.search(wanted.matches, came) is None:
            yield f"{name} of {whose} was to match {wanted.matches}, it is {shown}"
    elif came == wanted.differs_from:
        yield f"{name} of {whose} was to differ from before, it is {shown} again"


def _known(language: Language, path: str) -> str:
    """Why an element of that path cannot be looked for, "" when it can."""
    number, _, _ = path.partition(".")
    if not (number.isascii() and number.isdigit() and int(number) in language.dialect.elements):
        return f"dialect {language.name} has no element {path}"
    return ""


def _name(language: Language, path: str) -> str:
    number, _, part = path.partition(".")
    element: DataElement = language.dialect.elements[int(number)]
    words = [element.title, part.replace("_", " ")] if part else [element.title]
    return f"DE{path} ({', '.join(words)})"


def _shown(language: Language, message: Message, path: str, value: str | None) -> str:
    """A value as it may be shown where it stands in `message`; a part of an element that is masked is not shown."""
    if value is None:
        return "absent"
    number, _, part = path.partition(".")
    own = message.fields.get(int(number))
    if part:
        whole = Message(message.mti, dict(message.fields))
        return value if own is not None and mask_fields(language, whole).get(number) == own else "(masked)"
    return mask_fields(language, Message(message.mti, {**message.fields, int(number): value}))[number]


def _code(language: Language, came: Performed) -> str:
    """What came, as people say it: `51 Insufficient funds`, `no answer`."""
    last = came.last
    reason = came.result.reason if came.result is not None else ""
    because = f" ({reason})" if reason else ""
    if last is None:
        return f"nothing was sent{because}"
    if last.response is None:
        return f"no answer{because}"
    if last.code is None:
        return f"an answer without response code{because}"
    text = language.dialect.codes.get(last.code)
    return f"{last.code}{f' {text.en}' if text else ''}{because}"


def _either(codes: list[str]) -> str:
    return " or ".join(codes)


# ------------------------------------------------------------ the host's books


def batch_differences(which: str, wanted: Batch, came: dict[str, Any] | None, kinds: list[str] | None) -> Iterator[str]:
    """What is otherwise in a batch of the host's; `kinds` are those of its discrepancies, None where not asked."""
    if came is None:
        yield f"{which}: the host has none"
        return
    for key in ("number", "state", "result"):
        value = getattr(wanted, key)
        if value is not None and came.get(key) != value:
            yield f"{which}: {key} was to be {value}, it is {came.get(key)}"
    for key in ("debit", "credit"):
        side = getattr(wanted, key)
        if side is not None:
            yield from _side(which, key, side, came)
    if wanted.discrepancies is not None and kinds is not None and sorted(wanted.discrepancies) != sorted(kinds):
        expected = ", ".join(wanted.discrepancies) or "none"
        yield f"{which}: discrepancies {expected} were expected, there are {', '.join(kinds) or 'none'}"


def _side(which: str, key: str, wanted: Side, came: dict[str, Any]) -> Iterator[str]:
    currency = find_currency(came.get("currency") or "CNY")
    expected, side = side_of(wanted, currency.number), came[key]
    if (side["count"], side["amount_minor"]) != (expected.count, expected.amount_minor):
        money = show_amount(side["amount_minor"], currency)
        yield f"{which}: {key} was to be {wanted.count} for {wanted.amount}, it is {side['count']} for {money}"


def event_differences(wanted: list[str], came: list[str]) -> Iterator[str]:
    """The first event of `wanted` that did not come after those before it; others may stand between."""
    position = 0
    for kind in wanted:
        try:
            position = came.index(kind, position) + 1
        except ValueError:
            yield f"event {kind} was expected{' there' if position else ''}, what came: {', '.join(came) or 'none'}"
            return
