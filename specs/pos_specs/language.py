"""A dialect put to work: reads and writes messages, finds parts, functions and what is missing."""

from __future__ import annotations

from functools import lru_cache

from pos_specs.codec import Codec
from pos_specs.dialect import Condition, Dialect, FunctionRule
from pos_specs.loader import load_dialect, shipped_dialects
from pos_specs.message import Message
from pos_specs.parts import Parts

ROUTES_KEPT = 1024
"""Distinct routing keys remembered; a hostile peer could otherwise grow the table without end."""


class Language:
    """One dialect, compiled: `decode`, `encode`, `parts`, `function_of`, `missing`."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.name = dialect.name
        self.codec = Codec(dialect)
        self.parts = Parts(dialect)
        self.decode = self.codec.decode
        self.encode = self.codec.encode
        self._routes = _routes_by_mti(dialect)
        keys = sorted({key for rule in dialect.functions for key, _ in rule.condition.tests})
        self._route_getters = tuple(self.parts.getter(key) for key in keys if key != "mti")
        self._told_by = {mti: _telling_elements(rules) for mti, rules in self._routes.items()}
        self._holds = {rule: self.parts.predicate(rule.condition) for rule in dialect.functions}
        self._known: dict[tuple[str | None, ...], FunctionRule | None] = {}
        self._nearly_known: dict[tuple[object, ...], FunctionRule | None] = {}

    def function_of(self, message: Message) -> FunctionRule | None:
        """The rule of the first function the message means, None when the dialect has none for it.

        Where no rule fits, the first one is taken that would if the message had the elements it lacks and
        the rule requires: such a message is incomplete, and `missing` says so, rather than unsupported.
        """
        key = (message.mti, *[get(message) for get in self._route_getters])
        try:
            rule = self._known[key]
        except KeyError:
            rule = next((rule for rule in self._rules(message) if self._holds[rule](message)), None)
            if len(self._known) < ROUTES_KEPT:
                self._known[key] = rule
        return rule or self._nearly(message, key)

    def fits(self, rule: FunctionRule, message: Message) -> bool:
        """True when the message means `rule`'s function and lacks nothing that tells it from others."""
        return message.mti in rule.mtis and self._holds[rule](message)

    def _rules(self, message: Message) -> list[FunctionRule]:
        return self._routes.get(message.mti, [])

    def _nearly(self, message: Message, key: tuple[str | None, ...]) -> FunctionRule | None:
        told_by = self._told_by.get(message.mti, ())
        absent = tuple(number for number in told_by if number not in message.fields)
        if not absent:
            return None
        longer_key = (key, absent)
        try:
            return self._nearly_known[longer_key]
        except KeyError:
            blank = len(absent) == len(told_by)
            rules = self._rules(message)
            rule = next((rule for rule in rules if self._nearly_holds(rule, message, blank)), None)
            if len(self._nearly_known) < ROUTES_KEPT:
                self._nearly_known[longer_key] = rule
            return rule

    def _nearly_holds(self, rule: FunctionRule, message: Message, blank: bool) -> bool:
        """What is there must speak for the rule, unless nothing at all is there that tells functions apart."""
        lacking = {
            key
            for key, _ in rule.condition.tests
            if key != "mti" and _element_of(key) in rule.required and _element_of(key) not in message.fields
        }
        there = tuple(test for test in rule.condition.tests if test[0] not in lacking)
        return (bool(there) or blank) and self.parts.predicate(Condition(there))(message)

    def missing(self, rule: FunctionRule, message: Message) -> str | None:
        """What `rule` demands and `message` lacks, as element numbers for people; None when complete."""
        fields = message.fields
        for number in rule.required:
            if number not in fields:
                return str(number)
        for group in rule.one_of:
            if not any(number in fields for number in group):
                return " or ".join(str(number) for number in group)
        return None

    def meaning(self, name: str, message: Message) -> str | None:
        """What `message` carries under the dialect's meaning `name` (`batch_number`, `original_stan` …)."""
        path = self.dialect.meaning.get(name)
        return None if path is None else self.parts.getter(path)(message)


def _telling_elements(rules: list[FunctionRule]) -> tuple[int, ...]:
    """The elements by which the functions of one message type are told apart."""
    keys = {key for rule in rules for key, _ in rule.condition.tests}
    return tuple(sorted({_element_of(key) for key in keys if key != "mti"}))


def _element_of(key: str) -> int:
    return int(key.partition(".")[0])


def _routes_by_mti(dialect: Dialect) -> dict[str, list[FunctionRule]]:
    routes: dict[str, list[FunctionRule]] = {}
    for rule in dialect.functions:
        for mti in rule.mtis:
            routes.setdefault(mti, []).append(rule)
    return routes


@lru_cache(maxsize=64)
def open_language(name: str) -> Language:
    """The language of a shipped dialect by name, or of a dialect file by path (`./mybank.toml`).

    Raises DialectError for an unknown name or a file that does not load.
    """
    return Language(load_dialect(name))


def shipped_languages() -> list[Language]:
    """Every shipped dialect, compiled, in alphabetical order."""
    return [open_language(name) for name in shipped_dialects()]
