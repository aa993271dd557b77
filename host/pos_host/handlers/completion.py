"""Completion: the sale that a pre-authorisation was made for, asked for beforehand."""

from __future__ import annotations

import json

from pos_host.clock import Instant
from pos_host.handlers.authorisation import why_not_open
from pos_host.handlers.originals import authorisation_named
from pos_host.handlers.posting_entry import approval, decline
from pos_host.handlers.purchase import late_original, wrong_money, wrong_pin
from pos_host.ledger.authorisations import after
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import AuthorisationRow
from pos_host.settlement.policy import Policy
from pos_host.transaction.request import Request


def completion(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Take the money of an open authorisation, once, up to the policy's `completion_percent` of its amount."""
    row = authorisation_named(request, book)
    wrong = late_original(request, book) or wrong_money(request, batch)
    wrong = wrong or why_not_completed(request, row, now, book.policy) or wrong_pin(request, now)
    if wrong is not None or row is None:
        return decline(request, book, batch, now, *(wrong or ("original_not_found", "no such authorisation")))
    made = approval(request, book, batch, now, detail=json.dumps({"authorisation": row.authorisation_no}))
    return made._replace(rows=(after(row, made.entries[0]),))


def why_not_completed(
    request: Request, row: AuthorisationRow | None, now: Instant, policy: Policy
) -> tuple[str, str] | None:
    """Why an authorisation cannot be completed by this amount, as outcome and reason; None when it can."""
    wrong = why_not_open(request, row, now)
    if wrong is not None or row is None:
        return wrong
    if (request.amount_minor or 0) * 100 > row.amount_minor * policy.completion_percent:
        return "original_differs", f"more than {policy.completion_percent} % of what was authorised"
    return None
