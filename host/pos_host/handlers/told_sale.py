"""Sales that a terminal tells of afterwards: they have happened, so they are posted whatever the host thinks."""

from __future__ import annotations

import json
from typing import Any

from pos_host.clock import Instant
from pos_host.handlers.completion import why_not_completed
from pos_host.handlers.originals import authorisation_named, names_an_authorisation
from pos_host.handlers.posting_entry import approval, decline
from pos_host.ledger.authorisations import after
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import AuthorisationRow
from pos_host.transaction.request import Request
from pos_specs.cards import DOMESTIC

ELECTRONIC_CASH = "36"
"""60.1 of a chip offline sale, which counts as domestic whatever the card (unionpay.md 4.1)."""


def told_sale(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Post an offline purchase or a completion advice; refused only where its form is wrong.

    The authorisation it names is completed by it. Where that cannot be, the sale stands and its detail says why.
    """
    wrong = wrong_form(request, batch)
    if wrong is not None:
        return decline(request, book, batch, now, *wrong)
    row, detail = what_it_completes(request, request.function, book, now)
    code = request.meaning("approval_code").strip()
    organisation = DOMESTIC if is_electronic_cash(request) else None
    text = json.dumps(detail) if detail else ""
    made = approval(request, book, batch, now, approval_code=code, organisation=organisation, detail=text)
    if row is None:
        return made._replace(reason=detail.get("reason", ""))
    return made._replace(rows=(after(row, made.entries[0]),), reason=detail.get("reason", ""))


def wrong_form(request: Request, batch: Batch) -> tuple[str, str] | None:
    """What keeps even an advice out of the books, as outcome and reason; None when nothing does."""
    if not request.amount_minor:
        return "invalid_amount", "amount is zero"
    if batch.currency and request.currency != batch.currency:
        return "format_error", f"currency {request.currency} in a batch of {batch.currency}"
    return None


def what_it_completes(
    request: Request, function: str, book: Book, now: Instant
) -> tuple[AuthorisationRow | None, dict[str, Any]]:
    """The open authorisation that the sale completes, and the detail of its entry: also what is wrong with it."""
    row = authorisation_named(request, book) if names_an_authorisation(request) else None
    if row is None and function == "offline_purchase":
        return None, {}  # its code was given by voice, or by the card
    wrong = why_not_completed(request, row, now, book.policy)
    detail: dict[str, Any] = {} if wrong is None else {"reason": wrong[1]}
    if row is None or row.state != "open":
        return None, detail
    return row, {**detail, "authorisation": row.authorisation_no}


def is_electronic_cash(request: Request) -> bool:
    """Whether a chip card's own purse paid."""
    unionpay = request.language.dialect.totals_kind == "unionpay48"
    return unionpay and request.message.fields.get(60, "").startswith(ELECTRONIC_CASH)
