"""Reading a TOML table with every value checked; a mistake names file, line and key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pos_specs.dialect_file import SourcedTable
from pos_specs.errors import DialectError
from pos_specs.toml_lines import Path


class CheckedTable:
    """One table of a dialect: gives checked values and complains of keys nobody asked for.

    `source` knows in which file, and where in it, the value of a path stands.
    """

    def __init__(self, source: SourcedTable, path: Path, table: object) -> None:
        if not isinstance(table, dict):
            raise source.error(path, "must be a table")
        self.source, self.path, self.table = source, path, table
        self.asked: set[str] = set()

    def fail(self, key: str, reason: str) -> DialectError:
        """The error to raise for `key` of this table."""
        return self.source.error((*self.path, key), reason)

    def raw(self, key: str, default: object = None) -> Any:
        """The value as TOML gave it."""
        self.asked.add(key)
        return self.table.get(key, default)

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default it must be there and not be empty."""
        value = self.raw(key, default)
        if not isinstance(value, str) or (value == "" and default is None):
            raise self.fail(key, "must be a text" if key in self.table else "is missing")
        return value

    def matching(self, key: str, pattern: str, otherwise: str) -> str:
        """A text that fits a regular expression as a whole; `otherwise` says what it must be."""
        value = self.text(key)
        if re.fullmatch(pattern, value) is None:
            raise self.fail(key, otherwise)
        return value

    def choice(self, key: str, allowed: Iterable[str], default: str | None = None) -> Any:
        """One of a few texts."""
        value = self.text(key, default)
        if value not in allowed:
            raise self.fail(key, f"is {value!r}, must be one of {', '.join(allowed)}")
        return value

    def number(self, key: str, low: int, high: int) -> int:
        """A whole number between two limits, both allowed."""
        value = self.raw(key)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.fail(key, f"must be a whole number from {low} to {high}")
        return value

    def flag(self, key: str) -> bool:
        """True or false; false when missing."""
        value = self.raw(key, False)
        if not isinstance(value, bool):
            raise self.fail(key, "must be true or false")
        return value

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of texts; a single text is a list of one."""
        value = self.raw(key, [])
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(key, "must be a list of texts")
        if required and not value:
            raise self.fail(key, "is missing")
        return tuple(value)

    def tables(self, key: str) -> list[CheckedTable]:
        """An array of tables."""
        value = self.raw(key, [])
        if not isinstance(value, list):
            raise self.fail(key, "must be a list of tables")
        return [CheckedTable(self.source, (*self.path, key, place), item) for place, item in enumerate(value, 1)]

    def sub(self, key: str) -> CheckedTable:
        """A table within this one, empty when missing."""
        return CheckedTable(self.source, (*self.path, key), self.raw(key, {}))

    def done(self, what: str = "a dialect file") -> None:
        """Raises DialectError for a key that nobody asked for; `what` names the kind of table."""
        for key in self.table:
            if key not in self.asked:
                raise self.fail(key, f"is not a key of {what}")
