"""Pages of lists that are at hand as a whole: the cursor is a position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def page_of(items: Sequence[Any], limit: int, cursor: int) -> dict[str, Any]:
    """The `limit` items after the first `cursor`."""
    end = cursor + limit
    return {"items": list(items[cursor:end]), "next_cursor": str(end) if end < len(items) else None}
