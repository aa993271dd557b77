"""Refund: gives money back for a purchase, whole or in part, of this batch or an earlier one."""

from __future__ import annotations

import json
from typing import Any

from pos_host.clock import Instant
from pos_host.handlers.originals import card_differs, names_an_original, original_of
from pos_host.handlers.posting_entry import approve, decline
from pos_host.handlers.purchase import late_original, wrong_money, wrong_pin
from pos_host.ledger.book import Batch, Book, LateTransaction, StoredTransaction, Transaction
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import SALES
from pos_host.transaction.request import Request

REFUNDABLE = SALES - {"cash_advance"}


def refund(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Approve a refund of what is left of its original; one that names no original stands alone."""
    wrong = late_original(request, book) or wrong_money(request, batch)
    if wrong is not None:
        return decline(request, book, batch, now, *wrong)
    if not names_an_original(request):
        return _stand_alone(request, book, batch, now)
    found = original_of(request, book, also_late=True)
    original = found[1] if found is not None else request.stored_original
    wrong = _wrong(request, original) or wrong_pin(request, now)
    if wrong is not None or original is None:
        return decline(request, book, batch, now, *(wrong or ("original_not_found", "no such purchase")))
    return approve(
        request,
        book,
        batch,
        now,
        original=original.key,
        organisation=request.card.organisation or original.entry.organisation,
        detail=json.dumps(told_of(original, charged_days(found, original))),
        product=original.entry.product,
    )


def charged_days(found: tuple[Batch, Transaction] | None, original: Transaction) -> list[list[Any]]:
    """By which fee schedules a refunded sale was charged, in its batch or beside it; none while that is not settled."""
    if isinstance(original, (StoredTransaction, LateTransaction)):
        return original.charged
    return [] if found is None else found[0].charged


def told_of(original: Transaction, charged: list[list[Any]]) -> dict[str, Any]:
    """What a refund's detail says of the sale it gives back: which it is, what its fee was taken for, and by which
    schedule, where it was charged already (day, the instant that began, digest).

    `original_refunded_minor` is what had been given back of it before. When the refund is settled the sale may be in a
    batch that no book remembers any more.
    """
    at_ms = original.entry.at_ms
    begun = [day for day in charged if day[1] <= at_ms] or charged[:1]
    return {
        **({"original_charged": begun[-1]} if begun else {}),
        "original_rrn": original.rrn,
        "original_sequence": original.sequence,
        "original_at_ms": original.entry.at_ms,
        "original_product": original.entry.product,
        "original_amount_minor": original.amount_minor,
        "original_refunded_minor": original.refunded_minor,
    }


def _stand_alone(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Hypercom and ISO 1987 refunds need no original; UnionPay's always names one (unionpay.md 3)."""
    if request.language.dialect.totals_kind == "unionpay48":
        return decline(request, book, batch, now, "original_not_found", "the refund names no original")
    return approve(request, book, batch, now)


def _wrong(request: Request, original: Transaction | None) -> tuple[str, str] | None:
    if original is None:
        return "original_not_found", "no purchase fits what the refund names"
    if original.function not in REFUNDABLE or not original.approved or card_differs(request, original):
        return "original_not_found", f"STAN {original.stan} is no approved purchase of this card"
    if original.reversed:
        return "already_reversed", f"the purchase of STAN {original.stan} was reversed"
    if original.voided:
        return "already_voided", f"the purchase of STAN {original.stan} was voided"
    if request.currency != original.entry.currency:
        return "original_differs", "the refund's currency is not the purchase's"
    if (request.amount_minor or 0) > original.amount_minor - original.refunded_minor:
        return "original_differs", "the refund is more than what is left of the purchase"
    return None
