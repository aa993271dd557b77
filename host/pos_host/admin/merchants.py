"""The paths of merchants and the terminals they may use."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path

from pos_host.admin.answers import Page
from pos_host.admin.api_router import api_router
from pos_host.admin.merchant_models import Merchant, MerchantChange, MerchantTerminal, NewMerchant, NewTerminal
from pos_host.admin.pages import page_of
from pos_host.admin.queries import PAGE, Cursor, Limit, Of, TheActor, TheOffice

router = api_router("merchants")

Json = dict[str, Any]
Mid = Annotated[
    str, Path(min_length=1, max_length=15, description="the merchant's number (DE42)", examples=["104110070110814"])
]


@router.get("/merchants", response_model=Page[Merchant])
async def merchants(office: TheOffice, cursor: Cursor, limit: Limit = PAGE, merchant_id: Of = None) -> Json:
    """Every merchant, in the order they came."""
    return page_of(office.parts.directory.merchants(merchant_id), limit, cursor)


@router.post("/merchants", response_model=Merchant)
async def create(office: TheOffice, actor: TheActor, new: NewMerchant) -> Json:
    """Put a merchant on record; 409 where it is known already."""
    return await office.parts.directory.create(actor, new.merchant_id, new.given(), new.why)


# As with terminals: a number is any fifteen characters, and the longer path comes first.
@router.get("/merchants/{mid:path}/terminals", response_model=Page[MerchantTerminal])
async def terminals(office: TheOffice, mid: Mid, cursor: Cursor, limit: Limit = PAGE) -> Json:
    """A merchant's terminals: the enrolled ones, then those that have not spoken yet."""
    return page_of(office.parts.directory.terminals(mid), limit, cursor)


@router.post("/merchants/{mid:path}/terminals", response_model=MerchantTerminal)
async def add_terminal(office: TheOffice, actor: TheActor, mid: Mid, new: NewTerminal) -> Json:
    """Let a terminal enrol at its first message, also where unknown terminals are refused."""
    return await office.parts.directory.add_terminal(actor, mid, new.terminal_id, new.why)


@router.get("/merchants/{mid:path}", response_model=Merchant)
async def merchant(office: TheOffice, mid: Mid) -> Json:
    """One merchant."""
    return office.parts.directory.merchant(mid)


@router.patch("/merchants/{mid:path}", response_model=Merchant)
async def change(office: TheOffice, actor: TheActor, mid: Mid, changes: MerchantChange) -> Json:
    """Change what is said of a merchant; what is left out stays."""
    return await office.parts.directory.change(actor, mid, changes.given(), changes.why)
