"""The paths of users and their tokens."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path

from pos_host.admin.answers import Page
from pos_host.admin.api_router import api_router
from pos_host.admin.instants import utc_ms
from pos_host.admin.pages import page_of
from pos_host.admin.queries import PAGE, Cursor, Limit, TheActor, TheOffice
from pos_host.admin.user_models import NewUser, Reason, Rotation, User, UserWithToken

router = api_router("users")

Json = dict[str, Any]
Name = Annotated[str, Path(min_length=1, max_length=64, description="the user's name", examples=["li.wei"])]


@router.get("/users", response_model=Page[User])
async def users(office: TheOffice, cursor: Cursor, limit: Limit = PAGE) -> Json:
    """Every user in the order they came, revoked ones among them."""
    return page_of(office.parts.users.users(), limit, cursor)


@router.post("/users", response_model=UserWithToken)
async def create(office: TheOffice, actor: TheActor, new: NewUser) -> Json:
    """Put a user on record; the answer is the only place where its token ever stands."""
    ends_at_ms = utc_ms(new.expires_at) or 0
    return await office.parts.users.create(actor, new.name, new.role, new.merchant_id or "", new.why, ends_at_ms)


@router.get("/users/{name}", response_model=User)
async def user(office: TheOffice, name: Name) -> Json:
    """One user."""
    return office.parts.users.user(name)


@router.post("/users/{name}/rotate", response_model=UserWithToken)
async def rotate(office: TheOffice, actor: TheActor, name: Name, given: Rotation) -> Json:
    """Give a user a new token; the old one is refused from now on. It lasts as long as the old one was given for,
    unless an end is named."""
    return await office.parts.users.rotate(actor, name, given.why, utc_ms(given.expires_at) or 0)


@router.post("/users/{name}/revoke", response_model=User)
async def revoke(office: TheOffice, actor: TheActor, name: Name, reason: Reason) -> Json:
    """End a user and its token for good."""
    return await office.parts.users.revoke(actor, name, reason.why)
