"""The journal in memory: same promises but durability. Commits on the loop, so it lives in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pos_host.journal import Found, Posting, Snapshot, Sought, StoredEntry
from pos_host.ledger.entry import AuthorisationRow, BatchRow, FlagRow, HostSettlementRow, KeyRow, Row, TerminalRow
from pos_host.storage.lookups import original_among, remembered_authorisations, remembered_batches

COMMIT_S = 0.0
"""How long a commit takes: the next turn of the loop, so that group commit happens here too."""


class MemoryJournal:
    """A journal that ends with the process. `fail_next` lets that many commits fail, as a full disk would."""

    def __init__(self, *, commit_s: float = COMMIT_S, store_id: str = "memory") -> None:
        self.store_id = store_id
        self.fail_next = 0
        self.entries: list[StoredEntry] = []
        self.terminals: dict[int, TerminalRow] = {}
        self.batches: dict[int, BatchRow] = {}
        self.flags: dict[int, FlagRow] = {}
        self.keys: dict[int, KeyRow] = {}
        self.authorisations: dict[int, AuthorisationRow] = {}
        self.host_settlements: dict[int, HostSettlementRow] = {}
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
        if isinstance(row, TerminalRow):
            self.terminals[row.terminal_no] = row
        elif isinstance(row, BatchRow):
            self.batches[row.batch_id] = row
        elif isinstance(row, KeyRow):
            self.keys[row.terminal_no] = row
        elif isinstance(row, AuthorisationRow):
            self.authorisations[row.authorisation_no] = row
        elif isinstance(row, HostSettlementRow):
            self.host_settlements[row.terminal_no] = row
        else:
            self.flags[row.terminal_no] = row

    def load(self) -> Snapshot:
        batches = remembered_batches(list(self.batches.values()))
        ids = {row.batch_id for row in batches}
        entries = [stored for stored in self.entries if stored.entry.batch_id in ids]
        flags, keys = list(self.flags.values()), tuple(self.keys.values())
        authorisations = remembered_authorisations(self.authorisations.values(), batches)
        settled = tuple(self.host_settlements.values())
        return Snapshot(list(self.terminals.values()), batches, flags, entries, keys, authorisations, settled)

    def set_listener(self, committed: Callable[[], None]) -> None:
        self._committed = committed

    async def entries_after(self, sequence: int, limit: int) -> list[StoredEntry]:
        return self.entries[sequence : sequence + limit]

    async def find_original(self, terminal_no: int, sought: Sought) -> Found | None:
        mine = [stored for stored in self.entries if stored.entry.terminal_no == terminal_no]
        numbers = {row.batch_id: row.number for row in self.batches.values()}
        return original_among(mine, numbers, sought)

    async def batches_of(self, terminal_no: int, after_id: int, limit: int) -> list[BatchRow]:
        rows = [
            row
            for row in self.batches.values()
            if row.terminal_no == terminal_no and (not after_id or row.batch_id < after_id)
        ]
        return sorted(rows, key=lambda row: -row.batch_id)[:limit]

    async def batch(self, batch_id: int) -> BatchRow | None:
        return self.batches.get(batch_id)

    async def get_mark(self, name: str) -> int:
        return self._marks.get(name, 0)

    async def set_mark(self, name: str, value: int) -> None:
        self._marks[name] = value

    async def close(self) -> None:
        while self._waiting:
            self._commit()
