"""What requests may say, checked before the office is asked."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from pos_host.merchants.actors import Actor
from pos_host.office import Office

PAGE = 100
PAGE_MOST = 1000
"""A page is made in one go on the host's loop; a thousand terminals take some thirty milliseconds."""

NUMBER_MOST = 2**63 - 1
"""The largest number a store can look for."""


async def _office(request: Request) -> Office:
    office: Office = request.app.state.office
    return office


async def _actor(request: Request) -> Actor:
    actor: Actor = request.scope["actor"]
    return actor


async def _cursor(
    cursor: Annotated[
        str, Query(pattern="^[0-9]{1,18}$", description="`next_cursor` of the page before", examples=["100"])
    ] = "0",
) -> int:
    return int(cursor)


TheActor = Annotated[Actor, Depends(_actor)]
TheOffice = Annotated[Office, Depends(_office)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MOST, description="how many items at most")]
Cursor = Annotated[int, Depends(_cursor)]
After = Annotated[int, Query(ge=0, le=NUMBER_MOST, description="the sequence of the last event already seen")]
TERMINAL_ID_MOST = 16
"""The longest DE41 of any dialect, BASE24's."""

MERCHANT_ID_MOST = 15
"""The longest DE42."""

Tid = Annotated[
    str, Path(min_length=1, max_length=TERMINAL_ID_MOST, description="the terminal id", examples=["T0000001"])
]
BatchId = Annotated[int, Path(ge=1, le=NUMBER_MOST, description="`id` of a batch", examples=[100001])]
Of = Annotated[
    str | None, Query(alias="merchant_id", max_length=MERCHANT_ID_MOST, description="only what is this merchant's")
]
Merchant = Annotated[
    str | None,
    Query(
        alias="merchant_id",
        max_length=MERCHANT_ID_MOST,
        description="needed where two merchants share the terminal id",
    ),
]
