"""Whom a path is about: a terminal, or a whole merchant."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path

from pos_host.admin.queries import Merchant, TheOffice, Tid
from pos_host.merchants.closing.terminal_states import Whom, merchant_known

Mid = Annotated[
    str, Path(min_length=1, max_length=15, description="the merchant's number (DE42)", examples=["104110070110814"])
]


async def _terminal(office: TheOffice, tid: Tid, merchant_id: Merchant = None) -> Whom:
    book = office.book(tid, merchant_id)
    return Whom(book.merchant_id, book)


async def _merchant(office: TheOffice, mid: Mid) -> Whom:
    return merchant_known(office.parts.registry, mid)


TheTerminal = Annotated[Whom, Depends(_terminal)]
TheMerchant = Annotated[Whom, Depends(_merchant)]
