"""The journal in memory: same promises but durability. Commits on the loop, so it lives in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import Any, TypeVar

from pos_host.journal import EntryQuestion, Found, Posting, Question, Snapshot, Sought, StoredEntry
from pos_host.ledger.entry import AuthorisationRow, BatchRow, FlagRow, HostSettlementRow, KeyRow, Row, TerminalRow
from pos_host.ledger.merchant_rows import PAYOUTS_OPEN, AuditRow, DocumentRow, PayoutRow, RecordChangeRow, RecordRow
from pos_host.ledger.record_trail import NO_CHANGE, followed_by
from pos_host.storage.lookups import answers, original_among, remembered_authorisations, remembered_batches
from pos_host.storage.stretches import NOTHING, STRETCH, StretchRow, filled, ranges_among

RowType = TypeVar("RowType", bound=Row)

KEY_COLUMNS: dict[type, int] = {
    **dict.fromkeys((TerminalRow, BatchRow, FlagRow, KeyRow, AuthorisationRow, HostSettlementRow), 1),
    **dict.fromkeys((PayoutRow, AuditRow, RecordChangeRow), 1),
    RecordRow: 2,
    DocumentRow: 2,
}
"""How many of a row's first columns are its key; the same as the primary keys in schema.sql."""

COMMIT_S = 0.0
"""How long a commit takes: the next turn of the loop, so that group commit happens here too."""


class MemoryJournal:
    """A journal that ends with the process. `fail_next` lets that many commits fail, as a full disk would."""

    def __init__(self, *, commit_s: float = COMMIT_S, store_id: str = "memory") -> None:
        self.store_id = store_id
        self.fail_next = 0
        self.entries: list[StoredEntry] = []
        self.rows: dict[type, dict[Any, Any]] = {table: {} for table in KEY_COLUMNS}
        self._stretches: list[StretchRow] = []
        self._marks: dict[str, int] = {}
        self._waiting: list[Posting] = []
        self._commit_s = commit_s
        self._scheduled = False
        self._committed: Callable[[], None] = lambda: None

    def post(self, posting: Posting) -> None:
        self._waiting.append(posting)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_later(self._commit_s, self._commit)

    def _commit(self) -> None:
        self._scheduled = False
        postings, self._waiting = self._waiting, []
        if self.fail_next > 0:
            self.fail_next -= 1
            firsts: list[int | None] = [None] * len(postings)
        else:
            firsts = [self._keep(posting) for posting in postings]
        for posting, first in zip(postings, firsts, strict=True):
            posting.done(first)
        self._committed()

    def _keep(self, posting: Posting) -> int:
        first = len(self.entries) + 1
        for place, entry in enumerate(posting.entries):
            self.entries.append(StoredEntry(first + place, entry))
        for row in posting.rows:
            self._keep_row(row)
        return first

    def _keep_row(self, row: Row) -> None:
        columns = KEY_COLUMNS[type(row)]
        self.rows[type(row)][row[0] if columns == 1 else row[:columns]] = row
        if isinstance(row, RecordRow):
            trail = self.table(RecordChangeRow)
            self._keep_row(followed_by(next(reversed(trail.values()), NO_CHANGE), row))

    def table(self, table: type[RowType]) -> dict[Any, RowType]:
        """All rows of a table by their key."""
        return self.rows[table]

    def all_rows(self, table: type[RowType]) -> list[RowType]:
        """Every row of a table, in the order of its key."""
        return [row for _, row in sorted(self.table(table).items())]

    def load(self) -> Snapshot:
        batches = remembered_batches(list(self.table(BatchRow).values()))
        ids = {row.batch_id for row in batches}
        return Snapshot(
            list(self.table(TerminalRow).values()),
            batches,
            list(self.table(FlagRow).values()),
            [stored for stored in self.entries if stored.entry.batch_id in ids],
            tuple(self.table(KeyRow).values()),
            remembered_authorisations(self.table(AuthorisationRow).values(), batches),
            tuple(self.table(HostSettlementRow).values()),
            tuple(self.table(RecordRow).values()),
            tuple(row for row in self.table(PayoutRow).values() if row.state in PAYOUTS_OPEN),
            next(reversed(self.table(AuditRow).values()), None),
        )

    def set_listener(self, committed: Callable[[], None]) -> None:
        self._committed = committed

    async def entries_after(self, sequence: int, limit: int) -> list[StoredEntry]:
        return self.entries[sequence : sequence + limit]

    async def entries_among(
        self, question: EntryQuestion, first: int, last: int, limit: int, *, newest_first: bool = False
    ) -> list[StoredEntry]:
        asked = self.entries[max(first - 1, 0) : last]
        fitting = (stored for stored in (reversed(asked) if newest_first else asked) if answers(stored.entry, question))
        return list(islice(fitting, limit))

    async def ranges_among(self, question: EntryQuestion) -> list[tuple[int, int]]:
        while len(self.entries) >= (first := len(self._stretches) * STRETCH) + STRETCH:
            full = [stored.entry for stored in self.entries[first : first + STRETCH]]
            kinds, times_ms = [entry.kind for entry in full], [entry.at_ms for entry in full]
            self._stretches += filled(NOTHING, first + 1, kinds, times_ms)[0]
        return ranges_among(self._stretches, question, len(self.entries))

    async def last_sequence(self) -> int:
        return len(self.entries)

    async def find_original(self, terminal_no: int, sought: Sought) -> Found | None:
        terminals = {terminal_no, *sought.predecessors}
        mine = [stored for stored in self.entries if stored.entry.terminal_no in terminals]
        numbers = {row.batch_id: row.number for row in self.table(BatchRow).values()}
        return original_among(mine, numbers, sought)

    async def batches_of(self, terminal_no: int, after_id: int, limit: int) -> list[BatchRow]:
        rows = [
            row
            for row in self.table(BatchRow).values()
            if row.terminal_no == terminal_no and (not after_id or row.batch_id < after_id)
        ]
        return sorted(rows, key=lambda row: -row.batch_id)[:limit]

    async def batch(self, batch_id: int) -> BatchRow | None:
        return self.table(BatchRow).get(batch_id)

    async def select(self, question: Question[RowType]) -> list[RowType]:
        after: Any = question.after
        place, newest_first = question.key_column, question.newest_first
        ordered = sorted(self.table(question.table).values(), key=lambda row: row[place], reverse=newest_first)
        if after is not None:
            ordered = [row for row in ordered if (row[place] < after if newest_first else row[place] > after)]
        fitting = (r for r in ordered if all(getattr(r, name) == value for name, value in question.where.items()))
        return list(islice(fitting, question.limit))

    async def get_mark(self, name: str) -> int:
        return self._marks.get(name, 0)

    async def set_mark(self, name: str, value: int) -> None:
        self._marks[name] = value

    async def close(self) -> None:
        while self._waiting:
            self._commit()
