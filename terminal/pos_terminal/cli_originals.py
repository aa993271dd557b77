"""Options that name a transaction which the terminal no longer remembers, by its particulars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from pos_terminal.cards import Card, find_card
from pos_terminal.cli_options import CurrencyOption, UsageError, read_amount, read_currency
from pos_terminal.transaction import Original

OriginalStan = Annotated[str, typer.Option("--original-stan", help="STAN of a transaction no longer remembered.")]
OriginalRrn = Annotated[str, typer.Option("--original-rrn", help="Its reference number (DE37).")]
OriginalBatch = Annotated[str, typer.Option("--original-batch", help="Its batch number.")]
OriginalDate = Annotated[str, typer.Option("--original-date", help="Its date, MMDD.")]


@dataclass(frozen=True, slots=True, repr=False)
class UnloggedOptions:
    """Card and money of a transaction that is no longer remembered."""

    amount: Annotated[
        str | None, typer.Option("--amount", help="As people write it; of what is remembered, all of it by default.")
    ] = None
    card: Annotated[str | None, typer.Option("--card", help="Of a transaction no longer remembered.")] = None
    currency: CurrencyOption = "CNY"

    def amount_minor(self) -> int | None:
        """The amount in minor units, None where none is named; raises UsageError."""
        return None if self.amount is None else read_amount(self.amount, read_currency(self.currency))

    def card_and_money(self) -> tuple[Card, int, str]:
        """Card, amount in minor units and the currency's number; raises UsageError where one is missing."""
        amount_minor = self.amount_minor()
        if self.card is None or amount_minor is None:
            raise UsageError("a transaction that is not remembered is named with --card and --amount too")
        return find_card(self.card), amount_minor, read_currency(self.currency).number


@dataclass(frozen=True, slots=True)
class ReservationOptions:
    """Particulars of a pre-authorisation, or of its completion, that is no longer remembered."""

    original_stan: OriginalStan = ""
    original_batch: OriginalBatch = ""
    original_date: OriginalDate = ""
    approval_code: Annotated[str, typer.Option("--approval-code", help="Its approval code (DE38).")] = ""

    def original(self, rrn: str = "") -> Original | None:
        """What the options name, with a reference number if the verb has one; None when they name nothing."""
        return particulars(self.original_stan, rrn, self.original_batch, self.original_date, self.approval_code)


def particulars(stan: str, rrn: str, batch: str, date: str = "", approval_code: str = "") -> Original | None:
    """What the options name, None when they name nothing."""
    if not (stan or rrn or approval_code):
        return None
    return Original(stan=stan, rrn=rrn, batch_number=batch, date=date, approval_code=approval_code)
