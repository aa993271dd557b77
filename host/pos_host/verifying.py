"""`pos-host verify`: every total, state and result worked out again from the entries alone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pos_host.journal import StoredEntry
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.dialect_names import dialect_named
from pos_host.ledger.entry import FINANCIAL, BatchRow, Entry, FlagRow, TerminalRow
from pos_host.ledger.group_totals import totals_of
from pos_host.ledger.posting import BooksDamaged, apply_entry
from pos_host.ledger.reconciliation import differences, hypercom_balanced, iso87_balanced, unionpay_codes
from pos_specs.totals import BALANCED, Side, Totals


class Verifier:
    """Takes rows, then all entries in order, and lists what does not agree."""

    def __init__(self, terminals: Iterable[TerminalRow], batches: Iterable[BatchRow], flags: Iterable[FlagRow]) -> None:
        self.details: list[dict[str, Any]] = []
        self.transactions = 0
        self._books: dict[int, Book] = {}
        self._rows = {row.batch_id: row for row in batches}
        self._flags = {row.terminal_no: row for row in flags}
        self._last_flags: dict[int, str | None] = {}
        self._rrns: dict[tuple[int, str], int] = {}
        self._keys: set[tuple[int, str]] = set()
        self._closed: dict[int, Entry] = {}
        self._opened: dict[int, int] = {}
        self._last_sequence = 0
        for row in terminals:
            book = Book(row.terminal_no, row.merchant_id, row.terminal_id, dialect_named(row.dialect))
            self._books[row.terminal_no] = book
        for batch_row in sorted(self._rows.values(), key=lambda row: row.batch_id):
            self._add_batch(batch_row)

    def take(self, stored: StoredEntry) -> None:
        """The next entry of the journal."""
        sequence, entry = stored
        if sequence != self._last_sequence + 1:
            self._differs("journal", f"entry {self._last_sequence + 1} is missing", sequence=sequence)
        self._last_sequence = sequence
        if entry.terminal_no == 0:
            return
        book = self._books.get(entry.terminal_no)
        if book is None:
            self._differs("journal", "entry of a terminal that is not there", sequence=sequence)
            return
        self._check_entry(book, entry, sequence)
        try:
            apply_entry(book, entry, sequence)
        except BooksDamaged as damage:
            self._differs("journal", str(damage), sequence=sequence)

    def finish(self) -> dict[str, Any]:
        """The report of the contract: number of differences, each of them, and what was checked."""
        for book in self._books.values():
            for batch in book.batches:
                self._check_batch(batch, self._rows[batch.batch_id])
            self._check_flag(book)
        checked = {"transactions": self.transactions, "batches": len(self._rows), "payouts": 0}
        return {"differences": len(self.details), "details": self.details, "checked": checked}

    def _add_batch(self, row: BatchRow) -> None:
        book = self._books.get(row.terminal_no)
        if book is None:
            self._differs("batch", "batch of a terminal that is not there", batch_id=row.batch_id)
            del self._rows[row.batch_id]
            return
        batch = Batch(row.batch_id, row.number, dialect_named(row.dialect), row.opened_at_ms)
        batch.settlement = json.loads(row.settlement) if row.settlement else {}
        book.batches.append(batch)

    def _check_entry(self, book: Book, entry: Entry, sequence: int) -> None:
        if entry.kind in FINANCIAL:
            self.transactions += 1
            if (entry.batch_id, entry.key) in self._keys:
                self._differs("transaction", "posted twice", sequence=sequence, batch_id=entry.batch_id)
            self._keys.add((entry.batch_id, entry.key))
            batch = book.batch_of_id(entry.batch_id)
            if entry.outcome == "approved" and batch is not None and entry.batch_id in self._closed:
                self._differs("batch", "money posted after it closed", sequence=sequence, batch_id=entry.batch_id)
        if entry.kind == "batch_opened":
            self._opened[entry.batch_id] = self._opened.get(entry.batch_id, 0) + 1
        elif entry.kind == "batch_closed":
            if entry.batch_id in self._closed:
                self._differs("batch", "closed twice", sequence=sequence, batch_id=entry.batch_id)
            self._closed[entry.batch_id] = entry
        elif entry.kind == "unsettled":
            self._last_flags[entry.terminal_no] = json.loads(entry.detail)["severity"]

    def _check_batch(self, batch: Batch, row: BatchRow) -> None:
        if self._opened.get(batch.batch_id, 0) != 1:
            self._differs("batch", "not opened exactly once", batch_id=batch.batch_id)
        closing = self._closed.get(batch.batch_id)
        if (closing is not None) != (row.state == "settled"):
            self._differs("batch", f"state {row.state} does not fit its entries", batch_id=batch.batch_id)
        if closing is None:
            return
        detail = json.loads(closing.detail)
        totals = totals_of(batch)
        told = {name: Side(*side) for name, side in json.loads(row.host_totals).items()}
        if told != totals:
            self._differs("batch", "totals", batch_id=batch.batch_id, stored=_plain(told), recomputed=_plain(totals))
        if detail["result"] != row.result:
            self._differs("batch", f"result {row.result}, closed as {detail['result']}", batch_id=batch.batch_id)
        self._check_result(batch, row)

    def _check_result(self, batch: Batch, row: BatchRow) -> None:
        sent = {name: Side(*side) for name, side in json.loads(row.terminal_totals or "{}").items()}
        stored = {(item["stan"], item["kind"]) for item in json.loads(row.discrepancies or "[]")}
        found = {(item["stan"], item["kind"]) for item in differences(batch, complete=False)}
        if not found <= stored:
            self._differs("batch", f"differences not reported: {sorted(found - stored)}", batch_id=batch.batch_id)
        if row.result == "balanced" and not totals_agree(batch, sent):
            self._differs("batch", "balanced, but the totals differ", batch_id=batch.batch_id)
        if row.result == "balanced_after_upload" and stored - _late(batch, row):
            self._differs("batch", "balanced after upload, with differences", batch_id=batch.batch_id)

    def _check_flag(self, book: Book) -> None:
        row = self._flags.get(book.terminal_no)
        stored = row.severity or None if row is not None else None
        if stored != self._last_flags.get(book.terminal_no):
            self._differs("flag", "is not what its last entry says", terminal_id=book.terminal_id)

    def _differs(self, what: str, text: str, **where: Any) -> None:
        self.details.append({"what": what, "text": text, **where})


def totals_agree(batch: Batch, sent: Totals) -> bool:
    """The terminal's totals against the recomputed ones, by the dialect's rule."""
    kind = batch.dialect.totals_kind
    if kind == "unionpay48":
        return unionpay_codes(batch, sent) == (BALANCED, BALANCED)
    return hypercom_balanced(batch, sent) if kind == "hypercom63" else iso87_balanced(batch, sent)


def _late(batch: Batch, row: BatchRow) -> set[tuple[str, str]]:
    """Differences that came with records uploaded after the close; they do not touch the result."""
    return {
        (item["stan"], item["kind"])
        for item in json.loads(row.discrepancies or "[]")
        if item["kind"] != "not_uploaded" and batch.last_activity_at_ms >= row.closed_at_ms
    }


def _plain(totals: Totals) -> dict[str, list[int]]:
    return {name: list(side) for name, side in totals.items()}
