"""Requests built from the dialect's function table: the rule says what a message must look like.

The patterns of a rule give MTI, processing code, condition code and the parts that name the function;
`required` says which of the terminal's values go along. Values are named as the dialect names them:
`"11"` is an element, `"60.batch_number"` a part of one.
"""

from __future__ import annotations

from collections.abc import Mapping

from pos_specs.dialect import Dialect, FunctionRule, matches
from pos_specs.errors import MessageError
from pos_specs.language import Language
from pos_specs.message import Message

Values = Mapping[str, str]
"""Path → value."""


class NoSuchFunction(Exception):
    """The dialect has no message for what was asked."""


class RequestImpossible(Exception):
    """The dialect demands an element that this terminal has no value for, or gives one a form it does not write."""


def rule_of(dialect: Dialect, function: str, hints: Values) -> FunctionRule:
    """The first rule of `function` that speaks against no hint; raises NoSuchFunction."""
    for rule in dialect.functions:
        if rule.name == function and all(_admits(rule, key, value) for key, value in hints.items()):
            return rule
    raise NoSuchFunction(f"dialect {dialect.name} has no {function}")


def build_request(language: Language, rule: FunctionRule, offers: Values, extras: Values) -> Message:
    """The request of `rule`: what its patterns say, of `offers` what it requires, and all of `extras` that is not "".

    Raises RequestImpossible for a required element that is in neither, and for a value that does not fit its element.
    """
    dialect = language.dialect
    values = {**_patterns(rule), **{path: value for path, value in extras.items() if value}}
    numbers = {_element(path) for path in values}
    known = {**offers, **values}
    numbers.update(rule.required)
    numbers.update(_choices(rule, known))
    fields: dict[int, str] = {}
    for number in sorted(numbers):
        value = known.get(str(number)) or _compose(dialect, number, known)
        if value:
            fields[number] = value
        elif number in rule.required:
            raise RequestImpossible(f"{rule.name} in dialect {dialect.name} demands element {number}")
    message = Message(rule.mtis[0], fields)
    try:
        language.encode(message)
    except MessageError as error:
        raise RequestImpossible(f"{rule.name} in dialect {dialect.name}: {error}") from None
    return message


def _admits(rule: FunctionRule, key: str, value: str) -> bool:
    patterns = rule.condition.patterns(key)
    return not patterns or any(matches(pattern, value) for pattern in patterns)


def _patterns(rule: FunctionRule) -> dict[str, str]:
    """What the rule's own condition says; where any digit will do, zero is taken."""
    return {
        key: patterns[0].replace("x", "0")
        for key, patterns in rule.condition.tests
        if key != "mti" and not key.endswith(".length")
    }


def _element(path: str) -> int:
    return int(path.partition(".")[0])


def _choices(rule: FunctionRule, known: Values) -> set[int]:
    """Of each group of which one is needed, the first the terminal can send."""
    chosen = set()
    for group in rule.one_of:
        found = next((number for number in group if known.get(str(number))), None)
        if found is None:
            names = " or ".join(str(number) for number in group)
            raise RequestImpossible(f"{rule.name} demands element {names}")
        chosen.add(found)
    return chosen


def _compose(dialect: Dialect, number: int, known: Values) -> str:
    """The element put together from its parts, in the order of the first layout that begins with them."""
    prefix = f"{number}."
    parts = {path[len(prefix) :]: value for path, value in known.items() if path.startswith(prefix)}
    for layout in dialect.layouts.get(number, ()):
        names = [part.name for part in layout.parts[: len(parts)]]
        if parts and layout.kind == "fixed" and set(names) == parts.keys():
            return "".join(parts[name] for name in names)
    return ""
