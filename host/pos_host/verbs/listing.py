"""What verbs show of the host's answers: a table for people, or one JSON document per line for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

Column = tuple[str, str]
"""A column's heading and the path of its value in an item: `("batch", "batch.number")`."""

WIDTH_WITHOUT_TERMINAL = 200
"""Characters in a line where nobody looks: enough that no cell of ours is wrapped."""


def show(items: Iterable[dict[str, Any]], columns: tuple[Column, ...], what: str, *, as_json: bool) -> None:
    """Print a list; `what` names it above the table, in the plural."""
    if as_json:
        for item in items:
            print(json.dumps(item, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    shown = list(items)
    table = Table(title=f"{len(shown)} {what}")
    for name, _ in columns:
        table.add_column(name)
    for item in shown:
        table.add_row(*[cell(item, path) for _, path in columns])
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL, markup=False).print(table)


def show_one(item: dict[str, Any], *, as_json: bool) -> None:
    """Print one thing: a line for each of its fields that says something."""
    if as_json:
        print(json.dumps(item, ensure_ascii=False))
        return
    width = max((len(name) for name in item), default=0)
    for name in item:
        if text := cell(item, name):
            print(f"{name.replace('_', ' '):{width}}  {text}")


def cell(item: dict[str, Any], path: str) -> str:
    """The value at `path` as a text; "" where there is none."""
    value: Any = item
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        if value.keys() == {"count", "amount_minor"}:
            return f"{value['count']} × {value['amount_minor']}"
        return ", ".join(f"{name}={_text(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(_text(part) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
