"""One rule, read from its document; and rule files, the user's and those that are shipped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from pos_host.rules.conditions import Condition, read_condition
from pos_host.rules.errors import RulesError
from pos_host.rules.fault_kinds import Fault, read_fault
from pos_host.rules.replies import Reply, read_reply
from pos_host.rules.rule_table import RuleTable
from pos_specs.yaml_lines import Document, DocumentError, Place, document_of, read_document

MOST_RULES = 10_000
"""Rules of one rulebook. Those for a function are gone through for each of its requests; recordings of a day make
some thousands."""

MOST_SEED = 2**63 - 1
"""A number that every language and store can hold."""

MOST_TIMES = 1_000_000_000
"""More than a host answers in a week at its fastest."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Rule(NamedTuple):
    """A rule: when it acts, what it does to the answer, what to the wire; `times` 0 is without end. `document` is
    what it was read from, its id put in."""

    id: str
    document: Mapping[str, Any]
    condition: Condition
    reply: Reply | None
    fault: Fault | None
    times: int
    enabled: bool


class RuleFile(NamedTuple):
    """The rules of a file, and its seed, None where it says none."""

    rules: list[Rule]
    seed: int | None


def shipped_rule_files() -> list[str]:
    """The names of the rule files that come with the package."""
    folder = resources.files("pos_host.rules") / "shipped"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def load_rules(source: str | Path) -> list[Rule]:
    """The rules of a file, or of a shipped one by name; raises RulesError."""
    return read_rule_file(source).rules


def read_rule_files(sources: Iterable[str | Path], seed: int | None = None) -> RuleFile:
    """Several rule files as one, in order; `seed` stands over the first that one of them says. Raises RulesError."""
    rules: list[Rule] = []
    for source in sources:
        file = read_rule_file(source, [rule.id for rule in rules])
        rules += file.rules
        seed = file.seed if seed is None else seed
    return RuleFile(rules, seed)


def read_rule_file(source: str | Path, taken: Iterable[str] = ()) -> RuleFile:
    """A rule file in YAML or TOML by path, or a shipped one by name (`magic-amounts`); raises RulesError.

    Its ids are none of those `taken`.
    """
    try:
        document = _document(str(source))
    except DocumentError as error:
        raise RulesError(error.file, error.line, error.reason) from None
    top = RuleTable(document, (), {} if document.value is None else document.value)
    seed = top.number("seed", 0, MOST_SEED)
    rules = read_rules(document, top.raw("rules"), ("rules",), taken)
    top.done("a rule file")
    return RuleFile(rules, seed)


def _document(source: str) -> Document:
    path = Path(source)
    if not path.suffix and not path.exists():
        name = path.name
        if name != source or name not in shipped_rule_files():
            raise RulesError(source, None, f"no such file, and shipped are {', '.join(shipped_rule_files())}")
        file = resources.files("pos_host.rules") / "shipped" / f"{name}.yaml"
        return read_document(file.read_text("utf-8"), f"{name}.yaml")
    return read_document(path)


def read_rules(document: Document, given: object, path: Place, taken: Iterable[str] = ()) -> list[Rule]:
    """The list of rules at `path` of a document; ids are not among those `taken`, and stand once."""
    if not isinstance(given, list):
        error = document.error(path, "is missing" if given is None else "must be a list of rules")
        raise RulesError(error.file, error.line, error.reason)
    known = set(taken)
    if len(given) + len(known) > MOST_RULES:
        raise RulesError(document.file, document.line_of(path), f"has more than {MOST_RULES} rules")
    rules = []
    free_ids = (name for number in count(1) if (name := f"rule-{number}") not in known)
    for index, table in enumerate(given):
        rule = _read_rule(RuleTable(document, (*path, index), table), known, free_ids)
        known.add(rule.id)
        rules.append(rule)
    return rules


def rules_of(documents: Sequence[Mapping[str, Any]], taken: Iterable[str] = ()) -> list[Rule]:
    """Rules that come as values, over an API; raises RulesError that names the entry and key."""
    return read_rules(document_of(documents, "body"), list(documents), ("rules",), taken)


def _read_rule(table: RuleTable, taken: set[str], free_ids: Iterator[str]) -> Rule:
    id_ = table.text("id", _ID.pattern, "must be letters, digits and . _ - (at most 64)")
    if id_ is None:
        id_ = next(free_ids)
    elif id_ in taken:
        raise table.fail("id", f"there is another rule {id_}")
    title = table.raw("title")
    if "title" in table.table and not isinstance(title, str):
        raise table.fail("title", "must be a text")
    condition = read_condition(table)
    reply, fault = read_reply(table), read_fault(table)
    times = table.number("times", 1, MOST_TIMES) or 0
    enabled = table.flag("enabled", True)
    table.done("a rule")
    if reply is None and fault is None:
        raise table.fail(None, "does nothing: it needs a reply or a fault")
    _check_together(table, condition, reply, fault)
    return Rule(id_, {**table.table, "id": id_}, condition, reply, fault, times, enabled)


def _check_together(table: RuleTable, condition: Condition, reply: Reply | None, fault: Fault | None) -> None:
    """What each may be alone and not together."""
    if reply is not None and reply.force_upload and condition.functions not in ((), ("settlement",)):
        raise table.fail("reply", "force_upload is for the function settlement alone")
    if reply is not None and fault is not None and fault.kind.acts == "undecided":
        raise table.fail("fault", f"{fault.kind.name} answers nothing, so that a reply beside it says nothing")
