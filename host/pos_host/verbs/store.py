"""The verbs that read a store, beside a running host or without one: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pos_host.entry_walk import Range, Walk
from pos_host.journal import ROWS_AT_ONCE, StoredEntry
from pos_host.ledger.book import Book
from pos_host.ledger.dialect_names import dialect_named
from pos_host.ledger.entry import BatchRow, TerminalRow
from pos_host.ledger.posting import BooksDamaged
from pos_host.ledger.recovery import recover
from pos_host.ledger.registry import Registry
from pos_host.options import UsageError
from pos_host.storage.sqlite import (
    load_snapshot,
    read_all,
    read_entries_after,
    read_entries_among,
    read_last_sequence,
    read_ranges_among,
)
from pos_host.storage.sqlite_file import StoreError, has_trail_and_stretches, migrate, open_to_read
from pos_host.transaction_search import Wanted, transaction_view
from pos_host.verbs.listing import Column, show
from pos_host.verifying import Verifier
from pos_host.views import (
    authorisation_view,
    authorisations_of,
    batch_view,
    live_row,
    terminal_view,
    unsettled_books,
)
from pos_specs.dialect import Dialect
from pos_specs.errors import DialectError

ENTRIES_AT_ONCE = 5_000
"""Entries read in one go: a store of any size is read in little memory."""


AUTHORISATION_STATES = ("open", "completed", "voided", "reversed", "expired")
"""What `--state` can be; an open one has expired by this machine's clock."""


def show_terminals(path: Path | None, *, as_json: bool) -> None:
    """Terminals in the order of enrolment."""
    with _reading(path) as connection:
        books = sorted(_books(connection), key=lambda book: book.terminal_no)
    show([terminal_view(book) for book in books], _TERMINAL_COLUMNS, "terminals", as_json=as_json)


def show_unsettled(path: Path | None, *, as_json: bool) -> None:
    """Flagged terminals, worst first."""
    with _reading(path) as connection:
        views = [terminal_view(book) for book in unsettled_books(list(_books(connection)))]
    show(views, (*_TERMINAL_COLUMNS, *_FLAG_COLUMNS), "unsettled terminals", as_json=as_json)


def show_authorisations(path: Path | None, merchant_id: str | None, state: str | None, *, as_json: bool) -> None:
    """Pre-authorisations by terminal and age, those of one merchant or in one state where asked."""
    with _reading(path) as connection:
        books = [book for book in _books(connection) if merchant_id in (None, book.merchant_id)]
    now_ms = time.time_ns() // 1_000_000
    views = [authorisation_view(row, book, now_ms) for row, book in authorisations_of(books)]
    wanted = [view for view in views if state in (None, view["state"])]
    show(wanted, _AUTHORISATION_COLUMNS, "authorisations", as_json=as_json)


def show_batches(path: Path | None, terminal_id: str | None, merchant_id: str | None, *, as_json: bool) -> None:
    """Batches in the order they were opened, those of one terminal or merchant where asked."""
    views = []
    with _reading(path) as connection:
        registry = _books(connection)
        for row in read_all(connection, BatchRow):
            book = registry.of_no(row.terminal_no)
            if book is not None and _wanted(book, terminal_id, merchant_id):
                views.append(batch_view(live_row(book, row), book.merchant_id, book.terminal_id))
    show(views, _BATCH_COLUMNS, "batches", as_json=as_json)


def show_transactions(
    path: Path | None,
    terminal_id: str | None,
    merchant_id: str | None,
    wanted: Wanted,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """The latest entries that fit, oldest of them first: transactions, and what else the journal holds of terminals."""
    with _reading(path) as connection:
        terminals = {row.terminal_no: row for row in read_all(connection, TerminalRow)}
        mine = [row for row in terminals.values() if _is_of(row, terminal_id, merchant_id)]
        anybody = terminal_id is None and merchant_id is None
        dialects = {row.dialect: dialect_named(row.dialect) for row in mine}
        numbers = None if anybody else tuple(row.terminal_no for row in mine)
        question = wanted.question(numbers, None, list(dialects.values()))

        def dialect_of(stored: StoredEntry) -> Dialect | None:
            terminal = terminals.get(stored.entry.terminal_no)
            return None if terminal is None else dialects.get(terminal.dialect)

        through = Range(1, read_last_sequence(connection))
        made = Walk(through, limit, lambda stored: wanted.fits(stored.entry, dialect_of(stored)), newest_first=True)
        made.keep_to(read_ranges_among(connection, question))
        while (asked := made.next) is not None:
            made.take(asked, read_entries_among(connection, question, *asked, ROWS_AT_ONCE, True))
    views = []
    for stored in reversed(made.found):
        terminal = terminals.get(stored.entry.terminal_no)
        merchant, name = (None, None) if terminal is None else (terminal.merchant_id, terminal.terminal_id)
        views.append(transaction_view(stored, merchant, name, dialect_of(stored)))
    show(views, _TRANSACTION_COLUMNS, "entries", as_json=as_json)


def verify_store(path: Path | None, *, as_json: bool) -> bool:
    """True when the store agrees with itself; prints the report."""
    with _reading(path) as connection:
        verifier = Verifier(partial(read_all, connection), record_trail=has_trail_and_stretches(connection))
        for stored in _all_entries(connection):
            verifier.take(stored)
        report = verifier.finish()
    if as_json:
        print(json.dumps(report))
    else:
        for detail in report["details"]:
            print(json.dumps(detail))
        checked = ", ".join(f"{number} {what}" for what, number in report["checked"].items())
        others = "".join(f"; not covered {number} {what}" for what, number in report.get("not_covered", {}).items())
        print(f"{report['differences']} differences; checked {checked}{others}")
    return not report["differences"]


def migrate_store(path: Path | None, *, as_json: bool) -> None:
    """Bring the store to this program's schema and say from which; raises UsageError, and the store is as it was."""
    try:
        before, after = migrate(_file_of(path))
    except StoreError as error:
        raise UsageError(str(error)) from None
    if as_json:
        print(json.dumps({"store": str(path), "from": before, "to": after}))
    else:
        print(f"{path}: schema {f'version {after} already' if before == after else f'{before} is now {after}'}")


@contextmanager
def _reading(path: Path | None) -> Iterator[sqlite3.Connection]:
    """One view of the store, whatever a running host adds meanwhile; raises UsageError when it cannot be read."""
    try:
        with closing(open_to_read(_file_of(path))) as connection:
            connection.execute("BEGIN")
            yield connection
    except StoreError as error:
        raise UsageError(str(error)) from None
    except sqlite3.Error as error:
        raise UsageError(f"store {path}: {error}") from None
    except DialectError as error:
        raise UsageError(f"store {path}: {error}") from None


def _file_of(path: Path | None) -> Path:
    if path is None:
        raise UsageError("--store memory: is gone with its host; name a sqlite:///FILE")
    return path


def _books(connection: sqlite3.Connection) -> Registry:
    try:
        return recover(load_snapshot(connection))
    except (BooksDamaged, ValueError, KeyError, TypeError) as damage:
        reason = damage if isinstance(damage, BooksDamaged) else "a row or an entry cannot be read"
        raise UsageError(f"the store contradicts itself: {reason}; see pos-host verify") from None


def _all_entries(connection: sqlite3.Connection) -> Iterable[Any]:
    after = 0
    while True:
        page = read_entries_after(connection, after, ENTRIES_AT_ONCE)
        yield from page
        if len(page) < ENTRIES_AT_ONCE:
            return
        after = page[-1].sequence


def _wanted(book: Book, terminal_id: str | None, merchant_id: str | None) -> bool:
    return terminal_id in (None, book.terminal_id) and merchant_id in (None, book.merchant_id)


def _is_of(row: TerminalRow, terminal_id: str | None, merchant_id: str | None) -> bool:
    return terminal_id in (None, row.terminal_id) and merchant_id in (None, row.merchant_id)


_TERMINAL_COLUMNS: tuple[Column, ...] = (
    ("merchant", "merchant_id"),
    ("terminal", "terminal_id"),
    ("dialect", "dialect"),
    ("batch", "batch.number"),
    ("state", "batch.state"),
    ("debit", "batch.debit"),
    ("credit", "batch.credit"),
    ("currency", "batch.currency"),
    ("last seen", "last_seen_at"),
)
_FLAG_COLUMNS: tuple[Column, ...] = (
    ("severity", "unsettled.severity"),
    ("since", "unsettled.since"),
    ("reasons", "unsettled.reasons"),
)
_AUTHORISATION_COLUMNS: tuple[Column, ...] = (
    ("terminal", "terminal_id"),
    ("code", "approval_code"),
    ("state", "state"),
    ("card", "card"),
    ("amount", "amount_minor"),
    ("completed", "completed_minor"),
    ("currency", "currency"),
    ("authorised", "authorised_at"),
    ("expires", "expires_at"),
)
_BATCH_COLUMNS: tuple[Column, ...] = (
    ("id", "id"),
    ("terminal", "terminal_id"),
    ("number", "number"),
    ("state", "state"),
    ("result", "result"),
    ("currency", "currency"),
    ("debit", "debit"),
    ("credit", "credit"),
    ("terminal's debit", "terminal_debit"),
    ("terminal's credit", "terminal_credit"),
    ("differences", "discrepancies"),
)
_TRANSACTION_COLUMNS: tuple[Column, ...] = (
    ("sequence", "sequence"),
    ("at", "at"),
    ("terminal", "terminal_id"),
    ("function", "function"),
    ("STAN", "stan"),
    ("outcome", "outcome"),
    ("code", "response_code"),
    ("amount", "amount_minor"),
    ("currency", "currency"),
    ("card", "card"),
    ("RRN", "rrn"),
    ("reason", "reason"),
)
