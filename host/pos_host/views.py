"""The books as others see them: JSON objects of the public contract, for API, MQTT and verbs alike."""

from __future__ import annotations

import json
from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.authorisations import has_expired
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.dialect_names import dialect_named
from pos_host.ledger.entry import AuthorisationRow, BatchRow, FlagRow
from pos_host.ledger.group_totals import sides, sides_of
from pos_host.ledger.host_settlement import unsettled_batch
from pos_host.ledger.rows import batch_row
from pos_host.ledger.standing import standing_of
from pos_host.settlement.impact import impact_of
from pos_specs.totals import Side


def terminal_view(book: Book, now_ms: int | None = None) -> dict[str, Any]:
    """A terminal, its current batch and its unsettled flag; `now_ms` (UTC) says how many days late it is."""
    current = book.uploading or book.current
    return {
        "terminal_id": book.terminal_id,
        "merchant_id": book.merchant_id,
        "dialect": book.dialect.name,
        "status": standing_of(book),
        "connected": book.session is not None and not book.session.closed,
        "enrolled_at": iso_utc(book.enrolled_at_ms),
        "last_seen_at": iso_utc(book.last_seen_at_ms) or None,
        "batch": current_batch_view(current) if current else None,
        "unsettled": unsettled_view(book, now_ms),
    }


def current_batch_view(batch: Batch) -> dict[str, Any]:
    """The batch a terminal is in; during a Hypercom upload that is the one being uploaded."""
    debit, credit = sides(batch)
    return {
        "id": batch.batch_id,
        "number": batch.number,
        "state": batch.state,
        "opened_at": iso_utc(batch.opened_at_ms),
        "debit": _side(debit),
        "credit": _side(credit),
        "currency": batch.currency or batch.dialect.currency,
    }


def unsettled_view(book: Book, now_ms: int | None = None) -> dict[str, Any] | None:
    """The flag of a terminal whose batch nobody settled, and its impact; None while it has none.

    Without the time (`now_ms`, UTC) the impact leaves out the days: they go on while nothing changes.
    """
    flag: FlagRow | None = book.flag
    if flag is None:
        return None
    view = {
        "severity": flag.severity,
        "since": iso_utc(flag.since_ms),
        "due_at": iso_utc(flag.due_at_ms),
        "reasons": json.loads(flag.reasons),
        "clears": flag.clears,
        "impact": None,
    }
    batch = unsettled_batch(book)
    if batch is not None:
        impact = impact_of(batch, flag.due_at_ms, now_ms or flag.due_at_ms)._asdict()
        if now_ms is None:
            del impact["days_late"]
        view["impact"] = impact
    return view


def batch_view(row: BatchRow, merchant_id: str, terminal_id: str) -> dict[str, Any]:
    """A batch with the host's totals and, once the terminal sent some, the terminal's beside them."""
    kind = dialect_named(row.dialect).totals_kind
    host = _groups(row.host_totals)
    terminal = _groups(row.terminal_totals)
    debit, credit = sides_of(kind, host)
    view = {
        "id": row.batch_id,
        "merchant_id": merchant_id,
        "terminal_id": terminal_id,
        "number": row.number,
        "state": row.state,
        "result": row.result or None,
        "opened_at": iso_utc(row.opened_at_ms),
        "closed_at": iso_utc(row.closed_at_ms) or None,
        "currency": row.currency or dialect_named(row.dialect).currency,
        "debit": _side(debit),
        "credit": _side(credit),
        "host_totals": {name: _side(side) for name, side in host.items()},
        "terminal_totals": None,
        "terminal_debit": None,
        "terminal_credit": None,
        "discrepancies": len(json.loads(row.discrepancies)) if row.discrepancies else 0,
    }
    if terminal:
        debit, credit = sides_of(kind, terminal)
        view["terminal_totals"] = {name: _side(side) for name, side in terminal.items()}
        view["terminal_debit"], view["terminal_credit"] = _side(debit), _side(credit)
    return view


def live_row(book: Book, row: BatchRow) -> BatchRow:
    """The row of a batch with what happened since its last turn, where the book remembers it."""
    batch = book.batch_of_id(row.batch_id)
    return row if batch is None or batch.closed else batch_row(book, batch)


def authorisation_view(row: AuthorisationRow, book: Book, now_ms: int) -> dict[str, Any]:
    """A pre-authorisation; one that is open too late is called expired."""
    return {
        "merchant_id": book.merchant_id,
        "terminal_id": book.terminal_id,
        "state": "expired" if has_expired(row, now_ms) else row.state,
        "approval_code": row.approval_code,
        "rrn": row.rrn,
        "card": row.card,
        "currency": row.currency,
        "amount_minor": row.amount_minor,
        "completed_minor": row.completed_minor if row.state == "completed" else None,
        "authorised_at": iso_utc(row.authorised_at_ms),
        "expires_at": iso_utc(row.expires_at_ms),
    }


def authorisations_of(books: list[Book]) -> list[tuple[AuthorisationRow, Book]]:
    """All authorisations that the books hold, by terminal and age: every open one, and those that were completed,
    voided or reversed in a batch that is remembered."""
    rows = [(row, book) for book in books for row in book.authorisations.values()]
    return sorted(rows, key=lambda pair: pair[0].authorisation_no)


SEVERITIES = ("forgotten", "overdue", "due")
"""Worst first."""


def unsettled_books(books: list[Book]) -> list[Book]:
    """The flagged ones, worst first, then longest."""
    flagged = [book for book in books if book.flag is not None]
    return sorted(flagged, key=lambda book: (SEVERITIES.index(book.flag.severity), book.flag.since_ms))


def without_prints(detail: Any) -> Any:
    """An entry's detail as others may see it: without the prints of cards."""
    if isinstance(detail, dict):
        return {name: without_prints(value) for name, value in detail.items() if name != "card_print"}
    if isinstance(detail, list):
        return [without_prints(value) for value in detail]
    return detail


def _groups(text: str) -> dict[str, Side]:
    return {name: Side(*side) for name, side in json.loads(text).items()} if text else {}


def _side(side: Side) -> dict[str, int]:
    return {"count": side.count, "amount_minor": side.amount_minor}
