"""What verbs show of the host's answers: a table for people, or one JSON document per line for programs.

People see amounts as they write them, in the currency that stands beside them; programs get minor units.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from pos_specs.currencies import MoneyError, find_currency, show_amount

MINOR = "_minor"
"""What the name of an amount in minor units ends with."""

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
            print(f"{_name(name, item.get('currency')).replace('_', ' '):{width}}  {text}")


def cell(item: dict[str, Any], path: str) -> str:
    """The value at `path` as a text; "" where there is none."""
    value: Any = item
    currency = key = None
    for key in path.split("."):
        currency = _currency_of(value, currency)
        value = value.get(key) if isinstance(value, dict) else None
    return _text(value, key or "", currency)


def _text(value: Any, key: str, currency: Any) -> str:
    """A value that stands at `key`; `currency` is the nearest one said around it, None where none is."""
    if isinstance(value, dict):
        inside = _currency_of(value, currency)
        if value.keys() == {"count", "amount_minor"}:
            return f"{value['count']} for {_text(value['amount_minor'], 'amount_minor', inside)}"
        return ", ".join(f"{_name(name, inside)}={_text(part, name, inside)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(_text(part, key, currency) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    return _money(value, key, currency) or str(value)


def _money(value: Any, key: str, currency: Any) -> str:
    """An amount as people write it, a currency by its letters; "" for what is neither, or in no currency that is
    known."""
    try:
        if key == "currency":
            return find_currency(str(value)).code
        if key.endswith(MINOR) and isinstance(value, int):
            return show_amount(value, find_currency(str(currency)))
    except MoneyError:
        pass
    return ""


def _name(name: str, currency: Any) -> str:
    """The name of a value as it is shown: that of an amount without its unit, once it is in a currency."""
    return name.removesuffix(MINOR) if currency is not None else name


def _currency_of(value: Any, around: Any) -> Any:
    return value.get("currency", around) if isinstance(value, dict) else around
