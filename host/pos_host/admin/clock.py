"""The paths of the host's clock."""

from __future__ import annotations

from typing import Annotated

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field

from pos_host.admin.answers import ClockTime, Time
from pos_host.admin.api_router import api_router
from pos_host.admin.queries import TheActor, TheOffice

router = api_router("clock")


class Advance(BaseModel):
    """How far to move a manual clock."""

    model_config = ConfigDict(extra="forbid")

    advance: Annotated[str, Field(max_length=64, description="ISO 8601 duration", examples=["PT10H"])]


@router.get("/clock", response_model=ClockTime)
async def clock(office: TheOffice) -> dict[str, str]:
    """The host's time and where it comes from."""
    return office.clock()


@router.post("/clock", response_model=Time)
async def advance(office: TheOffice, actor: TheActor, move: Advance) -> dict[str, str]:
    """Move a manual clock; answers once everything due by then has happened, in order, each at its own time."""
    try:
        return await office.move_clock(actor, move.advance)
    except ValueError as error:
        wrong = {"type": "value_error", "loc": ("body", "advance"), "msg": str(error)}
        raise RequestValidationError([wrong]) from None
