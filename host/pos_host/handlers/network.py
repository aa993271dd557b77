"""Network management: sign-in, sign-off, echo. None of them moves money or turns a batch."""

from __future__ import annotations

from pos_host.clock import Instant
from pos_host.handlers.posting_entry import decline, request_entry
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.decision import Decision
from pos_host.ledger.takeover import taken_over
from pos_host.ledger.terminal_clock import clock_row
from pos_host.security.issuing import CannotIssue, KeyIssuer
from pos_host.transaction.request import Request


def sign_in(request: Request, book: Book, batch: Batch, now: Instant, issuer: KeyIssuer | None = None) -> Decision:
    """Approve and give the number of the current batch (during an upload still its own) and new working keys.

    Refused as unsupported when the keys it asks for cannot be made.
    """
    values, rows = {"batch_number": batch.number}, []
    if issuer is not None:
        try:
            issued = issuer.issue(request, book, now.at_ms)
        except CannotIssue as error:
            return decline(request, book, None, now, "unsupported_function", str(error))
        if issued is not None:
            values["working_keys"] = issued.element
            rows.append(issued.row)
    rrn = book.next_rrn()
    entry = request_entry(request, book, batch, now, "approved", rrn, "")
    taken = taken_over(book.owed, now.at_ms)
    clock = clock_row(book.terminal_no, book.merchant_id, request.message.fields, now.time, now.at_ms)
    return Decision("approved", now.at_ms, rrn, values=values, entries=(entry,), rows=(*rows, *taken, *clock))


def sign_off(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Approve; money stays where it is and the batch open (unionpay.md 8a)."""
    rrn = book.next_rrn()
    entry = request_entry(request, book, batch, now, "approved", rrn, "")
    return Decision("approved", now.at_ms, rrn, entries=(entry,))


def echo(now: Instant) -> Decision:
    """The line works. Nothing is posted."""
    return Decision("approved", now.at_ms)
