"""The reasons for suspending, closing and replacing, and what follows from each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from pos_host.merchants.desk import Refused
from pos_specs.checked_table import CheckedTable
from pos_specs.dialect_file import Place, SourcedTable, read_file


@dataclass(frozen=True, slots=True)
class ClosureReason:
    """One reason. `suspends` at once, `holds_payouts` while suspended, `replaces`: another terminal may follow."""

    name: str
    text: str
    suspends: bool
    holds_payouts: bool
    replaces: bool


@lru_cache(1)
def closure_reasons() -> Mapping[str, ClosureReason]:
    """The reasons as shipped, by name; raises DialectError naming file, line and key."""
    file = read_file(resources.files("pos_host.merchants.closing") / "closure_reasons.toml")
    top = CheckedTable(SourcedTable(file.table, {(): Place(file, ())}), (), file.table)
    return {name: _reason(name, top.sub(name)) for name in file.table}


def reason_named(name: str, *, replaces: bool = False) -> ClosureReason:
    """The reason of that name; raises Refused (422) for another, or where one is wanted that `replaces`."""
    known = {reason.name: reason for reason in closure_reasons().values() if reason.replaces or not replaces}
    if name not in known:
        raise Refused("invalid_reason", f"reason: must be one of {', '.join(known)}", status=422)
    return known[name]


def _reason(name: str, table: CheckedTable) -> ClosureReason:
    reason = ClosureReason(
        name, table.text("text"), table.flag("suspends"), table.flag("holds_payouts"), table.flag("replaces")
    )
    table.done("a reason")
    return reason
