"""What verbs show of the host's answers: a table for people, or one JSON document per line for programs.

People see amounts as they write them, in the currency that stands beside them; programs get minor units.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from pos_specs.currencies import Currency, MoneyError, find_currency, show_amount

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
    """Print one thing: a line for each of its fields that says something, what stands within one further in."""
    if as_json:
        print(json.dumps(item, ensure_ascii=False))
        return
    for line in _lines(item, None):
        print(line)


def _lines(item: dict[str, Any], around: Currency | None) -> Iterator[str]:
    """`around` is the currency said around the item, None where there is none."""
    currency = _currency_of(item, around)
    names = {name: _name(name, currency).replace("_", " ") for name in item}
    width = max(map(len, names.values()), default=0)
    for name, value in item.items():
        if isinstance(value, dict) and not _is_side(value):
            within = list(_lines(value, currency))
        elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
            within = [f"- {_text(part, name, currency)}" for part in value]
        else:
            text = _text(value, name, currency)
            if text:
                yield f"{names[name]:{width}}  {text}"
            continue
        if within:
            yield names[name]
            yield from (f"  {line}" for line in within)


def _is_side(value: dict[str, Any]) -> bool:
    """Whether it is a side of the books: so many transactions of so much."""
    return value.keys() == {"count", "amount_minor"}


def cell(item: dict[str, Any], path: str) -> str:
    """The value at `path` as a text; "" where there is none."""
    value: Any = item
    currency, key = None, ""
    for key in path.split("."):
        currency = _currency_of(value, currency)
        value = value.get(key) if isinstance(value, dict) else None
    return _text(value, key, currency)


def _text(value: Any, key: str, currency: Currency | None) -> str:
    """A value that stands at `key`; `currency` is the nearest one said around it, None where none is."""
    if isinstance(value, dict):
        inside = _currency_of(value, currency)
        if _is_side(value):
            return f"{value['count']} for {_text(value['amount_minor'], 'amount_minor', inside)}"
        texts = ((_name(name, inside), _text(part, name, inside)) for name, part in value.items())
        return ", ".join(f"{name}={text}" for name, text in texts if text)
    if isinstance(value, list):
        return ", ".join(_text(part, key, currency) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if currency is not None and key == "currency":
        return currency.code
    if currency is not None and key.endswith(MINOR) and isinstance(value, int):
        return show_amount(value, currency)
    return "" if value is None else str(value)


def _name(name: str, currency: Currency | None) -> str:
    """The name of a value as it is shown: that of an amount without its unit, once it is in a currency."""
    return name if currency is None else name.removesuffix(MINOR)


def _currency_of(value: Any, around: Currency | None) -> Currency | None:
    """The currency of what stands in a document; None where nobody says one, or one that nobody knows."""
    given = value.get("currency") if isinstance(value, dict) else None
    if given is None:
        return around
    try:
        return find_currency(str(given))
    except MoneyError:
        return None
