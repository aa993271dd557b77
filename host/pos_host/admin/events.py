"""The path of events: the promise to integrators that none is ever missed."""

from __future__ import annotations

from typing import Any

from pos_host.admin.answers import Event, Page
from pos_host.admin.api_router import api_router
from pos_host.admin.queries import PAGE, After, Cursor, Limit, Of, TheOffice

router = api_router("events")


@router.get("/events", response_model=Page[Event])
async def events(
    office: TheOffice, cursor: Cursor, after: After = 0, limit: Limit = PAGE, merchant_id: Of = None
) -> dict[str, Any]:
    """Every event after a sequence, in order; with `merchant_id` what a merchant may see of its own, and then a page
    may be empty and have a next one. `next_cursor` is a sequence too, and may be given as `after`."""
    return await office.events(max(after, cursor), limit, merchant_id)
