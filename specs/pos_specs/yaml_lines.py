"""Reads a YAML or TOML document together with the lines its values stand on, so that a mistake can be pointed at.

Rule files, scenarios and whatever else people write by hand come through here: YAML's safe subset only (no tags that
make objects), keys that are text and stand once, and no anchors that blow a short file up.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pos_specs.errors import SpecsError, why_unreadable

if TYPE_CHECKING:
    import yaml

_LONG_NUMBER = re.compile("[0-9]{12,}")

Place = tuple[str | int, ...]
"""The keys that lead to a value; an entry of a list is its index, counted from 0 as in `Document.value`."""

MAX_BYTES = 4_000_000
"""The largest document read: rules or scenarios by the ten thousand; more is a wrong file."""

MAX_VALUES = 200_000
"""Values of one document: aliases of aliases would otherwise turn a kilobyte into gigabytes."""

MAX_DEPTH = 50
"""Values inside values; nobody writes this deep by hand, and Python's stack ends later than this."""


class DocumentError(SpecsError):
    """A document cannot be read, or says something wrong: `FILE:LINE: what`; `file`, `line` and `reason` hold it."""

    def __init__(self, file: str, line: int | None, reason: str) -> None:
        super().__init__(f"{file}: {reason}" if line is None else f"{file}:{line}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


class Document:
    """What a file says: `value` in plain dicts, lists, text, numbers, and where each value stands."""

    __slots__ = ("_lines", "file", "value")

    def __init__(self, file: str, value: Any, lines: dict[Place, int]) -> None:
        self.file = file
        self.value = value
        self._lines = lines

    def line_of(self, path: Place) -> int | None:
        """The line, from 1, of the value at `path`, or of the nearest one around it that has a line; None without."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path)

    def error(self, path: Place, reason: str) -> DocumentError:
        """The error `FILE:LINE: rules[2].when.amount: reason`; entries of lists are counted from 1 in its text."""
        name = place_name(path)
        return DocumentError(self.file, self.line_of(path), f"{name}: {reason}" if name else reason)


def place_name(path: Place) -> str:
    """A place in words of the file: `rules[2].when.amount`, entries counted from 1, long numbers starred: a key that
    somebody made up may be a card number."""
    name = "".join(f"[{key + 1}]" if isinstance(key, int) else f".{key}" for key in path)
    return _LONG_NUMBER.sub(lambda found: "*" * len(found[0]), name.removeprefix("."))


def document_of(value: Any, name: str) -> Document:
    """A document that came as values already, over an API: it has no lines, and its errors begin with `name`."""
    return Document(name, value, {})


def read_document(source: Path | str, name: str | None = None) -> Document:
    """The document in a file (`Path`), or in a text (`str`) that errors call `name`.

    A file that ends in .toml, or a text whose name does, is TOML; everything else is YAML. An empty one is None.
    Raises DocumentError, which never repeats a value of the document.
    """
    file = name or ("text" if isinstance(source, str) else str(source))
    if isinstance(source, Path):
        try:
            data = source.read_bytes()
            if len(data) > MAX_BYTES:
                raise DocumentError(file, None, f"has {len(data)} bytes, the limit is {MAX_BYTES}")
            text = data.decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise DocumentError(file, None, why_unreadable(error)) from None
    else:
        text = source
        if len(text) > MAX_BYTES:
            raise DocumentError(file, None, f"has {len(text)} characters, the limit is {MAX_BYTES}")
    return _read_toml(text, file) if file.endswith(".toml") else _read_yaml(text, file)


def _read_toml(text: str, file: str) -> Document:
    from pos_specs.toml_lines import lines_of

    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(file, error) from None
    except ValueError:  # Python's own limit: such a number would take minutes to read
        raise DocumentError(file, None, "is not TOML: it holds a number of thousands of digits") from None
    except RecursionError:
        raise DocumentError(file, None, "is nested too deep") from None
    # that scanner counts the entries of lists from 1, documents count from 0
    lines = {tuple(key - 1 if isinstance(key, int) else key for key in path): at for path, at in lines_of(text).items()}
    return Document(file, value, {**lines, (): 1})


def _not_toml(file: str, error: tomllib.TOMLDecodeError) -> DocumentError:
    """Its message names the line at its end: "… (at line 3, column 7)"; what it quotes is one character."""
    reason = str(error)
    found = re.search(r" \(at line (\d+), column \d+\)$", reason)
    line = int(found[1]) if found else None
    return DocumentError(file, line, f"is not TOML: {reason[: found.start()] if found else reason}")


def _read_yaml(text: str, file: str) -> Document:
    import yaml

    lines: dict[Place, int] = {(): 1}
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        value = None if node is None else _Reader(file, lines).value(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DocumentError(file, mark.line + 1 if mark else None, f"is not YAML: {_problem(error)}") from None
    except yaml.YAMLError:
        raise DocumentError(file, None, "is not YAML: it holds a character that text cannot have") from None
    except RecursionError:
        raise DocumentError(file, None, "is nested too deep") from None
    return Document(file, value, lines)


def _problem(error: yaml.MarkedYAMLError) -> str:
    """What PyYAML says, without the excerpt of the file that its text would carry."""
    return ", ".join(part for part in (error.context, error.problem) if part)


class _Reader:
    """Turns YAML's nodes into values and notes the line of each.

    A plain scalar is a number only as people write numbers (`51`, `-2`, `1.5`): `00`, `051`, `22:00`, `yes` and dates
    stay text, which YAML 1.1 would turn into 0, 41, 1320, true and a date.
    """

    def __init__(self, file: str, lines: dict[Place, int]) -> None:
        self._file = file
        self._lines = lines
        self._count = 0

    def value(self, node: Any, path: Place) -> Any:
        """The value of a node at `path`; raises DocumentError."""
        line = node.start_mark.line + 1
        self._lines.setdefault(path, line)
        self._count += 1
        if self._count > MAX_VALUES:
            raise DocumentError(self._file, line, f"has more than {MAX_VALUES} values")
        if len(path) > MAX_DEPTH:
            raise DocumentError(self._file, line, f"is nested deeper than {MAX_DEPTH} values")
        if node.id == "mapping":
            return self._mapping(node, path)
        if node.id == "sequence":
            return [self.value(entry, (*path, index)) for index, entry in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: Any, path: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.id != "scalar" or key_node.tag == f"{_TAG}merge":
                raise DocumentError(self._file, line, f"{place_name(path) or 'document'}: a key must be plain text")
            key = str(key_node.value)
            if key in values:
                raise DocumentError(self._file, line, f"{place_name((*path, key))}: stands here twice")
            self._lines[(*path, key)] = line
            values[key] = self.value(value_node, (*path, key))
        return values

    def _scalar(self, node: Any, path: Place) -> str | int | float | bool | None:
        text = str(node.value)
        kind = node.tag.removeprefix(_TAG)
        if kind not in _SCALARS:
            reason = f"{place_name(path) or 'document'}: has a tag that is not read here"
            raise DocumentError(self._file, node.start_mark.line + 1, reason)
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if kind == "int" and _WHOLE.fullmatch(text):
            return int(text)
        if kind == "float" and _FRACTION.fullmatch(text):
            return float(text)
        return text


_TAG = "tag:yaml.org,2002:"
_SCALARS = ("null", "bool", "int", "float", "str", "timestamp")
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FRACTION = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
