"""The entry a financial decision posts, and the decision around it: the same for every handler."""

from __future__ import annotations

import json
from typing import Any

from pos_host.clock import Instant
from pos_host.ledger.book import Batch, Book, Transaction
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import Entry
from pos_host.transaction.request import Request


def approve(request: Request, book: Book, batch: Batch, now: Instant, **extra: Any) -> Decision:
    """An approval: posts the entry with an RRN and approval code of the terminal's own sequence.

    `extra` sets further columns of the entry (`original`, `organisation`, `detail` …).
    """
    rrn, code = book.next_rrn(), book.next_approval_code()
    entry = request_entry(request, book, batch, now, "approved", rrn, code, **extra)
    return Decision("approved", now.at_ms, rrn, code, entries=(entry,))


def decline(request: Request, book: Book, batch: Batch | None, now: Instant, outcome: str, reason: str) -> Decision:
    """A refusal by name: it is journalled like an approval, so that the same request gets the same answer.

    Without a batch it is journalled as `refused`: no batch remembers it. It stands beside the current one,
    so that a host that recovers counts its RRN.
    """
    rrn = book.next_rrn()
    detail = json.dumps({"reason": reason, "function": request.function})
    entry = request_entry(request, book, batch or book.current, now, outcome, rrn, "", detail=detail)
    if batch is None:
        entry = entry._replace(kind="refused", key="")
    return Decision(outcome, now.at_ms, rrn, entries=(entry,), reason=reason)


def request_entry(
    request: Request,
    book: Book,
    batch: Batch | None,
    now: Instant,
    outcome: str,
    rrn: str,
    approval_code: str,
    *,
    kind: str = "",
    amount_minor: int | None = None,
    organisation: str | None = None,
    account: str | None = None,
    currency: str = "",
    original: str = "",
    detail: str = "",
) -> Entry:
    """The journal's entry of a request; the card appears masked and as a print only.

    What is given by keyword stands in place of what the request says. Written in the order of Entry's
    columns, since this runs for every message.
    """
    card = request.card
    return Entry(
        kind or request.function,
        book.terminal_no,
        batch.batch_id if batch else 0,
        now.at_ms,
        outcome,
        request.message.mti,
        request.stan,
        request.key,
        (request.amount_minor or 0) if amount_minor is None else amount_minor,
        currency or request.currency,
        card.masked,
        card.print,
        card.organisation if organisation is None else organisation,
        request.meaning("account_type") if account is None else account,
        rrn,
        approval_code,
        request.invoice,
        original,
        detail,
    )


def repeat_of(transaction: Transaction) -> Decision:
    """The stored decision once more; posts nothing."""
    entry = transaction.entry
    return Decision(entry.outcome, entry.at_ms, entry.rrn, entry.approval_code, reason="repeat")
