"""What a closed terminal still sends: refused by name, and kept whole, so that people can see what came too late."""

from __future__ import annotations

import json
from typing import Any

from pos_host.clock import Instant
from pos_host.handlers.batch_upload import records_of
from pos_host.handlers.originals import reversed_stan
from pos_host.handlers.posting_entry import request_entry
from pos_host.ledger.book import Book
from pos_host.ledger.decision import Decision
from pos_host.transaction.request import CardReader, Request
from pos_specs.totals import Totals, parse_hypercom, parse_iso87, parse_unionpay

AFTER_CLOSING = "after_closing"
"""Kind of the entries. They move no money: somebody looks at them."""


def after_closing(request: Request, book: Book, now: Instant, cards: CardReader, outcome: str, reason: str) -> Decision:
    """The refusal of whatever a closed terminal sends, journalled with all that it says of money: amounts, the
    transaction a reversal names, the records of an upload, the totals of a settlement."""
    rrn = book.next_rrn()
    detail: dict[str, Any] = {"reason": reason, "function": request.function, **_said(request, cards)}
    text = json.dumps(detail)
    entry = request_entry(request, book, book.current, now, outcome, rrn, "", kind=AFTER_CLOSING, detail=text)
    return Decision(outcome, now.at_ms, rrn, entries=(entry._replace(key=""),), reason=reason)


def _said(request: Request, cards: CardReader) -> dict[str, Any]:
    """What the entry's own columns do not have; a form that cannot be read is named and not shown."""
    said: dict[str, Any] = {"batch_number": request.batch_number} if request.batch_number.isdecimal() else {}
    try:
        if request.function == "reversal":
            said["original_stan"] = reversed_stan(request)
        elif request.function == "batch_upload":
            said["records"] = records_of(request, cards)
        elif request.function == "settlement":
            said["totals"] = {name: list(side) for name, side in _totals(request).items()}
    except ValueError:
        said["unreadable"] = "its records" if request.function == "batch_upload" else "its totals"
    return said


def _totals(request: Request) -> Totals:
    """The totals of a settlement in its dialect's form; raises ValueError for another."""
    dialect, fields = request.language.dialect, request.message.fields
    if dialect.totals_kind == "unionpay48":
        return parse_unionpay(fields.get(48, ""))
    if dialect.totals_kind == "hypercom63":
        return parse_hypercom(fields.get(63, ""), dialect.totals_groups)
    return parse_iso87(request.message)
