"""Voids: take back a sale, a refund or a completion of the open batch, whole."""

from __future__ import annotations

import json

from pos_host.clock import Instant
from pos_host.handlers.originals import card_differs, original_of
from pos_host.handlers.posting_entry import approve, decline
from pos_host.handlers.purchase import late_original, wrong_pin
from pos_host.ledger.authorisations import after, authorisation_no_of
from pos_host.ledger.book import Batch, Book, Transaction
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import SALES
from pos_host.transaction.request import Request

COMPLETIONS = frozenset({"completion", "completion_advice"})
VOIDED = {"refund_void": ("refund", frozenset({"refund"})), "completion_void": ("completion", COMPLETIONS)}
"""What a void is called that takes back something else than a purchase, and which functions that are."""


def void(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Approve the void of something captured in this batch; each other case has its own outcome.

    The void of a completion makes its authorisation open again.
    """
    late = late_original(request, book)
    if late is not None:
        return decline(request, book, batch, now, *late)
    found = original_of(request, book)
    wrong = _wrong(request, batch, found) or wrong_pin(request, now)
    if wrong is not None or found is None:
        return decline(request, book, batch, now, *(wrong or ("original_not_found", "no such purchase")))
    original = found[1]
    entry, number = original.entry, authorisation_no_of(original.entry)
    decision = approve(
        request,
        book,
        batch,
        now,
        original=original.key,
        organisation=entry.organisation,
        account=entry.account,
        amount_minor=original.amount_minor,
        currency=entry.currency,
        detail="" if number is None else json.dumps({"authorisation": number}),
    )
    return (
        decision
        if number is None
        else decision._replace(rows=(after(book.authorisations[number], decision.entries[0]),))
    )


def _wrong(request: Request, batch: Batch, found: tuple[Batch, Transaction] | None) -> tuple[str, str] | None:
    what, functions = VOIDED.get(request.function) or ("purchase", _sales_voided_as_such(request))
    if found is None:
        return "original_not_found", f"no {what} fits what the void names"
    home, original = found
    if original.function not in functions or not original.approved or card_differs(request, original):
        return "original_not_found", f"STAN {original.stan} is no approved {what} of this card"
    if home is not batch:
        return "original_settled", f"the {what} is in batch {home.number}, which is closed"
    if original.reversed:
        return "already_reversed", f"the {what} of STAN {original.stan} was reversed"
    if original.voided:
        return "already_voided", f"the {what} of STAN {original.stan} was voided"
    if original.refunded_minor:
        return "original_differs", f"the {what} of STAN {original.stan} was refunded"
    if request.amount_minor != original.amount_minor:
        return "original_differs", f"the void's amount is not the {what}'s"
    if request.message.fields.get(49, original.entry.currency) != original.entry.currency:
        return "original_differs", f"the void's currency is not the {what}'s"
    return None


def _sales_voided_as_such(request: Request) -> frozenset[str]:
    """Every sale; but where completions have a void of their own (UnionPay) not those."""
    apart = any(rule.name == "completion_void" for rule in request.language.dialect.functions)
    return SALES - COMPLETIONS if apart else SALES
