"""The line of a key in a TOML file."""

import tomllib
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

from pos_specs.dialect_file import shipped_dialects
from pos_specs.toml_lines import Path, line_of, lines_of

FILE = '''\
# [dialect] in a comment is no table
title = "a # that is no comment, and a \\" too"
[wire]
mti = 'bcd' # behind it
"quoted key" . "and.dotted" = 1

[elements]
2 = { name = "pan", format = "n..19" }
60 = { name = "batch", parts = ["a", { deep = [1, 2] }] }

[[functions]]
name = """
[functions.not_here]
"""
mti = [
    "0200",   # one
    "0201",
]
  [functions.when]
  "60.message_type" = ["22"]

[[functions]]
when.mti = "0400"
[a.b."c.d"]
key = \'\'\'
key = 2
\'\'\'
last = 1979-05-27T07:32:00Z
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("wire",), 3),
        (("wire", "mti"), 4),
        (("wire", "quoted key", "and.dotted"), 5),
        (("elements", "2", "format"), 8),
        (("elements", "60", "parts", 2, "deep", 1), 9),
        (("functions", 1), 11),
        (("functions", 1, "name"), 12),
        (("functions", 1, "mti"), 15),
        (("functions", 1, "mti", 2), 17),
        (("functions", 1, "when", "60.message_type"), 20),
        (("functions", 2), 22),
        (("functions", 2, "when", "mti"), 23),
        (("a", "b", "c.d", "key"), 25),
        (("a", "b", "c.d", "last"), 28),
    ],
)
def test_a_key_is_found_in_its_line(path: Path, line: int) -> None:
    tomllib.loads(FILE)

    assert line == line_of(FILE, path)


@pytest.mark.parametrize(
    ("path", "line"), [(("wire", "length"), 3), (("functions", 2, "name"), 22), (("codes", "00"), None), ((), None)]
)
def test_what_is_missing_is_looked_for_in_its_table(path: Path, line: int | None) -> None:
    assert line == line_of(FILE, path)


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every path of a file, as tomllib reads it."""
    items = value.items() if isinstance(value, dict) else enumerate(value, 1)
    for key, item in items:
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from paths(item, (*path, key))


@pytest.mark.parametrize("name", shipped_dialects())
def test_every_key_of_a_shipped_dialect_stands_in_the_line_found(name: str) -> None:
    text = (resources.files("pos_specs") / "dialects" / f"{name}.toml").read_text("utf-8")
    lines = text.splitlines()
    found = lines_of(text)

    assert set() == set(paths(tomllib.loads(text))) ^ found.keys()
    assert [] == [path for path, line in found.items() if not stands(path, lines[line - 1])]


def stands(path: Path, line: str) -> bool:
    """The key is in the line; a number counts entries of a list, which have no name."""
    key = next(key for key in reversed(path) if isinstance(key, str))
    return isinstance(path[-1], int) or key in line
