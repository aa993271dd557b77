"""Adjust: a sale or refund of the open batch gets another amount, mostly by a tip."""

from __future__ import annotations

from pos_host.clock import Instant
from pos_host.handlers.originals import card_differs, original_of
from pos_host.handlers.posting_entry import approval, decline
from pos_host.handlers.told_sale import wrong_form
from pos_host.ledger.book import Batch, Book, Transaction
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import SALES
from pos_host.transaction.request import Request

ADJUSTABLE = SALES | {"refund", "adjust"}
"""An adjust among them is one whose own original is not known: it counts by itself."""

REFUND_ADJUST = "22"
"""DE3 of Hypercom's adjust of a refund (hypercom.md 2.2)."""


def adjust(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """DE4 is the original's amount from now on (hypercom.md 2.7, unionpay.md 4.1).

    An unknown original: UnionPay's adjust stands by itself, since its terminal counts it so; Hypercom's is refused.
    """
    wrong = wrong_form(request, batch)
    found = original_of(request, book)
    if wrong is None and found is None and not stands_alone(request, batch):
        wrong = "original_not_found", "no sale of the open batch fits what the adjust names"
    original = None if found is None else found[1]
    if wrong is None and found is not None and original is not None:
        wrong = _why_not_here(found[0], batch) or why_not_adjusted(request, original)
    if wrong is not None:
        return decline(request, book, batch, now, *wrong)
    code = request.meaning("approval_code").strip()
    if original is None:
        return approval(request, book, batch, now, approval_code=code)
    entry = original.entry
    return approval(
        request,
        book,
        batch,
        now,
        approval_code=code or entry.approval_code,
        original=original.key,
        organisation=entry.organisation,
        account=entry.account,
        currency=entry.currency,
    )


def stands_alone(request: Request, batch: Batch) -> bool:
    """Whether an adjust of something unknown counts by itself: in UnionPay, for the batch that it names."""
    number = request.meaning("original_batch_number")
    return batch.dialect.totals_kind == "unionpay48" and number in ("", "000000", batch.number)


def why_not_adjusted(request: Request, original: Transaction) -> tuple[str, str] | None:
    """Why a transaction cannot be adjusted, as outcome and reason; None when it can."""
    stan = original.stan
    of_refund = request.message.fields.get(3, "").startswith(REFUND_ADJUST)
    if original.function not in ADJUSTABLE or (original.function == "refund") is not of_refund:
        return "original_not_found", f"STAN {stan} is nothing that can be adjusted so"
    if not original.approved or card_differs(request, original):
        return "original_not_found", f"STAN {stan} is no approved sale of this card"
    if original.reversed:
        return "already_reversed", f"STAN {stan} was reversed"
    if original.voided:
        return "already_voided", f"STAN {stan} was voided"
    stated = request.meaning("original_amount")
    if stated.isdigit() and int(stated) not in (original.amount_minor, original.entry.amount_minor):
        return "original_differs", "the amount stated for the original is not its"
    if (request.amount_minor or 0) < original.refunded_minor:
        return "original_differs", "more than the new amount was refunded already"
    return None


def _why_not_here(home: Batch, batch: Batch) -> tuple[str, str] | None:
    return None if home is batch else ("original_settled", f"the sale is in batch {home.number}, not the open one")
