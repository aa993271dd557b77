"""The admin API as one FastAPI app. Importing this is the slowest part of a start: do it in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Security
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer

from pos_host.admin import (
    account_changes,
    agreements,
    applications,
    audit,
    authorisations,
    clock,
    closures,
    complaints,
    diagnosis,
    documents,
    escalations,
    events,
    health,
    holder_changes,
    look_back,
    merchants,
    payouts,
    reports,
    suspensions,
    terminals,
    users,
)
from pos_host.admin.gate import ActorOf, Gate
from pos_host.admin.own_rows import only_own_rows
from pos_host.admin.problems import MEDIA_TYPE, Problem, answer_problems
from pos_host.office import Office

_BEARER = HTTPBearer(description="The host's admin token, or a user's", auto_error=False)
"""For the OpenAPI document only; the gate has checked the token before any route is looked for."""

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in {
        401: "no bearer token, or a wrong one",
        403: "the token's role is not enough, or it is somebody else's to do",
        404: "what was asked for does not exist",
        409: "the terminal id is not unique, or it cannot be done, or not now",
        422: "something in the request is not valid; `errors` says what",
        500: "the host's own mistake",
    }.items()
}
_BODY_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "the body is not JSON"},
    413: {"model": Problem, "description": "the body is too large"},
}


class Api(FastAPI):
    """FastAPI whose OpenAPI document calls problem documents by their media type."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            schema = super().openapi()
            for operation in (o for path in schema["paths"].values() for o in path.values()):
                for status, answer in operation["responses"].items():
                    if not status.startswith("2"):
                        answer["content"] = {MEDIA_TYPE: answer["content"]["application/json"]}
        return super().openapi()


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
    app.include_router(health.router, responses={s: _PROBLEMS[s] for s in (401, 500)})
    app.include_router(_api_v1())
    app.add_api_route("/openapi.json", _openapi_of(app), include_in_schema=False)
    return app


def _api_v1() -> APIRouter:
    router = APIRouter(prefix="/api/v1", dependencies=[Security(_BEARER), Depends(only_own_rows)], responses=_PROBLEMS)
    router.include_router(applications.router, responses=_BODY_PROBLEMS)
    router.include_router(escalations.router, responses=_BODY_PROBLEMS)
    router.include_router(look_back.router, responses=_BODY_PROBLEMS)
    router.include_router(payouts.router, responses=_BODY_PROBLEMS)
    router.include_router(reports.router)
    router.include_router(closures.router, responses=_BODY_PROBLEMS)
    router.include_router(suspensions.router, responses=_BODY_PROBLEMS)
    router.include_router(diagnosis.router)
    router.include_router(terminals.router)
    router.include_router(authorisations.router)
    router.include_router(events.router)
    router.include_router(clock.router, responses=_BODY_PROBLEMS)
    router.include_router(agreements.router, responses=_BODY_PROBLEMS)
    router.include_router(audit.router)
    router.include_router(users.router, responses=_BODY_PROBLEMS)
    router.include_router(account_changes.router, responses=_BODY_PROBLEMS)
    router.include_router(holder_changes.router, responses=_BODY_PROBLEMS)
    router.include_router(documents.router, responses=_BODY_PROBLEMS)
    router.include_router(complaints.router, responses=_BODY_PROBLEMS)
    router.include_router(merchants.router, responses=_BODY_PROBLEMS)  # last: its paths end with any merchant number
    return router


def _openapi_of(app: FastAPI) -> Callable[[], Any]:
    async def openapi() -> JSONResponse:
        return JSONResponse(await asyncio.to_thread(app.openapi))

    return openapi
