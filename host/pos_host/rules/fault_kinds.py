"""The kinds of faults and their parameters, read from faults.toml; and the faults of rules, checked against it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from pos_host.rules.rule_table import RuleTable


class Parameter(NamedTuple):
    """A parameter of a fault: a number between two limits, or so many `digits`; `default` None: see the fault."""

    default: float | str | None
    unit: str
    low: float
    high: float
    whole: bool
    digits: int


class FaultKind(NamedTuple):
    """What a fault does, where it `acts` (undecided, message, bytes, sending), and its parameters by name."""

    name: str
    acts: str
    does: str
    parameters: Mapping[str, Parameter]


class Fault(NamedTuple):
    """A fault of a rule: its kind, and a value for each of the kind's parameters."""

    kind: FaultKind
    values: Mapping[str, Any]


@lru_cache(1)
def fault_kinds() -> Mapping[str, FaultKind]:
    """Every kind by name, in the order of the contract."""
    table = tomllib.loads((resources.files("pos_host.rules") / "faults.toml").read_text("utf-8"))
    return {name: _kind(name, row) for name, row in table.items()}


def _kind(name: str, row: dict[str, Any]) -> FaultKind:
    parameters = {key: _parameter(given) for key, given in row.get("parameters", {}).items()}
    return FaultKind(name, row["acts"], row["does"], parameters)


def _parameter(row: dict[str, Any]) -> Parameter:
    whole, digits = row.get("whole", False), row.get("digits", 0)
    return Parameter(row.get("default"), row["unit"], row.get("low", 0), row.get("high", 0), whole, digits)


def read_fault(rule: RuleTable) -> Fault | None:
    """The fault of a rule: `fault: no_reply`, or a table of `kind` and its parameters. Raises RulesError."""
    given = rule.raw("fault")
    if "fault" not in rule.table:
        return None
    table = RuleTable(rule.document, (*rule.path, "fault"), {"kind": given} if isinstance(given, str) else given)
    kinds = fault_kinds()
    name = table.raw("kind")
    kind = kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        raise table.fail("kind", f"must be one of {', '.join(kinds)}")
    values = {key: _value(table, key, parameter) for key, parameter in kind.parameters.items()}
    table.done(f"the fault {kind.name}")
    return Fault(kind, values)


def _value(table: RuleTable, key: str, parameter: Parameter) -> Any:
    if parameter.digits:
        value: Any = table.text(key, f"[0-9]{{{parameter.digits}}}", f"must be {parameter.digits} digits in quotes")
    else:
        value = table.number(key, parameter.low, parameter.high, whole=parameter.whole)
    return parameter.default if value is None else value
