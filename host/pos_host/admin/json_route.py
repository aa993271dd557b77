"""Routes that take a body as JSON, whatever it calls itself, up to a limit."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import Message

BODY_MOST_BYTES = 1_048_576
"""The largest body read: what is sent here is some kilobytes, never an upload."""


class JsonRoute(APIRoute):
    """A route whose body is JSON also when `curl -d` calls it a form.

    That is safe here, as no browser sends the bearer token by itself.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            others = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
            scope = {**request.scope, "headers": [*others, (b"content-type", b"application/json")]}
            return await handle(Request(scope, _Limited(request)))

        return handle_json


class _Limited:
    """Receives a body up to the limit. FastAPI's own `max_body_size` answers 413 in plain text."""

    def __init__(self, request: Request) -> None:
        self._receive = request.receive
        self._left = BODY_MOST_BYTES

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413)
        return message
