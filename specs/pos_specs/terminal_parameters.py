"""What a terminal is told about itself: the tags of UnionPay's parameter download, the lines of Hypercom's.

The shipped table is `data/terminal_parameters.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from pos_specs.checked_table import CheckedTable
from pos_specs.dialect import Layout, Part
from pos_specs.dialect_file import Place, SourcedTable, read_file
from pos_specs.errors import SpecsError
from pos_specs.text_codecs import to_bytes

LINES = 3
LINE_CHARACTERS = 23
"""Of a Hypercom receipt's head (hypercom.md 2.4)."""


class ParameterError(SpecsError):
    """A parameter does not fit the tag that the dialect has for it."""


@dataclass(frozen=True, slots=True)
class TerminalParameters:
    """Parameters by the name of their tag, and the merchant's lines."""

    by_name: Mapping[str, str]
    merchant_lines: tuple[str, ...]


@lru_cache(maxsize=1)
def shipped_terminal_parameters() -> TerminalParameters:
    """The shipped parameters."""
    return read_terminal_parameters(resources.files("pos_specs") / "data" / "terminal_parameters.toml")


def read_terminal_parameters(path: Path | Traversable) -> TerminalParameters:
    """The parameters of the TOML file at `path`; raises DialectError naming file, line and key."""
    file = read_file(path)
    top = CheckedTable(SourcedTable(file.table, {(): Place(file, ())}), (), file.table)
    table, merchant = top.sub("parameters"), top.sub("merchant")
    by_name = {name: table.text(name) for name in table.table}
    lines = merchant.texts("lines")
    if len(lines) > LINES or any(len(line) > LINE_CHARACTERS or not line.isascii() for line in lines):
        raise merchant.fail("lines", f"must be at most {LINES} lines of {LINE_CHARACTERS} ASCII characters")
    merchant.done("a merchant")
    top.done("a file of terminal parameters")
    return TerminalParameters(by_name, lines)


def tagged(parameters: TerminalParameters, layout: Layout, text: str) -> bytes:
    """The parameters that `layout` has tags for, each behind its tag, texts in the encoding `text`.

    Raises ParameterError for a value that is longer than its tag, or shorter where it is digits or bytes.
    """
    known = [(tag, part) for tag, part in layout.tags.items() if part.name in parameters.by_name]
    return b"".join(tag.encode("ascii") + _fitted(part, parameters.by_name[part.name], text) for tag, part in known)


def merchant_text(parameters: TerminalParameters) -> str:
    """The merchant's lines in one text, each filled to its length, a missing one blank."""
    lines = [*parameters.merchant_lines, *[""] * LINES][:LINES]
    return "".join(line.ljust(LINE_CHARACTERS) for line in lines)


def _fitted(part: Part, value: str, text: str) -> bytes:
    data = bytes.fromhex(value) if part.content == "b" else to_bytes(value, text)
    if part.content in ("a", "an", "ans"):
        data = data.ljust(part.length)
    if len(data) != part.length:
        raise ParameterError(f"{part.name} has {len(data)} bytes, its tag takes {part.length}")
    return data
