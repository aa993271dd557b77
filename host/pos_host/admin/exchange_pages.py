"""Pages of exchanges. Each takes up to a millisecond to compare or show: the loop has its turn between them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from pos_host.admin.pages import page_of
from pos_host.exchanges import Exchange
from pos_host.expectations.wanted import Wanted, differences


async def fitting(exchanges: Sequence[Exchange], wanted: Wanted) -> list[Exchange]:
    """Those of the exchanges that are as they are wanted, as somebody outside may compare them."""
    found = []
    for exchange in exchanges:
        if not differences(exchange, wanted, clear=False):
            found.append(exchange)
        await asyncio.sleep(0)
    return found


async def exchange_page(
    found: Sequence[Exchange], limit: int, cursor: int, view: Callable[[Exchange], dict[str, Any]], mark: int
) -> dict[str, Any]:
    """The `limit` exchanges after the first `cursor`, shown by `view`, with the `mark` to go on from."""
    page = page_of(found, limit, cursor)
    items = []
    for exchange in page["items"]:
        items.append(view(exchange))
        await asyncio.sleep(0)
    return {**page, "items": items, "mark": mark}
