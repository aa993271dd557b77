"""The path of the last messages, each element by its name: as a page, or as they come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse
from pydantic import BeforeValidator

from pos_host.admin.api_router import api_router
from pos_host.admin.exchange_models import Received, Since, TheWanted
from pos_host.admin.exchange_pages import exchange_page, fitting
from pos_host.admin.queries import PAGE, Cursor, Limit, TheOffice
from pos_host.exchange_follower import Follower
from pos_host.exchange_views import message_view
from pos_host.expectations.wanted import Wanted, differences

router = api_router("messages")

ALIVE_EVERY_S = 15.0
"""Without a message a comment is sent this often: a reader that is gone is noticed, and proxies keep the line."""

Follow = Annotated[
    bool,
    BeforeValidator(lambda given: given or given == ""),
    Query(description="go on as server-sent events (text/event-stream); `?follow` is enough"),
]


_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}


@router.get("/messages", response_model=Received, responses=_STREAM)
async def messages(
    office: TheOffice,
    wanted: TheWanted,
    cursor: Cursor,
    since: Since | None = None,
    limit: Limit = PAGE,
    follow: Follow = False,
) -> Any:
    """The last messages that fit the conditions, the newest first, with names and meanings of their elements. With
    `follow` those to come, after those since the mark where one is given."""
    exchanges = office.parts.pipeline.exchanges
    if follow:
        follower = Follower(exchanges, exchanges.count if since is None else since)
        return StreamingResponse(_events(follower, wanted), media_type="text/event-stream")
    kept = [exchange for exchange in reversed(exchanges.kept) if exchange.number > (since or 0)]
    mark = exchanges.count
    return await exchange_page(await fitting(kept, wanted), limit, cursor, message_view, mark)


async def _events(follower: Follower, wanted: Wanted) -> AsyncIterator[str]:
    """Server-sent events: `message` for each, `dropped` with a number where the reader was too slow."""
    with follower:
        yield ": following\n\n"
        while (following := await follower.next(ALIVE_EVERY_S)) is not None:
            exchange, dropped = following
            if dropped:
                yield f"event: dropped\ndata: {json.dumps({'dropped': dropped})}\n\n"
            if exchange is None:
                yield ": alive\n\n"
            elif not differences(exchange, wanted, clear=False):
                data = json.dumps(message_view(exchange), ensure_ascii=False)
                yield f"id: {exchange.number}\nevent: message\ndata: {data}\n\n"
                await asyncio.sleep(0)  # a reader that is far behind is no reason to keep others waiting
