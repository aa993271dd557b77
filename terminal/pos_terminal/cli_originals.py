"""Options that name a transaction which the terminal no longer remembers, by its particulars."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_terminal.cards import Card, find_card
from pos_terminal.cli_options import UsageError, read_amount, read_currency
from pos_terminal.transaction import Original

OriginalStan = Annotated[str, typer.Option("--original-stan", help="STAN of a transaction no longer remembered.")]
OriginalRrn = Annotated[str, typer.Option("--original-rrn", help="Its reference number (DE37).")]
OriginalBatch = Annotated[str, typer.Option("--original-batch", help="Its batch number.")]
OriginalDate = Annotated[str, typer.Option("--original-date", help="Its date, MMDD.")]
ApprovalCode = Annotated[str, typer.Option("--approval-code", help="Its approval code (DE38).")]
UnloggedAmount = Annotated[
    str | None, typer.Option("--amount", help="As people write it; of what is remembered, all of it by default.")
]
UnloggedCard = Annotated[str | None, typer.Option("--card", help="Of a transaction no longer remembered.")]


def particulars(stan: str, rrn: str, batch: str, date: str = "", approval_code: str = "") -> Original | None:
    """What the options name, None when they name nothing."""
    if not (stan or rrn or approval_code):
        return None
    return Original(stan=stan, rrn=rrn, batch_number=batch, date=date, approval_code=approval_code)


def money_of(card: str | None, amount: str | None, currency: str) -> tuple[Card, int, str]:
    """Card, amount in minor units and currency number of a transaction named by its particulars; raises UsageError."""
    if card is None or amount is None:
        raise UsageError("a transaction that is not remembered is named with --card and --amount too")
    money = read_currency(currency)
    return find_card(card), read_amount(amount, money), money.number
