"""What must be true of a book before a request can be decided: enrolled, in the right dialect, its batch
numbered, and a batch open to take it. Each step is a commit of its own, before the request's."""

from __future__ import annotations

import json
from typing import NamedTuple

from pos_host.clock import Instant
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.entry import FINANCIAL, Entry, Row
from pos_host.ledger.group_totals import has_money
from pos_host.ledger.merchant import MERCHANT
from pos_host.ledger.records import body_of, record
from pos_host.ledger.rows import batch_row, opened_batch, terminal_row
from pos_host.transaction.request import Request


class Preparation(NamedTuple):
    """Rows and entries to commit before the request is decided."""

    rows: tuple[Row, ...]
    entries: tuple[Entry, ...]


def preparation(request: Request, book: Book, now: Instant) -> Preparation | None:
    """What is still missing for `request`, or None when it can be decided."""
    if not book.enrolled:
        return _enrol(request, book, now)
    if book.status == "closed" or book.merchant.status == "closed":
        return None  # nothing of a closed terminal changes
    if book.dialect is not request.language.dialect and book.dialect.name != request.language.name:
        return _change_dialect(request, book, now)
    if not book.number_known:
        number = _believed_number(request, book)
        if number is not None:
            return _number(book, number, now)
    current = book.current
    if current is not None and _belongs_to_the_next(request, current):
        row, entry = opened_batch(book, current.dialect.batch.after(current.number), now.at_ms)
        return Preparation((row,), (entry,))
    return None


def _belongs_to_the_next(request: Request, current: Batch) -> bool:
    """A new transaction while the batch is being uploaded, where the dialect lets trade go on (hypercom.md)."""
    return (
        current.state == "uploading"
        and request.function in FINANCIAL
        and current.dialect.batch.during_upload == "next_batch"
        and request.key not in current.answers
    )


def _enrol(request: Request, book: Book, now: Instant) -> Preparation:
    dialect = request.language.dialect
    book.dialect = dialect
    inherited = _inherited_number(book)
    row, opened = opened_batch(book, inherited or f"{dialect.batch.first:06d}", now.at_ms)
    detail = json.dumps({"dialect": dialect.name})
    enrolled = Entry("terminal_enrolled", book.terminal_no, row.batch_id, now.at_ms, detail=detail)
    known = dialect.batch.number == "none" or (dialect.batch.number == "sign_in" and bool(inherited))
    rows: list[Row] = [terminal_row(book, now.at_ms, number_known=known), row]
    if not book.merchant.recorded:
        rows.append(
            record(
                MERCHANT,
                book.merchant_id,
                book.merchant_id,
                book.merchant.status,
                now.at_ms,
                {"created_at_ms": now.at_ms},
            )
        )
    return Preparation(tuple(rows), (enrolled, opened))


def _inherited_number(book: Book) -> str:
    """The batch number with which a terminal goes on that takes another's place; "" for one that begins anew."""
    if book.replaces is None:
        return ""
    number: str = body_of(book.replaces)["batch_number"]
    rules = book.dialect.batch
    return number if rules.first <= int(number) <= rules.last else ""


def _believed_number(request: Request, book: Book) -> str | None:
    """The batch number to use from now on, when a newly enrolled terminal first says or is given one."""
    current = book.current
    rules = request.language.dialect.batch
    if request.function == "sign_in" and rules.number == "sign_in" and current is not None:
        return current.number
    named = request.batch_number
    if named.isdigit() and rules.first <= int(named) <= rules.last:
        return named
    return None


def _number(book: Book, number: str, now: Instant) -> Preparation:
    current = book.current
    rows: list[Row] = [terminal_row(book, now.at_ms, number_known=True)]
    if current is not None and current.number != number:
        rows.append(batch_row(book, current, number=number))
    return Preparation(tuple(rows), ())


def _change_dialect(request: Request, book: Book, now: Instant) -> Preparation | None:
    """A terminal that now speaks another dialect is followed when its batch is empty (else it is refused)."""
    current = book.current
    if current is None or has_money(current) or current.state != "open":
        return None
    name = request.language.name
    known = request.language.dialect.batch.number == "none"
    row = terminal_row(book, now.at_ms, number_known=known)._replace(dialect=name)
    return Preparation((row, batch_row(book, current, dialect=name)), ())
