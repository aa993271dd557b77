"""Status upload: how the terminal's devices and its line are, in its own words."""

from __future__ import annotations

import json

from pos_host.clock import Instant
from pos_host.handlers.posting_entry import request_entry
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.decision import Decision
from pos_host.transaction.request import Request

STATUS = 62
"""The element of the status (unionpay.md 2.3)."""

KEPT = ("keyboard_state", "pin_pad_state", "reader_state", "printer_state", "display_state", "line_statistics")
"""What the journal keeps; the parameters that come with it are the host's own."""


def status(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Accept the status; states that are digits are kept, anything else may be what nobody should read."""
    parts = request.language.parts.of(request.message, STATUS) or {}
    told = {name: parts[name] for name in KEPT if str(parts.get(name, "")).isdecimal()}
    rrn = book.next_rrn()
    detail = json.dumps(told) if told else ""
    entry = request_entry(request, book, batch, now, "approved", rrn, "", amount_minor=0, detail=detail)
    return Decision("approved", now.at_ms, rrn, entries=(entry,))
