"""Scenario rules out of a recording: with them our host answers as the recorded one did.

For each function the most frequent answer is the last rule, and what was answered otherwise has rules before it, with
as few conditions as tell it apart: amount, first digits of the card, entry mode, terminal, and where nothing else does,
which of the terminal's requests it was.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from pos_specs.card_search import cards_in
from pos_specs.cards import pan_of_track2
from pos_specs.currencies import MoneyError, find_currency, show_amount
from pos_specs.recorded_exchanges import RecordedExchange
from pos_specs.vocabulary import FUNCTIONS

FIRST_DIGITS = 6
"""Digits of a card number that a condition has: the issuer's."""

TOLD_APART_BY = (
    ("amount",),
    ("pan",),
    ("entry_mode",),
    ("terminal_id",),
    ("amount", "pan"),
    ("amount", "terminal_id"),
    ("amount", "pan", "entry_mode", "terminal_id"),
)
"""Conditions that are tried, the first that tells an answer apart is taken."""

NO_ANSWER = "no_reply"

LONGEST_ID = 64
"""Characters of a rule's id (rules/rule.py)."""

_NO_LETTERS = re.compile("[^A-Za-z0-9]+")


class Outcome(NamedTuple):
    """What was answered: the code ("" without), the elements given again, or that nothing came."""

    code: str
    elements: tuple[tuple[int, str], ...] = ()
    silent: bool = False
    uploads: bool = False


class _Case(NamedTuple):
    """A request's values for conditions, and its outcome."""

    values: Mapping[str, str]
    outcome: Outcome


def stub_rules(exchanges: Iterable[RecordedExchange]) -> list[dict[str, Any]]:
    """Rule documents, in the order in which they are to stand; none where our host answers like that by itself."""
    groups: dict[tuple[str, str], list[_Case]] = {}
    approved: dict[tuple[str, str], str] = {}
    for exchange in exchanges:
        if exchange.unreadable or exchange.function not in FUNCTIONS:
            continue
        dialect = exchange.language.dialect
        rule = exchange.language.function_of(exchange.message)
        key = dialect.name, exchange.function
        approved[key] = "" if rule is not None and rule.code_only_on_error else dialect.code_for("approved", rule)
        groups.setdefault(key, []).append(_case(exchange))
    return [
        document
        for (dialect_name, function), cases in groups.items()
        for document in _rules_of(dialect_name, function, cases, Outcome(approved[dialect_name, function]))
    ]


def _case(exchange: RecordedExchange) -> _Case:
    fields = exchange.message.fields
    card = (
        fields.get(2)
        or pan_of_track2(fields.get(35, ""))
        or min(cards_in(exchange.language, exchange.message), default="")
    )
    values = {
        "amount": _amount(exchange),
        "pan": card[:FIRST_DIGITS] if card.isdigit() else "",
        "entry_mode": fields.get(22, ""),
        "terminal_id": exchange.terminal[2],
    }
    return _Case(values, _outcome(exchange))


def _amount(exchange: RecordedExchange) -> str:
    """The amount as rules write it, "" where there is none."""
    text, currency = exchange.message.fields.get(4, ""), exchange.message.fields.get(49, "")
    if not (text.isascii() and text.isdigit()):
        return ""
    try:
        shown = show_amount(int(text), find_currency(currency or exchange.language.dialect.currency))
    except MoneyError:
        return ""
    return shown.replace(",", "")


def _outcome(exchange: RecordedExchange) -> Outcome:
    answer = exchange.answer
    if answer is None:
        return Outcome("", silent=True)
    code = answer.fields.get(39, "")
    if exchange.function == "settlement" and _wants_upload(exchange):
        return Outcome(code, uploads=True)
    table = _table()
    if exchange.function in table["without_elements"]:
        return Outcome(code)
    request = exchange.message.fields
    given = tuple(
        (number, value)
        for number, value in answer.fields.items()
        if number in table["elements"] and number not in exchange.hidden and request.get(number) != value
        if not {"{", "}"} & set(value)
    )
    return Outcome(code, given)


def _wants_upload(exchange: RecordedExchange) -> bool:
    """Whether a settlement was answered that the totals are not the host's."""
    answer, language = exchange.answer, exchange.language
    if answer is None:
        return False
    parts = language.parts.of(answer, 48) or {}
    disputed = {parts.get("domestic_code"), parts.get("foreign_code")} & {"2", "3"}
    return bool(disputed) or answer.fields.get(39) == language.dialect.outcomes.get("out_of_balance_send_batch")


def _rules_of(dialect: str, function: str, cases: list[_Case], natural: Outcome) -> list[dict[str, Any]]:
    usual = Counter(case.outcome for case in cases).most_common(1)[0][0]
    if usual.silent:
        usual = natural
    rules: list[dict[str, Any]] = []
    seen: set[tuple[tuple[str, Any], ...]] = set()
    for place, case in enumerate(cases):
        if case.outcome == usual:
            continue
        conditions = _conditions(cases, place)
        key = tuple(sorted(conditions.items()))
        if key not in seen:
            seen.add(key)
            rules.append(_rule(dialect, function, conditions, case.outcome, len(rules) + 1))
    if usual != natural:
        rules.append(_rule(dialect, function, {}, usual, len(rules) + 1))
    return rules


def _conditions(cases: list[_Case], place: int) -> dict[str, Any]:
    """The fewest conditions under which every recorded request had this outcome."""
    case = cases[place]
    for names in TOLD_APART_BY:
        wanted = {name: case.values[name] for name in names}
        alike = [other for other in cases if all(other.values[name] == value for name, value in wanted.items())]
        if all(wanted.values()) and all(other.outcome == case.outcome for other in alike):
            return wanted
    terminal_id = case.values["terminal_id"]
    before = sum(other.values["terminal_id"] == terminal_id for other in cases[: place + 1])
    return {"terminal_id": terminal_id, "nth": before} if terminal_id else {"nth": place + 1}


def _rule(dialect: str, function: str, conditions: dict[str, Any], outcome: Outcome, number: int) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": _id(dialect, function, outcome, number),
        "when": {"function": function, "dialect": dialect, **conditions},
    }
    if outcome.silent:
        document["fault"] = NO_ANSWER
    elif outcome.uploads:
        document["reply"] = {"force_upload": True}
    else:
        reply: dict[str, Any] = {"response_code": outcome.code} if outcome.code else {"omit": ["39"]}
        if outcome.elements:
            reply["set"] = {str(element): value for element, value in outcome.elements}
        document["reply"] = reply
    return document


def _id(dialect: str, function: str, outcome: Outcome, number: int) -> str:
    """Of the signs and the length that rules allow; a code may be anything that the other host sent."""
    name = "silent" if outcome.silent else _NO_LETTERS.sub("", outcome.code) or "stub"
    end = f"-{name}-{number}"
    return _NO_LETTERS.sub("-", f"{dialect}-{function}")[: LONGEST_ID - len(end)] + end


@lru_cache(maxsize=1)
def _table() -> dict[str, list[Any]]:
    return tomllib.loads((resources.files("pos_host.recording") / "stub_elements.toml").read_text("utf-8"))
