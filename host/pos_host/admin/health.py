"""The paths that say whether the host runs and serves."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException

from pos_host.admin.answers import Health
from pos_host.admin.problems import Problem

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=Health)
async def healthz(request: Request) -> dict[str, str]:
    """The process answers."""
    return {"status": "ok", "version": request.app.version}


@router.get("/readyz", response_model=Health, responses={503: {"model": Problem, "description": "not ready"}})
async def readyz(request: Request) -> dict[str, str]:
    """Terminals are served; 503 while the host starts or stops."""
    if not request.app.state.is_ready():
        raise HTTPException(503, "the host is starting or stopping")
    return {"status": "ready", "version": request.app.version}
