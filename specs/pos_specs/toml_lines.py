"""Finds the line of a key in a TOML file; tomllib reads values only and keeps no positions.

Used when a file is refused, on text that tomllib has read already: what is not TOML does not come here.
"""

from __future__ import annotations

import re
import tomllib

Path = tuple[str | int, ...]
"""The keys that lead to a value; an entry of a list is a number counted from 1."""

_BLANK = re.compile(r"(?:\s|#[^\n]*)*")
_KEY = re.compile(r'[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|\'[^\']*\'')
_STRING = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}(?!")|\'\'\'.*?\'{3,5}(?!\')|"(?:[^"\\]|\\.)*"|\'[^\']*\'', re.DOTALL)
_PLAIN = re.compile(r"[^,\]}#\n]+")


def line_of(text: str, path: Path) -> int | None:
    """The line, from 1, of the value at `path`; where there is none, of the nearest table around it, or None."""
    lines = lines_of(text)
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


def lines_of(text: str) -> dict[Path, int]:
    """The line of every table, key and list entry."""
    return _Scanner(text).lines()


class _Scanner:
    """Walks through a file once; `at` is the place in the text, `table` the table whose keys are being read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.table: Path = ()
        self.found: dict[Path, int] = {}
        self.entries: dict[Path, int] = {}

    def lines(self) -> dict[Path, int]:
        """What was found, when the whole text is read."""
        while self._skip_blank() < len(self.text):
            if self.text[self.at] == "[":
                self._header()
            else:
                self._assignment(self.table)
        return self.found

    def _skip_blank(self) -> int:
        """Moves on to the next thing that is neither white space nor comment."""
        self.at = self._end_of(_BLANK)
        return self.at

    def _end_of(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        return self.at + 1 if match is None else match.end()

    def _note(self, path: Path, at: int) -> None:
        self.found.setdefault(path, self.text.count("\n", 0, at) + 1)

    def _header(self) -> None:
        start = self.at
        brackets = 2 if self.text.startswith("[[", start) else 1
        self.at += brackets
        keys = self._keys()
        self._skip_blank()
        self.at += brackets
        path: Path = ()
        for place, key in enumerate(keys, 1):
            path = (*path, key)
            self._note(path, start)
            if brackets == 2 and place == len(keys):
                self.entries[path] = self.entries.get(path, 0) + 1
            if path in self.entries:
                path = (*path, self.entries[path])
        self.table = path
        self._note(path, start)

    def _keys(self) -> list[str]:
        """The keys of a dotted name; stops behind it."""
        keys = []
        while True:
            self._skip_blank()
            start = self.at
            self.at = self._end_of(_KEY)
            token = self.text[start : self.at]
            keys.append(tomllib.loads(f"key = {token}")["key"] if token[0] in "\"'" else token)
            if self._skip_blank() >= len(self.text) or self.text[self.at] != ".":
                return keys
            self.at += 1

    def _assignment(self, table: Path) -> None:
        start = self.at
        path = table
        for key in self._keys():
            path = (*path, key)
            self._note(path, start)
        self.at += 1  # the equals sign
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip_blank()
        opening = self.text[self.at : self.at + 1]
        if opening == "{":
            self._items("}", path)
        elif opening == "[":
            self._items("]", path)
        else:
            self.at = self._end_of(_STRING if opening in ("'", '"') else _PLAIN)

    def _items(self, closing: str, path: Path) -> None:
        """The entries of a list, or the keys of an inline table."""
        self.at += 1
        number = 0
        while self._skip_blank() < len(self.text) and self.text[self.at] != closing:
            if self.text[self.at] == ",":
                self.at += 1
            elif closing == "}":
                self._assignment(path)
            else:
                number += 1
                self._note((*path, number), self.at)
                self._value((*path, number))
        self.at += 1
