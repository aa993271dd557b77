"""Routes that take a body as JSON, whatever it calls itself, up to a limit and of texts that can be stored."""

from __future__ import annotations

import json
import math
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
            return await handle(_JsonRequest(scope, _Limited(request)))

        return handle_json


class _JsonRequest(Request):
    """Reads its body as JSON proper: Python's reader also takes half a surrogate pair, and NaN, which no store and no
    answer can hold."""

    async def json(self) -> Any:
        """The document; raises HTTPException (400) saying where it holds what is no text or no number."""
        document = json.loads(await self.body(), parse_constant=_no_number, parse_float=_finite)
        place = _place_of_half_character(document, "body")
        if place:
            raise HTTPException(400, f"{place}: holds half a character, a surrogate without the other")
        return document


def _no_number(name: str) -> float:
    raise HTTPException(400, f"the body holds {name}, which is no number of JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise HTTPException(400, "the body holds a number that is too large")
    return value


def _place_of_half_character(document: Any, place: str) -> str:
    """Where a text stands that has no bytes; "" where there is none. A key that is one is told by its parent."""
    if isinstance(document, str):
        return "" if _has_bytes(document) else place
    if isinstance(document, dict):
        if not all(_has_bytes(key) for key in document):
            return place
        inside = [_place_of_half_character(value, f"{place}.{key}") for key, value in document.items()]
        return next(filter(None, inside), "")
    if isinstance(document, list):
        inside = [_place_of_half_character(value, f"{place}.{no}") for no, value in enumerate(document)]
        return next(filter(None, inside), "")
    return ""


def _has_bytes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


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
