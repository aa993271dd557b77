"""A suite: the rules that a terminal is held against, and the steps by which it is made to show them; from TOML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from pos_host.certification.checks import ALL
from pos_host.certification.checks.check import Check
from pos_host.certification.parameters import Parameters
from pos_host.rules import patterns
from pos_host.rules.errors import RulesError
from pos_host.rules.fault_kinds import fault_kinds
from pos_host.rules.rule import rules_of
from pos_host.rules.rule_table import RuleTable
from pos_specs.vocabulary import FUNCTIONS
from pos_specs.yaml_lines import Document, DocumentError, read_document

SHIPPED = "pos_host.certification"

MOST_TIMES = 100
"""The largest count of a rule: no terminal sends anything that often for a good reason."""

MOST_TRIES = 5
"""How often a step is played to one terminal at the most."""

_ID = "[a-z][a-z0-9-]{0,63}"
_ID_WANTED = "must be small letters, digits and - (at most 64)"


class SuiteRule(NamedTuple):
    """What a terminal must do: in words, where that stands, and the check that tells. Where a rule of `rests_on` has
    failed, a failure of this one says nothing of its own; `optional` is what not every terminal can show."""

    id: str
    title: str
    source: str
    check: type[Check]
    parameters: Parameters
    rests_on: tuple[str, ...]
    optional: bool = False


class Step(NamedTuple):
    """What the operator is to do, the rules (of a host) that are played to it, and which rules of the suite it shows.

    `ask_sign_in`: the header of the next answers asks for a sign-in. `tries` is how often it is played at most
    where what was seen may have been the line's fault. One that is `optional` is not asked for again at the end.
    """

    id: str
    say: str
    play: tuple[Mapping[str, Any], ...]
    ask_sign_in: bool
    shows: tuple[str, ...]
    tries: int
    optional: bool = False


class Suite(NamedTuple):
    """Rules and steps for one dialect. `reversible` are the functions that a terminal undoes by a reversal."""

    name: str
    title: str
    dialect: str
    reversible: frozenset[str]
    rules: tuple[SuiteRule, ...]
    steps: tuple[Step, ...]

    def rule(self, id_: str) -> SuiteRule:
        """The rule of an id that the suite has."""
        return next(rule for rule in self.rules if rule.id == id_)


def shipped_suites() -> list[str]:
    """The names of the suites that come with the package."""
    folder = resources.files(SHIPPED) / "suites"
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))


def load_suite(name: str) -> Suite:
    """A shipped suite by name, or one of your own by path; raises RulesError with file, line and key."""
    try:
        if Path(name).suffix:
            document = read_document(Path(name))
        elif name in shipped_suites():
            file = resources.files(SHIPPED) / "suites" / f"{name}.toml"
            document = read_document(file.read_text("utf-8"), f"{name}.toml")
        else:
            raise RulesError(name, None, f"no such suite; shipped are {', '.join(shipped_suites())}")
    except DocumentError as error:
        raise RulesError(error.file, error.line, error.reason) from None
    return read_suite(document)


def read_suite(document: Document) -> Suite:
    """The suite that a document says; raises RulesError."""
    top = RuleTable(document, (), document.value)
    head = _needed_table(top, "suite")
    functions = tuple(FUNCTIONS)
    name, title, dialect = (_needed(head, key) for key in ("name", "title", "dialect"))
    reversible = frozenset(head.choices("reversible", functions))
    head.done("a suite")
    rules = tuple(_rule(table) for table in _tables(top, "rules"))
    known = {rule.id for rule in rules}
    if len(known) < len(rules):
        raise top.fail("rules", "two of them have the same id")
    for table, rule in zip(_tables(top, "rules"), rules, strict=True):
        _check_known(table, "rests_on", rule.rests_on, known)
    steps = tuple(_step(table, known) for table in _tables(top, "steps"))
    if len({step.id for step in steps}) < len(steps):
        raise top.fail("steps", "two of them have the same id")
    top.done("a suite")
    return Suite(name, title, dialect, reversible, rules, steps)


def _rule(table: RuleTable) -> SuiteRule:
    id_ = _needed(table, "id", _ID, _ID_WANTED)
    title, source, check_name = (_needed(table, key) for key in ("title", "source", "check"))
    check = ALL.get(check_name)
    if check is None:
        raise table.fail("check", f"must be one of {', '.join(ALL)}")
    rests_on = table.texts("rests_on", lambda text: re.fullmatch(_ID, text) is not None, "must be ids of rules")
    parameters = _parameters(table)
    given = {key for key in Parameters._fields if key in table.table}
    for key in sorted(check.TAKES - given):
        raise table.fail(None, f"has no {key}, which the check {check_name} takes")
    for key in sorted(given - check.TAKES - check.MAY_TAKE):
        raise table.fail(key, f"the check {check_name} takes none")
    optional = table.flag("optional", False)
    table.done("a rule of a suite")
    return SuiteRule(id_, title, source, check, parameters, rests_on, optional)


def _parameters(table: RuleTable) -> Parameters:
    pattern = table.text("pattern", ".+", "must be a regular expression")
    try:
        compiled = None if pattern is None else patterns.compiled(pattern)
    except patterns.PatternError as error:
        raise table.fail("pattern", str(error)) from None
    is_element = re.compile("[0-9]{1,3}").fullmatch
    return Parameters(
        frozenset(table.choices("faults", fault_kinds())),
        frozenset(table.texts("codes", bool, "must be response codes in quotes")),
        frozenset(table.choices("functions", FUNCTIONS)),
        tuple(int(text) for text in table.texts("elements", lambda text: bool(is_element(text)), "must be elements")),
        table.number("element", 2, 128) or 0,
        compiled,
        table.flag("needed", False),
        table.number("most", 1, MOST_TIMES) or 0,
    )


def _step(table: RuleTable, known: set[str]) -> Step:
    id_ = _needed(table, "id", _ID, _ID_WANTED)
    say = _needed(table, "say")
    shows = table.texts("shows", bool, "must be ids of rules")
    _check_known(table, "shows", shows, known)
    play = table.raw("play") or []
    if not isinstance(play, list) or not all(isinstance(document, dict) for document in play):
        raise table.fail("play", "must be a list of rules")
    documents = tuple(
        {"times": 1, **document, "id": id_ if place == 1 else f"{id_}.{place}"}
        for place, document in enumerate(play, 1)
    )
    try:
        rules_of(documents)
    except RulesError as error:
        raise table.fail("play", error.reason) from None
    ask_sign_in, optional = table.flag("ask_sign_in", False), table.flag("optional", False)
    tries = table.number("tries", 1, MOST_TRIES) or 2
    table.done("a step of a suite")
    return Step(id_, say, documents, ask_sign_in, shows, tries, optional)


def _check_known(table: RuleTable, key: str, ids: tuple[str, ...], known: set[str]) -> None:
    for id_ in ids:
        if id_ not in known:
            raise table.fail(key, f"there is no rule {id_}")


def _needed(table: RuleTable, key: str, pattern: str = r"(?s).+", otherwise: str = "must be a text") -> str:
    value = table.text(key, pattern, otherwise)
    if value is None:
        raise table.fail(key, "is missing")
    return value


def _needed_table(table: RuleTable, key: str) -> RuleTable:
    found = table.sub(key)
    if found is None:
        raise table.fail(key, "is missing")
    return found


def _tables(top: RuleTable, key: str) -> list[RuleTable]:
    given = top.raw(key)
    if not isinstance(given, list) or not given:
        raise top.fail(key, "must be a list of tables")
    return [RuleTable(top.document, (key, place), table) for place, table in enumerate(given)]
