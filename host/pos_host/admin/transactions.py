"""The path of transactions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import AwareDatetime, Field

from pos_host.admin.answers import Answer, Currency, Instant, MaskedCard, MerchantId, Page, Stan, TerminalId
from pos_host.admin.api_router import api_router
from pos_host.admin.instants import utc_ms
from pos_host.admin.queries import NUMBER_MOST, PAGE, TERMINAL_ID_MOST, Cursor, Limit, Of, TheOffice
from pos_host.transaction_search import MASKED_CARD, STAN_DIGITS, Wanted

router = api_router("transactions")

_CARD = f"^{MASKED_CARD.pattern}$"


class TransactionItem(Answer):
    """A terminal's request about a card, and what became of it."""

    sequence: int = Field(description="of its entry in the journal, and of its event", examples=[41])
    at: Instant
    merchant_id: MerchantId | None
    terminal_id: TerminalId | None
    batch_id: int | None = Field(examples=[100001])
    function: str = Field(examples=["purchase"])
    mti: str | None = Field(examples=["0200"])
    stan: Stan | None
    outcome: str = Field(examples=["approved"])
    response_code: str | None = Field(description="in the terminal's dialect", examples=["00"])
    amount_minor: int = Field(examples=[5000])
    currency: Currency | None
    card: MaskedCard | None
    rrn: str | None = Field(examples=["000001000004"])
    approval_code: str | None = Field(examples=["000004"])
    reason: str | None = Field(description="why it was declined", examples=[None])


@router.get("/transactions", response_model=Page[TransactionItem])
async def transactions(
    office: TheOffice,
    cursor: Cursor,
    limit: Limit = PAGE,
    merchant_id: Of = None,
    terminal_id: Annotated[
        str | None, Query(max_length=TERMINAL_ID_MOST, description="only what this terminal sent")
    ] = None,
    batch_id: Annotated[int | None, Query(ge=1, le=NUMBER_MOST, description="only what this batch holds")] = None,
    stan: Annotated[str | None, Query(pattern="^[0-9]{1,6}$", description="the terminal's trace number")] = None,
    rrn: Annotated[str | None, Query(pattern="^[0-9A-Za-z]{1,12}$", description="retrieval reference number")] = None,
    card: Annotated[str | None, Query(pattern=_CARD, description="first six digits, stars, last four")] = None,
    response_code: Annotated[
        str | None, Query(pattern="^[0-9A-Za-z]{2,3}$", description="what the terminal was told")
    ] = None,
    since: Annotated[AwareDatetime | None, Query(description="not before; ISO 8601 with an offset")] = None,
    until: Annotated[AwareDatetime | None, Query(description="not after; ISO 8601 with an offset")] = None,
) -> dict[str, Any]:
    """Transactions, the latest first; the cursor is a sequence. A page may hold fewer than `limit`, or none, and have
    a `next_cursor` all the same: the journal was looked through that far."""
    wanted = Wanted(
        batch_id,
        None if stan is None else stan.zfill(STAN_DIGITS),
        rrn,
        card,
        response_code,
        utc_ms(since),
        utc_ms(until),
    )
    return await office.transactions(wanted, terminal_id, merchant_id, limit, cursor)
