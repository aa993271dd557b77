"""Why a batch was settled late: a table, and what the journal says of the terminal while it was flagged."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from pos_host.settlement.unsettled import REASONS
from pos_specs.checked_table import CheckedTable
from pos_specs.dialect_file import Place, SourcedTable, read_file


class Circumstances(NamedTuple):
    """What was seen while a terminal was flagged: its reasons, whether it was heard after the cut-off, and whether it
    told of a faulty device."""

    reasons: frozenset[str]
    heard: bool
    faulty: bool


class Cause(NamedTuple):
    """One row of the table."""

    name: str
    text: str
    reasons: tuple[str, ...]
    unheard: bool
    faulty: bool

    def applies(self, seen: Circumstances) -> bool:
        """Whether it may be what was in the way."""
        conditions = [bool(seen.reasons & set(self.reasons))] if self.reasons else []
        conditions += [not seen.heard] if self.unheard else []
        conditions += [seen.faulty] if self.faulty else []
        return all(conditions)


def cause_of(seen: Circumstances) -> str:
    """The name of the first cause that applies."""
    return next(cause.name for cause in late_causes() if cause.applies(seen))


@lru_cache(maxsize=1)
def late_causes() -> tuple[Cause, ...]:
    """The shipped table."""
    return read_causes(resources.files("pos_host.merchants.forgotten") / "late_causes.toml")


def read_causes(path: Path | Traversable) -> tuple[Cause, ...]:
    """The table in the TOML file at `path`, whose last cause always applies; raises DialectError naming file, line
    and key."""
    file = read_file(path)
    top = CheckedTable(SourcedTable(file.table, {(): Place(file, ())}), (), file.table)
    causes = []
    for table in top.tables("cause"):
        reasons = table.texts("reasons")
        for reason in reasons:
            if reason not in REASONS:
                raise table.fail("reasons", f"{reason} is not a reason; reasons are {', '.join(REASONS)}")
        name = table.matching("name", "[a-z_]+", "must be small letters and _")
        causes.append(Cause(name, table.text("text"), reasons, table.flag("unheard"), table.flag("faulty")))
        table.done("a cause")
    top.done("a table of causes")
    if not causes or not causes[-1].applies(Circumstances(frozenset(), True, False)):
        raise top.fail("cause", "the last one must apply always")
    return tuple(causes)
