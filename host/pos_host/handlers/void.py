"""Purchase void: takes back a purchase of the open batch, whole."""

from __future__ import annotations

from pos_host.clock import Instant
from pos_host.handlers.originals import card_differs, original_of
from pos_host.handlers.posting_entry import approve, decline
from pos_host.handlers.purchase import late_original
from pos_host.ledger.book import Batch, Book, Transaction
from pos_host.ledger.decision import Decision
from pos_host.transaction.request import Request


def purchase_void(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Approve the void of a captured purchase of this batch; each other case has its own outcome."""
    late = late_original(request, book)
    if late is not None:
        return decline(request, book, batch, now, *late)
    found = original_of(request, book)
    wrong = _wrong(request, batch, found)
    if wrong is not None or found is None:
        return decline(request, book, batch, now, *(wrong or ("original_not_found", "no such purchase")))
    original = found[1]
    return approve(
        request,
        book,
        batch,
        now,
        original=original.key,
        organisation=original.entry.organisation,
        account=original.entry.account,
        amount_minor=original.amount_minor,
        currency=original.entry.currency,
    )


def _wrong(request: Request, batch: Batch, found: tuple[Batch, Transaction] | None) -> tuple[str, str] | None:
    if found is None:
        return "original_not_found", "no purchase fits what the void names"
    home, original = found
    if original.function != "purchase" or not original.approved or card_differs(request, original):
        return "original_not_found", f"STAN {original.stan} is no approved purchase of this card"
    if home is not batch:
        return "original_settled", f"the purchase is in batch {home.number}, which is closed"
    if original.reversed:
        return "already_reversed", f"the purchase of STAN {original.stan} was reversed"
    if original.voided:
        return "already_voided", f"the purchase of STAN {original.stan} was voided"
    if original.refunded_minor:
        return "original_differs", f"the purchase of STAN {original.stan} was refunded"
    if request.amount_minor != original.amount_minor:
        return "original_differs", "the void's amount is not the purchase's"
    if request.message.fields.get(49, original.entry.currency) != original.entry.currency:
        return "original_differs", "the void's currency is not the purchase's"
    return None
