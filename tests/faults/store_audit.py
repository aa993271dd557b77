"""What must be true of a store after its host was killed, seen from the terminals."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults.trading_client import Approval

from pos_host.journal import StoredEntry
from pos_host.ledger.entry import FINANCIAL, BatchRow, Entry, TerminalRow
from pos_host.storage.sqlite import read_all, read_entries_after
from pos_host.storage.sqlite_file import open_to_read
from pos_host.verifying import Verifier

EVERYTHING = 10_000_000
"""Entries read at once: more than any test here makes."""

POSTS_ONCE = FINANCIAL | {"reversal"}


class StoreAudit:
    """Reads what each host added to the store and compares it with what the terminals saw."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._read_through = 0
        self._posted: dict[Approval, int] = {}
        self._identities: Counter[tuple[int, str]] = Counter()
        self.entries = 0

    def take_new(self, approvals: Iterable[Approval]) -> list[str]:
        """Read on from where the last audit ended, then say what is wrong with `approvals` (all those so far)."""
        with closing(open_to_read(self._store)) as connection:
            terminals = {row.terminal_no: row.terminal_id for row in read_all(connection, TerminalRow)}
            batches = {row.batch_id: row.number for row in read_all(connection, BatchRow)}
            for stored in read_entries_after(connection, self._read_through, EVERYTHING):
                self._take(stored, terminals, batches)
        twice = [f"posted twice: {identity}" for identity, times in self._identities.items() if times > 1]
        return twice + [wrong for approval in approvals for wrong in self._judge(approval)]

    def posted(self, terminal_id: str, stan: str) -> list[Approval]:
        """Everything approved under that STAN, with its RRN."""
        return [known for known in self._posted if (known.terminal_id, known.stan) == (terminal_id, stan)]

    def _take(self, stored: StoredEntry, terminals: dict[int, str], batches: dict[int, str]) -> None:
        sequence, entry = stored
        self._read_through = sequence
        self.entries += 1
        if entry.kind not in POSTS_ONCE or not entry.key:
            return
        self._identities[entry.batch_id, entry.key] += 1
        if entry.outcome == "approved":
            approval = _approval(entry, terminals[entry.terminal_no], batches[entry.batch_id])
            self._posted[approval] = self._posted.get(approval, 0) + 1

    def _judge(self, approval: Approval) -> list[str]:
        times = self._posted.get(approval, 0)
        if times == 1:
            return []
        like = self.posted(approval.terminal_id, approval.stan)
        return [f"{approval} is in the store {times} times; under its STAN: {like}"]


def _approval(entry: Entry, terminal_id: str, batch_number: str) -> Approval:
    """An entry as the terminal sees it: the answer to a UnionPay refund or reversal has no approval code."""
    code = entry.approval_code if entry.kind in ("purchase", "purchase_void") else ""
    return Approval(terminal_id, batch_number, entry.kind, entry.stan, entry.amount_minor, entry.rrn, code)


def integrity(store: Path) -> str:
    """What SQLite itself says of the file: `ok`."""
    with closing(sqlite3.connect(store)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def verified(store: Path) -> dict[str, Any]:
    """The report of `pos-host verify`."""
    with closing(open_to_read(store)) as connection:
        verifier = Verifier(partial(read_all, connection))
        for stored in read_entries_after(connection, 0, EVERYTHING):
            verifier.take(stored)
    return verifier.finish()


def results(store: Path) -> Counter[str]:
    """How the closed batches came out."""
    with closing(open_to_read(store)) as connection:
        return Counter(row.result for row in read_all(connection, BatchRow) if row.state == "settled")
