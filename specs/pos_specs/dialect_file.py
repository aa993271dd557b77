"""A dialect's TOML file, found and read; and where each value stands once files have been put together."""

from __future__ import annotations

import tomllib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from pos_specs.errors import DialectError, why_unreadable
from pos_specs.toml_lines import Path, line_of


class DialectFile(NamedTuple):
    """One file as TOML gave it. `place` is what tells two files of one name apart; `folder` None if shipped."""

    name: str
    place: str
    folder: FilePath | None
    text: str
    table: dict[str, Any]


class Place(NamedTuple):
    """A value's file, and its path in that file."""

    file: DialectFile
    path: Path


class SourcedTable:
    """The whole table of a dialect. `places` names the file of a path, and of everything below it."""

    def __init__(self, table: dict[str, Any], places: dict[Path, Place]) -> None:
        self.table = table
        self.places = places

    def place_of(self, path: Path) -> Place:
        """Where the value at `path` stands, or would stand if it is missing."""
        known = path
        while known not in self.places:
            known = known[:-1]
        place = self.places[known]
        return Place(place.file, place.path + path[len(known) :])

    def error(self, path: Path, reason: str) -> DialectError:
        """The error to raise for the value at `path`."""
        file, there = self.place_of(path)
        return DialectError(file.name, _dotted(there), reason, line_of(file.text, there))


def shipped_dialects() -> list[str]:
    """The names of the dialects that come with the package."""
    folder = resources.files("pos_specs") / "dialects"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))


def find_file(name: str, folder: FilePath | None = None) -> FilePath | Traversable:
    """The file of a shipped dialect, or of a path that ends in `.toml`, from `folder` on if it is relative.

    Raises LookupError, which says what there is, for an unknown name.
    """
    if name.endswith(".toml"):
        return FilePath(name) if folder is None else folder / name
    if name not in shipped_dialects():
        known = ", ".join(shipped_dialects())
        raise LookupError(f"no such dialect; shipped are {known}; a file's name ends in .toml")
    return resources.files("pos_specs") / "dialects" / f"{name}.toml"


def read_file(path: FilePath | Traversable) -> DialectFile:
    """The file at `path`; raises DialectError when it is not there or is not TOML."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DialectError(str(path), "", why_unreadable(error)) from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DialectError(str(path), "", f"not TOML: {error}") from None
    if not isinstance(path, FilePath):
        return DialectFile(path.name, path.name, None, text, table)
    return DialectFile(path.name, str(path.resolve()), path.parent, text, table)


def _dotted(path: Path) -> str:
    """`("functions", 1, "when", "3")` as people read it: `functions[1].when.3`."""
    words = [f"[{key}]" if isinstance(key, int) else f".{key}" for key in path]
    return "".join(words).lstrip(".")
