"""Reading a TOML table with every value checked; a mistake names file and key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pos_specs.errors import DialectError


class CheckedTable:
    """One table of the file: gives checked values and complains of keys nobody asked for."""

    def __init__(self, file: str, path: str, table: object) -> None:
        if not isinstance(table, dict):
            raise DialectError(file, path, "must be a table")
        self.file, self.path, self.table = file, path, table
        self.asked: set[str] = set()

    def fail(self, key: str, reason: str) -> DialectError:
        """The error to raise for `key` of this table."""
        return DialectError(self.file, f"{self.path}.{key}" if self.path else key, reason)

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
        prefix = f"{self.path}.{key}" if self.path else key
        return [CheckedTable(self.file, f"{prefix}[{place}]", item) for place, item in enumerate(value, 1)]

    def sub(self, key: str) -> CheckedTable:
        """A table within this one, empty when missing."""
        return CheckedTable(self.file, f"{self.path}.{key}" if self.path else key, self.raw(key, {}))

    def done(self) -> None:
        """Raises DialectError for a key that nobody asked for."""
        for key in self.table:
            if key not in self.asked:
                raise self.fail(key, "is not a key of a dialect file")
