"""Questions about stored rows that every journal answers alike."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pos_host.journal import EntryQuestion, Found, Sought, StoredEntry
from pos_host.ledger.entry import APPROVALS, LATE_NOTICE, PAYOUT, VOIDS, AuthorisationRow, BatchRow, Entry
from pos_host.ledger.late_notices import as_told
from pos_host.ledger.posting import still_remembered


def remembered_batches(rows: Iterable[BatchRow]) -> list[BatchRow]:
    """Per terminal the batches that a book remembers: every one not closed, and the last closed ones."""
    by_terminal: dict[int, list[BatchRow]] = {}
    for row in sorted(rows, key=lambda row: row.batch_id):
        by_terminal.setdefault(row.terminal_no, []).append(row)
    kept: list[BatchRow] = []
    for mine in by_terminal.values():
        closed = [row for row in mine if row.state == "settled"]
        ids = still_remembered([(row.batch_id, row.result) for row in closed])
        kept += [row for row in mine if row.state != "settled" or row.batch_id in ids]
    return kept


def remembered_authorisations(rows: Iterable[AuthorisationRow], batches: list[BatchRow]) -> list[AuthorisationRow]:
    """Those that are open, or that changed in one of `batches`."""
    ids = {row.batch_id for row in batches}
    return [row for row in rows if row.state == "open" or row.batch_id in ids]


def answers(entry: Entry, question: EntryQuestion) -> bool:
    """Whether an entry is one of those that are looked for."""
    if any(getattr(entry, column) not in values for column, values in question.among.items()):
        return False
    since_ms, until_ms = question.since_ms, question.until_ms
    return (since_ms is None or since_ms <= entry.at_ms) and (until_ms is None or entry.at_ms <= until_ms)


def original_among(entries: list[StoredEntry], numbers: dict[int, str], sought: Sought) -> Found | None:
    """The latest transaction that fits, among one terminal's entries in order, and what became of it.

    `numbers` are the batch numbers by batch id.
    """
    found = next((stored for stored in reversed(entries) if _fits(stored.entry, numbers, sought)), None)
    if found is None:
        return None
    history = _History(entries)
    entry = as_told(found.entry)
    amount_minor = history.amount_minor(entry)
    voided, reversed_ = (_key(entry) in keys for keys in (history.voided, history.reversed))
    charged = _charged(entries, found)
    return Found(found._replace(entry=entry), amount_minor, history.refunded_minor(entry), voided, reversed_, charged)


def _charged(entries: list[StoredEntry], found: StoredEntry) -> tuple[Any, ...]:
    """By which schedules a transaction was charged: those of its batch's payout, or of its own where it came late.

    The payout of what came late is the first that is told of after it, in the same commit. Nothing of a batch that paid
    nothing, or did before there were payouts.
    """
    came_late, batch_id = found.entry.kind == LATE_NOTICE, found.entry.batch_id
    paid = (one for one in entries if one.entry.kind == PAYOUT and one.entry.batch_id == batch_id)
    told = (json.loads(one.entry.detail) for one in paid if not came_late or one.sequence > found.sequence)
    return next((tuple(one["days"]) for one in told if came_late != (one["payout_id"] == batch_id)), ())


def _fits(entry: Entry, numbers: dict[int, str], sought: Sought) -> bool:
    if not {entry.kind, as_told(entry).kind} <= sought.functions:
        return False
    if (sought.rrn and entry.rrn != sought.rrn) or (sought.stan and entry.stan != sought.stan):
        return False
    return not sought.batch_number or numbers.get(entry.batch_id, "") == sought.batch_number


def _key(entry: Entry) -> tuple[int, str]:
    return entry.batch_id, entry.key


class _History:
    """What the approved entries of one terminal did to each other; all but refunds act within their batch."""

    def __init__(self, entries: list[StoredEntry]) -> None:
        done = [stored.entry for stored in entries if stored.entry.outcome in APPROVALS and stored.entry.original]
        self.reversed = {(entry.batch_id, entry.original) for entry in done if entry.kind == "reversal"}
        standing = [entry for entry in done if _key(entry) not in self.reversed]
        self.voided = {(entry.batch_id, entry.original) for entry in standing if entry.kind in VOIDS}
        self._adjusted = {(e.batch_id, e.original): e.amount_minor for e in standing if e.kind == "adjust"}
        told = [as_told(entry) for entry in standing]
        self._refunds = [entry for entry in told if entry.kind == "refund" and _key(entry) not in self.voided]

    def amount_minor(self, entry: Entry) -> int:
        """Its amount after adjusts."""
        return self._adjusted.get(_key(entry), entry.amount_minor)

    def refunded_minor(self, original: Entry) -> int:
        """What was given back of it."""
        return sum(
            self.amount_minor(refund)
            for refund in self._refunds
            if refund.original == original.key and json.loads(refund.detail).get("original_rrn") == original.rrn
        )
