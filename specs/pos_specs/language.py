"""A dialect put to work: reads and writes messages, finds parts, functions and what is missing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pos_specs.codec import Codec
from pos_specs.dialect import Condition, Dialect, FunctionRule
from pos_specs.loader import load_dialect, shipped_dialects
from pos_specs.message import Message
from pos_specs.parts import Parts
from pos_specs.route_key import route_key

ROUTES_KEPT = 1024
"""Distinct routing keys remembered, then all are forgotten; a real fleet has a few dozen, and a hostile peer
could otherwise grow the table without end."""


class Route:
    """What a message of one type, one set of elements and one function means: worked out once, met often.

    `missing` is what the function's `rule` demands and such a message lacks. `plan` is for the owner of the
    message to keep what else follows from the two.
    """

    __slots__ = ("missing", "plan", "rule")

    def __init__(self, rule: FunctionRule, missing: str | None) -> None:
        self.rule = rule
        self.missing = missing
        self.plan: Any = None


class Language:
    """One dialect, compiled: `decode`, `encode`, `parts`, `route`, `meaning`."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.name = dialect.name
        self.codec = Codec(dialect)
        self.parts = Parts(dialect)
        self.decode = self.codec.decode
        self.encode = self.codec.encode
        self.readers = {name: self.parts.getter(path) for name, path in dialect.meaning.items()}
        self._rules = _rules_by_mti(dialect)
        self._told_by = {mti: _telling_elements(rules) for mti, rules in self._rules.items()}
        self._holds = {rule: self.parts.predicate(rule.condition) for rule in dialect.functions}
        self._route_key = route_key(self.parts, {key for rule in dialect.functions for key, _ in rule.condition.tests})
        self._routes: dict[tuple[object, ...], Route | None] = {}

    def route(self, message: Message) -> Route | None:
        """The route of `message`: its function's rule and what it lacks; None when the dialect has no such function.

        Where no rule fits, the first one is taken that would if the message had the elements it lacks and
        the rule requires: such a message is incomplete, and `missing` says so, rather than unsupported.
        """
        key = self._route_key(message)
        try:
            return self._routes[key]
        except KeyError:
            if len(self._routes) >= ROUTES_KEPT:
                self._routes.clear()
            rules = self._rules.get(message.mti, [])
            rule = next((rule for rule in rules if self._holds[rule](message)), None) or self._nearly(rules, message)
            route = self._routes[key] = None if rule is None else Route(rule, missing(rule, message))
            return route

    def function_of(self, message: Message) -> FunctionRule | None:
        """The rule of the function the message means, None when the dialect has none for it."""
        route = self.route(message)
        return None if route is None else route.rule

    def fits(self, rule: FunctionRule, message: Message) -> bool:
        """True when the message means `rule`'s function and lacks nothing that tells it from others."""
        return message.mti in rule.mtis and self._holds[rule](message)

    def meaning(self, name: str, message: Message) -> str | None:
        """What `message` carries under the dialect's meaning `name` (`batch_number`, `original_stan` …)."""
        read = self.readers.get(name)
        return None if read is None else read(message)

    def _nearly(self, rules: list[FunctionRule], message: Message) -> FunctionRule | None:
        told_by = self._told_by.get(message.mti, ())
        absent = [number for number in told_by if number not in message.fields]
        if not absent:
            return None
        blank = len(absent) == len(told_by)
        return next((rule for rule in rules if self._nearly_holds(rule, message, blank)), None)

    def _nearly_holds(self, rule: FunctionRule, message: Message, blank: bool) -> bool:
        """What is there must speak for the rule, unless nothing at all is there that tells functions apart."""
        lacking = {
            key
            for key, _ in rule.condition.tests
            if key != "mti" and _element_of(key) in rule.required and _element_of(key) not in message.fields
        }
        there = tuple(test for test in rule.condition.tests if test[0] not in lacking)
        return (bool(there) or blank) and self.parts.predicate(Condition(there))(message)


def missing(rule: FunctionRule, message: Message) -> str | None:
    """What `rule` demands and `message` lacks, as element numbers for people; None when complete."""
    fields = message.fields
    for number in rule.required:
        if number not in fields:
            return str(number)
    for group in rule.one_of:
        if not any(number in fields for number in group):
            return " or ".join(str(number) for number in group)
    return None


def _telling_elements(rules: list[FunctionRule]) -> tuple[int, ...]:
    """The elements by which the functions of one message type are told apart."""
    keys = {key for rule in rules for key, _ in rule.condition.tests}
    return tuple(sorted({_element_of(key) for key in keys if key != "mti"}))


def _element_of(key: str) -> int:
    return int(key.partition(".")[0])


def _rules_by_mti(dialect: Dialect) -> dict[str, list[FunctionRule]]:
    rules: dict[str, list[FunctionRule]] = {}
    for rule in dialect.functions:
        for mti in rule.mtis:
            rules.setdefault(mti, []).append(rule)
    return rules


@lru_cache(maxsize=64)
def open_language(name: str) -> Language:
    """The language of a shipped dialect by name, or of a dialect file by path (`./mybank.toml`).

    Raises DialectError for an unknown name or a file that does not load.
    """
    return Language(load_dialect(name))


def shipped_languages() -> list[Language]:
    """Every shipped dialect, compiled, in alphabetical order."""
    return [open_language(name) for name in shipped_dialects()]
