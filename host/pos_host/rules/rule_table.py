"""Reading one table of a rule document with every value checked; a mistake names file, line and key."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from pos_host.rules.errors import RulesError
from pos_specs.yaml_lines import Document, Place

MOST_TEXT = 1000
"""Characters of one text of a rule: the longest element has 999."""

NO_ELEMENT = "is no element: elements are numbers from 2 to 128"

_NUMBER = re.compile("[0-9]{1,3}")


class RuleTable:
    """One table of a document at `path`: gives checked values and complains of keys nobody asked for."""

    def __init__(self, document: Document, path: Place, table: object) -> None:
        self.document, self.path = document, path
        if not isinstance(table, dict) or not all(isinstance(key, str) for key in table):
            raise self.fail(None, "must be a table of keys and values")
        self.table: dict[str, Any] = table
        self._asked: set[str] = set()

    def fail(self, key: str | int | None, reason: str) -> RulesError:
        """The error to raise for `key` of this table, or for the table itself."""
        error = self.document.error(self.path if key is None else (*self.path, key), reason)
        return RulesError(error.file, error.line, error.reason)

    def raw(self, key: str) -> Any:
        """The value as the document gave it; None where it is missing."""
        self._asked.add(key)
        return self.table.get(key)

    def text(self, key: str, pattern: str, otherwise: str) -> str | None:
        """A text, or a whole number as text, that fits a regular expression as a whole; None where it is missing."""
        value = self.raw(key)
        if value is None and key not in self.table:
            return None
        text = as_text(value)
        if text is None or re.fullmatch(pattern, text, re.ASCII) is None:
            raise self.fail(key, otherwise)
        return text

    def texts(self, key: str, fits: Callable[[str], bool], otherwise: str) -> tuple[str, ...]:
        """One text or a list of texts, each of which `fits`; empty where it is missing."""
        value = self.raw(key)
        if value is None and key not in self.table:
            return ()
        listed = [as_text(item) for item in (value if isinstance(value, list) else [value])]
        texts = tuple(text for text in listed if text is not None and fits(text))
        if not texts or len(texts) < len(listed):
            raise self.fail(key, otherwise)
        return texts

    def choices(self, key: str, allowed: Iterable[str]) -> tuple[str, ...]:
        """One or several of a few names; empty where it is missing."""
        names = tuple(allowed)
        return self.texts(key, names.__contains__, f"must be one or several of {', '.join(names)}")

    def number(self, key: str, low: float, high: float, *, whole: bool = True) -> Any:
        """A number between two limits, both allowed; None where it is missing."""
        value = self.raw(key)
        if value is None and key not in self.table:
            return None
        kinds = int if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
            raise self.fail(key, f"must be a {'whole ' * whole}number from {low} to {high}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.raw(key)
        if value is None and key not in self.table:
            return default
        if not isinstance(value, bool):
            raise self.fail(key, "must be true or false")
        return value

    def sub(self, key: str) -> RuleTable | None:
        """A table within this one; None where it is missing."""
        value = self.raw(key)
        return None if key not in self.table else RuleTable(self.document, (*self.path, key), value)

    def done(self, what: str) -> None:
        """Raises RulesError for a key that nobody asked for, with those there are."""
        for key in self.table:
            if key not in self._asked:
                raise self.fail(key, f"is no key of {what}, which has {', '.join(sorted(self._asked))}")


def is_element(text: str) -> bool:
    """Whether a text is the number of an element; its length is looked at first, since it may be as long as a body."""
    return _NUMBER.fullmatch(text) is not None and 2 <= int(text) <= 128


def as_text(value: object) -> str | None:
    """A text, or a whole number written without quotes; None for everything else and for a text that is too long."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value.bit_length() < 3 * MOST_TEXT else None
    return value if isinstance(value, str) and len(value) <= MOST_TEXT else None
