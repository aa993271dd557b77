"""Questions about stored rows that every journal answers alike."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pos_host.journal import StoredEntry
from pos_host.ledger.entry import BatchRow
from pos_host.ledger.posting import CLOSED_BATCHES_KEPT


def remembered_batches(rows: Iterable[BatchRow]) -> list[BatchRow]:
    """Per terminal the batches that a book remembers: every one not closed, and the last closed ones."""
    by_terminal: dict[int, list[BatchRow]] = {}
    for row in sorted(rows, key=lambda row: row.batch_id):
        by_terminal.setdefault(row.terminal_no, []).append(row)
    kept: list[BatchRow] = []
    for mine in by_terminal.values():
        closed = [row for row in mine if row.state == "settled"][-CLOSED_BATCHES_KEPT:]
        kept += [row for row in mine if row.state != "settled" or row in closed]
    return kept


def purchase_among(
    entries: list[StoredEntry], numbers: dict[int, str], batch_number: str, stan: str, rrn: str
) -> tuple[StoredEntry, int, bool, bool] | None:
    """The purchase named by RRN, or by batch number and STAN, among one terminal's entries in order;
    what was refunded of it, and whether it was voided or reversed."""
    found = next((stored for stored in reversed(entries) if _is(stored, numbers, batch_number, stan, rrn)), None)
    if found is None:
        return None
    refunded, voided, reversed_ = 0, False, False
    undone = {
        (stored.entry.batch_id, stored.entry.original)
        for stored in entries
        if stored.entry.kind == "reversal" and stored.entry.outcome == "approved" and stored.entry.original
    }
    for stored in entries:
        entry = stored.entry
        if entry.outcome != "approved" or entry.original != found.entry.key:
            continue
        if (entry.batch_id, entry.key) in undone:
            continue
        if entry.kind == "refund" and json.loads(entry.detail).get("original_rrn") == found.entry.rrn:
            refunded += entry.amount_minor
        elif entry.batch_id == found.entry.batch_id:
            voided |= entry.kind == "purchase_void"
            reversed_ |= entry.kind == "reversal"
    return found, refunded, voided, reversed_


def _is(stored: StoredEntry, numbers: dict[int, str], batch_number: str, stan: str, rrn: str) -> bool:
    entry = stored.entry
    if entry.kind != "purchase" or (rrn and entry.rrn != rrn) or (stan and entry.stan != stan):
        return False
    return not batch_number or numbers.get(entry.batch_id, "") == batch_number
