"""Network management: sign-in, sign-off, echo. None of them moves money or turns a batch."""

from __future__ import annotations

from pos_host.clock import Instant
from pos_host.handlers.posting_entry import request_entry
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.decision import Decision
from pos_host.transaction.request import Request


def sign_in(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Approve and give the number of the batch that is current; during an upload that is still its own."""
    rrn = book.next_rrn()
    entry = request_entry(request, book, batch, now, "approved", rrn, "")
    return Decision("approved", now.at_ms, rrn, values={"batch_number": batch.number}, entries=(entry,))


def sign_off(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Approve; money stays where it is and the batch open (unionpay.md 8a)."""
    rrn = book.next_rrn()
    entry = request_entry(request, book, batch, now, "approved", rrn, "")
    return Decision("approved", now.at_ms, rrn, entries=(entry,))


def echo(now: Instant) -> Decision:
    """The line works. Nothing is posted."""
    return Decision("approved", now.at_ms)
