"""A router of the API: every route under its prefix, behind a token, and for a merchant only with its own rows."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Security
from fastapi.security import HTTPBearer

from pos_host.admin.json_route import JsonRoute
from pos_host.admin.own_rows import only_own_rows

PREFIX = "/api/v1"

_BEARER = HTTPBearer(description="The host's admin token, or a user's", auto_error=False)
"""For the OpenAPI document only; the gate has checked the token before any route is looked for."""


def api_router(*tags: str) -> APIRouter:
    """A router whose routes are complete when they are declared: `include_router` would make each a second time, which
    doubles what a start costs."""
    return APIRouter(
        prefix=PREFIX,
        tags=list(tags),
        route_class=JsonRoute,
        dependencies=[Security(_BEARER), Depends(only_own_rows)],
    )
