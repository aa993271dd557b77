"""The admin API as one FastAPI app. Importing this and making the app are slow: do both in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from pos_host.admin import (
    account_changes,
    agreements,
    applications,
    audit,
    authorisations,
    calendars,
    clock,
    closures,
    complaints,
    diagnosis,
    documents,
    escalations,
    events,
    expectations,
    health,
    holder_changes,
    look_back,
    merchants,
    messages,
    payouts,
    received,
    reports,
    reset,
    rules,
    suspensions,
    terminals,
    transactions,
    users,
)
from pos_host.admin.api_router import PREFIX
from pos_host.admin.gate import ActorOf, Gate
from pos_host.admin.problems import MEDIA_TYPE, answer_problems
from pos_host.office import Office

_PROBLEMS = {
    "401": "no bearer token, or a wrong one",
    "403": "the token's role is not enough, or it is somebody else's to do",
    "404": "what was asked for does not exist",
    "409": "the terminal id is not unique, or it cannot be done, or not now",
    "422": "something in the request is not valid; `errors` says what",
    "500": "the host's own mistake",
}
_BODY_PROBLEMS = {"400": "the body is not JSON", "413": "the body is too large"}
_HEALTH_PROBLEMS = {status: _PROBLEMS[status] for status in ("401", "500")}

_PARTS = (
    applications, escalations, look_back, payouts, reports, closures, suspensions, diagnosis, terminals, authorisations,
    transactions, events, clock, rules, messages, received, expectations, reset, agreements, calendars, audit, users,
    account_changes, holder_changes, documents, complaints,
    merchants,  # last: its paths end with any merchant number
)  # fmt: skip


class Api(FastAPI):
    """FastAPI whose OpenAPI document has every operation's problem documents.

    They are written into the document and not declared with the routes: FastAPI would make a model of each for every
    route, on the host's loop, at its start.
    """

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            schema = super().openapi()
            for path, operations in schema["paths"].items():
                for operation in operations.values():
                    _add_problems(operation, in_api=path.startswith(PREFIX))
            for unused in ("HTTPValidationError", "ValidationError"):
                schema["components"]["schemas"].pop(unused, None)
        return super().openapi()


def _add_problems(operation: dict[str, Any], *, in_api: bool) -> None:
    answers = operation["responses"]
    answers.pop("422", None)  # FastAPI's own, which nobody gets
    told = _PROBLEMS if in_api else _HEALTH_PROBLEMS
    if "requestBody" in operation:
        told = told | _BODY_PROBLEMS
    for status, description in told.items():
        answers[status] = {"description": description}
    for status, answer in answers.items():
        if not status.startswith("2"):
            answer["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def make_app(
    office: Office, actor_of: ActorOf, version: str, *, is_ready: Callable[[], bool] = lambda: True
) -> FastAPI:
    """The admin API of `office` for those whose token `actor_of` knows; `is_ready` is what /readyz tells."""
    app = Api(
        title="pos-host",
        summary="The admin API of a POS acquiring host",
        version=version,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.office = office
    app.state.is_ready = is_ready
    app.add_middleware(Gate, actor_of=actor_of)
    answer_problems(app)
    app.router.routes.extend(health.router.routes)
    for part in _PARTS:
        if part.router.prefix != PREFIX:
            raise ValueError(f"{part.__name__}: its router is not made by api_router()")
        app.router.routes.extend(part.router.routes)
    app.add_api_route("/openapi.json", _openapi_of(app), include_in_schema=False)
    return app


def _openapi_of(app: FastAPI) -> Callable[[], Any]:
    async def openapi() -> JSONResponse:
        return JSONResponse(await asyncio.to_thread(app.openapi))

    return openapi
