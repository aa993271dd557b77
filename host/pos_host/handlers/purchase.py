"""Purchase: money from the cardholder to the merchant."""

from __future__ import annotations

from pos_host.clock import Instant
from pos_host.handlers.posting_entry import approve, decline
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.decision import Decision
from pos_host.transaction.request import Request


def purchase(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Approve unless its reversal was here first or card, amount or currency are wrong."""
    wrong = late_original(request, batch) or wrong_money(request, batch)
    if wrong is not None:
        return decline(request, book, batch, now, *wrong)
    return approve(request, book, batch, now)


def late_original(request: Request, batch: Batch) -> tuple[str, str] | None:
    """The refusal of an original that comes after its reversal: same STAN, amount and card in the batch."""
    tombstone = batch.tombstones.get(request.stan)
    if (
        tombstone is None
        or tombstone.amount_minor != request.amount_minor
        or (tombstone.card_print and request.card.print and tombstone.card_print != request.card.print)
    ):
        return None
    return "late_original", f"its reversal of STAN {request.stan} was here first"


def wrong_money(request: Request, batch: Batch) -> tuple[str, str] | None:
    """What is wrong with card, amount or currency, as outcome and reason; None when all is right."""
    if not request.card.valid:
        return "invalid_card", "card number has a wrong length or check digit"
    if not request.amount_minor:
        return "invalid_amount", "amount is zero"
    if batch.currency and request.currency != batch.currency:
        return "format_error", f"currency {request.currency} in a batch of {batch.currency}"
    return None
