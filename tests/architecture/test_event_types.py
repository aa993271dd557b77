"""Every type of event that the host tells is in the reference, and every one of the reference is told."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "host" / "pos_host").rglob("*.py"))


@lru_cache(1)
def documented() -> frozenset[str]:
    table = (ROOT / "docs" / "mqtt.md").read_text("utf-8").partition("| type | when |")[2]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return frozenset(name for cell in cells for name in re.findall(r"`([a-z_]+\.[a-z_*]+)`", cell))


@lru_cache(1)
def nodes() -> list[ast.expr]:
    """The texts and calls of the whole program."""
    trees = (ast.parse(source.read_text("utf-8")) for source in SOURCES)
    return [
        node for tree in trees for node in ast.walk(tree) if isinstance(node, (ast.Constant, ast.JoinedStr, ast.Call))
    ]


def told() -> set[str]:
    """First arguments of `Told(…)`; what is only known when it happens is a star."""
    firsts = [
        node.args[0]
        for node in nodes()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Told" and node.args
    ]
    return {pattern_of(first) for first in firsts} - {"*"}


def pattern_of(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(pattern_of(part) if isinstance(part, ast.Constant) else "*" for part in node.values)
    return "*"


def test_every_type_that_is_told_is_in_the_reference() -> None:
    assert 20 < len(told())
    assert [] == [made for made in sorted(told()) if not any(fit(name, made) for name in documented())]


def test_every_type_of_the_reference_is_told() -> None:
    texts = {pattern_of(node) for node in nodes()}
    known = {text for text in texts if re.fullmatch(r"[a-z_*]+\.[a-z_*]*\*?", text)}

    assert [] == [name for name in sorted(documented()) if not any(fit(name, text) for text in known)]


def fit(name: str, pattern: str) -> bool:
    """Whether a type of the reference, which may end in a star, and one of the code can be the same."""
    return fnmatchcase(name, pattern) or fnmatchcase(pattern, name)
