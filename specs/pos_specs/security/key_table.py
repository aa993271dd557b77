"""Reading a TOML table that holds keys: every mistake names file and key, and no text shows a value.

`CheckedTable` reads dialects and quotes what it does not understand; here that might be a key in the wrong line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pos_specs.security.errors import KeyFileError

_LOOKS_LIKE_A_KEY = re.compile(r"[0-9A-Fa-f ]{16,}")


class KeyTable:
    """One table of a key file: gives checked values and complains of keys nobody asked for."""

    def __init__(self, file: str, path: str, table: object) -> None:
        if not isinstance(table, dict):
            raise KeyFileError(file, path, "must be a table")
        self.file, self.path, self.table = file, path, table
        self.asked: set[str] = set()

    def fail(self, name: str, reason: str) -> KeyFileError:
        """The error to raise for the key `name` of this table."""
        return KeyFileError(self.file, f"{self.path}.{name}" if self.path else name, reason)

    def text(self, name: str, default: str | None = None) -> str:
        """A text; without a default it must be there and not be empty."""
        self.asked.add(name)
        value = self.table.get(name, default)
        if not isinstance(value, str) or (value == "" and default is None):
            raise self.fail(name, "must be a text" if name in self.table else "is missing")
        return value

    def label(self, name: str) -> str:
        """A text that will be shown in logs, and must not look like a key therefore."""
        value = self.text(name)
        if _LOOKS_LIKE_A_KEY.fullmatch(value):
            raise self.fail(name, "looks like a key, and names are shown in logs")
        return value

    def one_of(self, name: str, allowed: Iterable[str]) -> Any:
        """One of a few texts."""
        value = self.text(name)
        if value not in allowed:
            raise self.fail(name, f"must be one of {', '.join(allowed)}")
        return value

    def key(self, name: str, byte_lengths: tuple[int, ...]) -> bytes:
        """A key of one of these lengths, written as hex digits; spaces between them do not matter."""
        key = self.optional_key(name, byte_lengths)
        if not key:
            raise self.fail(name, "is missing")
        return key

    def optional_key(self, name: str, byte_lengths: tuple[int, ...]) -> bytes:
        """As `key`; b"" when it is not there."""
        digits = self.text(name, "").replace(" ", "")
        if not re.fullmatch(r"[0-9A-Fa-f]*", digits):
            raise self.fail(name, "has characters that are no hex digits")
        if digits and len(digits) not in [2 * length for length in byte_lengths]:
            expected = " or ".join(str(2 * length) for length in byte_lengths)
            raise self.fail(name, f"has {len(digits)} hex digits, must have {expected}")
        return bytes.fromhex(digits)

    def texts(self, name: str) -> list[str]:
        """A list of texts with at least one."""
        self.asked.add(name)
        value = self.table.get(name)
        if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
            raise self.fail(name, "must be a list of texts" if name in self.table else "is missing")
        return value

    def tables(self, name: str) -> list[KeyTable]:
        """An array of tables, empty when it is not there."""
        self.asked.add(name)
        value = self.table.get(name, [])
        if not isinstance(value, list):
            raise self.fail(name, f"must be a list of tables: [[{name}]]")
        return [KeyTable(self.file, f"{name}[{place}]", item) for place, item in enumerate(value, 1)]

    def done(self) -> None:
        """Raises KeyFileError for a key that nobody asked for."""
        for name in self.table:
            if name not in self.asked:
                shown = "(a name that looks like a key)" if _LOOKS_LIKE_A_KEY.fullmatch(name) else name
                raise self.fail(shown, "is not a key of a key file")
