"""The texts and remedies of the diagnosis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from pos_specs.checked_table import CheckedTable
from pos_specs.dialect_file import Place, SourcedTable, read_file


@dataclass(frozen=True, slots=True)
class DiagnosisText:
    """What is said of a finding, and what to do about it."""

    text: str
    remedy: str


@lru_cache(1)
def diagnosis_texts() -> Mapping[str, DiagnosisText]:
    """The texts as shipped, by finding; raises DialectError naming file, line and key."""
    file = read_file(resources.files("pos_host.merchants.closing") / "diagnosis.toml")
    top = CheckedTable(SourcedTable(file.table, {(): Place(file, ())}), (), file.table)
    return {code: _text(top.sub(code)) for code in file.table}


def _text(table: CheckedTable) -> DiagnosisText:
    text = DiagnosisText(table.text("text"), table.text("remedy"))
    table.done("a finding")
    return text
