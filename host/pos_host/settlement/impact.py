"""What a batch that nobody settles does to people: money not paid, days late, cardholders concerned."""

from __future__ import annotations

from typing import NamedTuple

from pos_host.ledger.book import Batch
from pos_host.ledger.entry import AUTHORISING
from pos_host.ledger.group_totals import sides

DAY_MS = 86_400_000


class Impact(NamedTuple):
    """`not_paid_minor` is what the merchant waits for (sales less refunds and voids, minor units of `currency`, ISO
    4217 numeric); `days_late` the days since the cut-off, each counted once it has begun, 0 before the cut-off;
    `cardholders` how many different cards stand in the batch."""

    not_paid_minor: int
    currency: str
    days_late: int
    cardholders: int


def impact_of(batch: Batch, due_at_ms: int, now_ms: int) -> Impact:
    """The impact at `now_ms` of a batch whose cut-off was at `due_at_ms` (both UTC milliseconds)."""
    debit, credit = sides(batch)
    cards = {
        transaction.card_print
        for transaction in batch.answers.values()
        if transaction.captured and not transaction.voided and transaction.function not in AUTHORISING
    }
    late_ms = max(0, now_ms - due_at_ms)
    return Impact(
        not_paid_minor=debit.amount_minor - credit.amount_minor,
        currency=batch.currency or batch.dialect.currency,
        days_late=-(-late_ms // DAY_MS),
        cardholders=len(cards - {""}),
    )
