"""Purchase and cash advance: money from the cardholder."""

from __future__ import annotations

from pos_host.clock import Instant
from pos_host.handlers.issuer import judge
from pos_host.handlers.posting_entry import approval, approve, decline, part_of
from pos_host.ledger.book import Batch, Book, Tombstone
from pos_host.ledger.decision import Decision
from pos_host.transaction.request import Request


def purchase(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Approve, or a part of it, what the issuer does; unless its reversal was here first or its money is wrong.

    A cash advance is the same to the host.
    """
    wrong = late_original(request, book) or wrong_money(request, batch)
    if wrong is not None:
        return decline(request, book, batch, now, *wrong)
    asked_minor = request.amount_minor or 0
    outcome, reason, _, _ = judged = judge(request, asked_minor, now)
    if outcome == "approved":
        return approve(request, book, batch, now)
    if outcome == "partially_approved":
        return approval(request, book, batch, now, outcome=outcome, **part_of(judged, asked_minor, {}))
    return decline(request, book, batch, now, outcome, reason)


def late_original(request: Request, book: Book) -> tuple[str, str] | None:
    """The refusal of an original that comes after its reversal: same STAN, amount and card in the batch.

    During a Hypercom upload the reversal may have been kept with the batch before: any that its terminal has not
    settled counts.
    """
    for batch in book.batches:
        tombstone = batch.tombstones.get(request.stan)
        if tombstone is not None and (not batch.closed or batch.awaits_terminal) and _is_of(tombstone, request):
            return "late_original", f"its reversal of STAN {request.stan} was here first"
    return None


def _is_of(tombstone: Tombstone, request: Request) -> bool:
    if tombstone.amount_minor != request.amount_minor:
        return False
    return tombstone.card_print in ("", request.card.print) or not request.card.print


def wrong_money(request: Request, batch: Batch) -> tuple[str, str] | None:
    """What is wrong with card, amount or currency, as outcome and reason; None when all is right."""
    if not request.card.valid:
        return "invalid_card", "card number has a wrong length or check digit"
    if not request.amount_minor:
        return "invalid_amount", "amount is zero"
    if batch.currency and request.currency != batch.currency:
        return "format_error", f"currency {request.currency} in a batch of {batch.currency}"
    return None


def wrong_pin(request: Request, now: Instant) -> tuple[str, str] | None:
    """The issuer's refusal of a PIN that came with a message which asks for no new money; None for a right one."""
    if not request.pin:
        return None
    outcome, reason, _, _ = judge(request, 0, now)
    return None if outcome == "approved" else (outcome, reason)
