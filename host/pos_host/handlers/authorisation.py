"""Pre-authorisation: money is reserved on the card, raised, given back; no total counts it."""

from __future__ import annotations

import json
from typing import Any

from pos_host.clock import Instant
from pos_host.handlers.issuer import judge
from pos_host.handlers.originals import authorisation_named
from pos_host.handlers.posting_entry import approval, decline, part_of
from pos_host.handlers.purchase import late_original, wrong_money, wrong_pin
from pos_host.ledger.authorisations import after, has_expired, next_authorisation_no
from pos_host.ledger.book import Batch, Book, approval_code_of
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import APPROVALS, AuthorisationRow
from pos_host.transaction.request import Request

MOST_AUTHS = 100
"""Auths of one authorisation: a hotel adds one a day. Its row names each, and is written again with each."""


def auth(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Reserve an amount, or raise the authorisation whose approval code the request names (unionpay.md 3).

    It ends after the policy's `auth_expires` unless it is completed, whatever becomes of its batch.
    """
    wrong = late_original(request, book) or wrong_money(request, batch)
    raises = bool(request.meaning("approval_code").strip())
    raised = authorisation_named(request, book) if raises else None
    if wrong is None and raises:
        wrong = why_not_open(request, raised, now) or _raised_too_often(raised)
    if wrong is not None:
        return decline(request, book, batch, now, *wrong)
    asked_minor = request.amount_minor or 0
    judged = judge(request, asked_minor, now)
    if judged.outcome not in APPROVALS:
        return decline(request, book, batch, now, judged.outcome, judged.reason)
    rrn = book.next_rrn()
    detail: dict[str, Any] = {"batch_number": batch.number}
    if raised is None:
        detail |= {"authorisation": next_authorisation_no(batch.batch_id, rrn)}
        detail |= {"expires_at_ms": now.at_ms + book.policy.auth_expires_ms}
    else:
        detail |= {"authorisation": raised.authorisation_no}
    made = approval(
        request,
        book,
        batch,
        now,
        outcome=judged.outcome,
        approval_code=approval_code_of(rrn) if raised is None else raised.approval_code,
        **part_of(judged, asked_minor, detail),
    )
    return made._replace(rows=(after(raised, made.entries[0]),))


def _raised_too_often(row: AuthorisationRow | None) -> tuple[str, str] | None:
    often = row is not None and len(row.named.split()) >= MOST_AUTHS
    return ("not_allowed_now", f"an authorisation is made of {MOST_AUTHS} auths at most") if often else None


def auth_void(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Give a reservation back, whole and before it is completed."""
    row = authorisation_named(request, book)
    wrong = late_original(request, book) or why_not_open(request, row, now)
    if wrong is None and row is not None and request.amount_minor != row.amount_minor:
        wrong = "original_differs", "the void's amount is not the authorisation's"
    wrong = wrong or wrong_pin(request, now)
    if wrong is not None or row is None:
        return decline(request, book, batch, now, *(wrong or ("original_not_found", "no such authorisation")))
    detail = json.dumps({"authorisation": row.authorisation_no})
    made = approval(request, book, batch, now, approval_code=row.approval_code, detail=detail)
    return made._replace(rows=(after(row, made.entries[0]),))


def why_not_open(request: Request, row: AuthorisationRow | None, now: Instant) -> tuple[str, str] | None:
    """Why an authorisation cannot be raised, voided or completed, as outcome and reason; None when it can."""
    if row is None:
        return "original_not_found", "no authorisation fits what the request names"
    if row.state != "open":
        return f"already_{row.state}", f"the authorisation {row.approval_code} was {row.state}"
    if has_expired(row, now.at_ms):
        return "original_not_found", f"the authorisation {row.approval_code} has expired"
    if request.currency != row.currency:
        return "original_differs", "the currency is not the authorisation's"
    return None
