"""The path of pre-authorisations."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from pos_host.admin.answers import Authorisation, AuthorisationState, Page
from pos_host.admin.api_router import api_router
from pos_host.admin.queries import PAGE, Cursor, Limit, Of, TheOffice

router = api_router("authorisations")

State = Annotated[AuthorisationState | None, Query(description="only those in this state")]


@router.get("/authorisations", response_model=Page[Authorisation])
async def authorisations(
    office: TheOffice, cursor: Cursor, limit: Limit = PAGE, merchant_id: Of = None, state: State = None
) -> dict[str, Any]:
    """Pre-authorisations by terminal and age: the open ones, and those that ended in a batch still remembered."""
    return office.authorisations(limit, cursor, merchant_id, state)
