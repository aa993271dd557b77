"""The journal on SQLite: one writer thread, one transaction for everything that waits, durable before `done`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from pos_host.journal import EntryQuestion, Found, Posting, Question, Snapshot, Sought, StoredEntry
from pos_host.ledger.entry import (
    AuthorisationRow,
    BatchRow,
    Entry,
    FlagRow,
    HostSettlementRow,
    KeyRow,
    Row,
    TerminalRow,
)
from pos_host.ledger.merchant_rows import PAYOUTS_OPEN, AuditRow, DocumentRow, PayoutRow, RecordChangeRow, RecordRow
from pos_host.ledger.record_trail import NO_CHANGE, trail_of
from pos_host.logs import Logger
from pos_host.storage.lookups import original_among, remembered_authorisations, remembered_batches
from pos_host.storage.sqlite_file import (
    TABLES,
    columns_of,
    has_trail_and_stretches,
    open_store,
    open_to_read,
    own_store,
)
from pos_host.storage.stretches import NOTHING, STRETCH, Content, StretchRow, filled, ranges_among

log = Logger("pos_host.journal")

RowType = TypeVar("RowType", bound=Row)

IDLE_CHECKPOINT_S = 2.0
"""After so long without work the WAL is moved into the file, so that it does not grow for ever."""


def _insert(table: type, *, replace: bool) -> str:
    extra = ("sequence",) if table is Entry else ()
    names = (*extra, *columns_of(table))
    verb = "INSERT OR REPLACE" if replace else "INSERT"
    return f"{verb} INTO {TABLES[table]} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


_KIND, _AT_MS = (1 + columns_of(Entry).index(name) for name in ("kind", "at_ms"))
"""Where they stand in an entry's values, behind its sequence."""

ENTRIES_PER_STATEMENT = (128, 32, 8, 1)
"""Rows of one INSERT, tried from the largest. sqlite3 gives up and takes back the interpreter lock with every
statement it runs, and the loop's thread wants that lock: row by row it cost more than the rest of the commit.
128 rows of 21 columns stay far below SQLite's 32,766 parameters; four sizes fit its cache of statements."""


def _insert_entries(rows: int) -> str:
    statement = _insert(Entry, replace=False)
    head, values, row = statement.partition(" VALUES ")
    return f"{head}{values}{', '.join([row] * rows)}"


INSERT_ENTRIES = [(rows, _insert_entries(rows)) for rows in ENTRIES_PER_STATEMENT]
ROWS = (
    *(TerminalRow, BatchRow, FlagRow, KeyRow, AuthorisationRow, HostSettlementRow),
    *(RecordRow, PayoutRow, AuditRow, DocumentRow),
)
REPLACE_ROW: dict[type, str] = {table: _insert(table, replace=True) for table in ROWS}
INSERT_CHANGE = _insert(RecordChangeRow, replace=False)
INSERT_STRETCH = _insert(StretchRow, replace=True)


class SqliteJournal:
    """The journal in the SQLite file at `path`; raises StoreError when it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = own_store(path)
        self._connection = open_store(path)
        self._reader: sqlite3.Connection | None = None
        self._reading = threading.Lock()
        identity = dict(self._connection.execute("SELECT name, value FROM identity"))
        self.store_id: str = identity["store_id"]
        last = self._connection.execute("SELECT max(sequence) FROM entry").fetchone()[0]
        self._next = (last or 0) + 1
        self._last_change = _last_change(self._connection)
        self._filling = _filling(self._connection, last or 0)
        self._waiting: deque[Posting] = deque()
        self._ready = threading.Event()
        self._waking = False
        self._ending = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._committed: Callable[[], None] = lambda: None

    # -- writing

    def post(self, posting: Posting) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
            self._thread.start()
        self._waiting.append(posting)
        if not self._waking:
            self._waking = True
            self._loop.call_soon(self._wake)

    def _wake(self) -> None:
        """Wake the writer once the loop has read what there was to read. Woken by the first posting of many it
        would commit that one alone, and fight for the interpreter lock with the others' messages."""
        self._waking = False
        self._ready.set()

    def set_listener(self, committed: Callable[[], None]) -> None:
        self._committed = committed

    def _write(self) -> None:
        """The writer thread. Natural batching: what came during one commit is the next one."""
        idle = False
        while True:
            if not self._ready.wait(None if idle else IDLE_CHECKPOINT_S):
                self._checkpoint()
                idle = True
                continue
            idle = False
            self._ready.clear()
            postings = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if postings:
                firsts = self._commit(postings)
                self._call_back(postings, firsts)
            elif self._ending:
                return

    def _commit(self, postings: list[Posting]) -> list[int | None]:
        """The first sequence of each posting, or None for all when the commit failed."""
        firsts: list[int | None] = []
        entries: list[tuple[Any, ...]] = []
        sequence = self._next
        for posting in postings:
            firsts.append(sequence)
            for entry in posting.entries:
                entries.append((sequence, *entry))
                sequence += 1
        execute = self._connection.execute
        records: list[RecordRow] = []
        last_change, filling = self._last_change, self._filling
        try:
            execute("BEGIN IMMEDIATE")
            self._insert(entries)
            stretches, filling = filled(filling, self._next, [e[_KIND] for e in entries], [e[_AT_MS] for e in entries])
            for stretch in stretches:
                execute(INSERT_STRETCH, stretch)
            for posting in postings:
                for row in posting.rows:
                    execute(REPLACE_ROW[type(row)], row)
                    if type(row) is RecordRow:
                        records.append(row)
            for change in trail_of(last_change, records):
                execute(INSERT_CHANGE, change)
                last_change = change
            execute("COMMIT")
        except Exception as error:  # a full disk, a text that has no bytes: the writer goes on whatever it was
            with contextlib.suppress(sqlite3.Error):
                execute("ROLLBACK")
            log.error("commit_failed", store=str(self.path), postings=len(postings), reason=_reason(error))
            return [None] * len(postings)
        self._next, self._last_change, self._filling = sequence, last_change, filling
        return firsts

    def _insert(self, entries: list[tuple[Any, ...]]) -> None:
        """All entries, in as few statements as may be."""
        begin = 0
        for rows, statement in INSERT_ENTRIES:
            while len(entries) - begin >= rows:
                end = begin + rows
                self._connection.execute(statement, tuple(chain.from_iterable(entries[begin:end])))
                begin = end

    def _call_back(self, postings: list[Posting], firsts: list[int | None]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._done, postings, firsts)

    def _done(self, postings: list[Posting], firsts: list[int | None]) -> None:
        for posting, first in zip(postings, firsts, strict=True):
            posting.done(first)
        self._committed()

    def _checkpoint(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    async def close(self) -> None:
        if self._thread is not None:
            while self._waiting:
                self._ready.set()
                await asyncio.sleep(0.001)
            self._ending = True
            self._ready.set()
            await asyncio.to_thread(self._thread.join)
            await asyncio.sleep(0)
        if self._reader is not None:
            self._reader.close()
        self._connection.close()  # last, so that SQLite takes the WAL into the file and removes it
        os.close(self._lock)

    # -- reading

    def load(self) -> Snapshot:
        return load_snapshot(self._connection)

    async def entries_after(self, sequence: int, limit: int) -> list[StoredEntry]:
        return await asyncio.to_thread(self._query, read_entries_after, sequence, limit)

    async def entries_among(
        self, question: EntryQuestion, first: int, last: int, limit: int, *, newest_first: bool = False
    ) -> list[StoredEntry]:
        asked = (question, first, last, limit, newest_first)
        return await asyncio.to_thread(self._query, read_entries_among, *asked)

    async def ranges_among(self, question: EntryQuestion) -> list[tuple[int, int]]:
        return await asyncio.to_thread(self._query, read_ranges_among, question)

    async def last_sequence(self) -> int:
        return await asyncio.to_thread(self._query, read_last_sequence)

    async def find_original(self, terminal_no: int, sought: Sought) -> Found | None:
        return await asyncio.to_thread(self._query, _find_original, terminal_no, sought)

    async def batches_of(self, terminal_no: int, after_id: int, limit: int) -> list[BatchRow]:
        return await asyncio.to_thread(self._query, read_batches_of, terminal_no, after_id, limit)

    async def batch(self, batch_id: int) -> BatchRow | None:
        return await asyncio.to_thread(self._query, _read_batch, batch_id)

    async def select(self, question: Question[RowType]) -> list[RowType]:
        return await asyncio.to_thread(self._query, read_rows, question)

    async def get_mark(self, name: str) -> int:
        return await asyncio.to_thread(self._query, _read_mark, name)

    async def set_mark(self, name: str, value: int) -> None:
        """Kept by a commit of its own on the reading connection's file; it is small and rare."""
        await asyncio.to_thread(self._write_mark, name, value)

    def _write_mark(self, name: str, value: int) -> None:
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None, timeout=5)) as connection:
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("INSERT OR REPLACE INTO mark VALUES (?, ?)", (name, value))

    def _query(self, question: Callable[..., Any], *arguments: Any) -> Any:
        with self._reading:
            if self._reader is None:
                self._reader = open_to_read(self.path)
            return question(self._reader, *arguments)


def _reason(error: Exception) -> str:
    """SQLite's own words, which name no values; of anything else only its type."""
    return str(error) if isinstance(error, sqlite3.Error) else type(error).__name__


def load_snapshot(connection: sqlite3.Connection) -> Snapshot:
    """Everything of the store that a host begins with; entries in order."""
    terminals = [TerminalRow(*row) for row in connection.execute(_select(TerminalRow))]
    flags = [FlagRow(*row) for row in connection.execute(_select(FlagRow))]
    keys = tuple(KeyRow(*row) for row in connection.execute(_select(KeyRow)))
    batches = remembered_batches(BatchRow(*row) for row in connection.execute(_select(BatchRow)))
    ids = {row.batch_id for row in batches}
    after = min((row.after_sequence for row in batches), default=0)
    query = f"SELECT sequence, {', '.join(columns_of(Entry))} FROM entry WHERE sequence > ? ORDER BY sequence"
    entries = [StoredEntry(row[0], Entry(*row[1:])) for row in connection.execute(query, (after,)) if row[3] in ids]
    rows = (AuthorisationRow(*row) for row in connection.execute(_select(AuthorisationRow)))
    settled = tuple(HostSettlementRow(*row) for row in connection.execute(_select(HostSettlementRow)))
    open_states = ", ".join(f"'{state}'" for state in PAYOUTS_OPEN)
    payouts = connection.execute(f"{_select(PayoutRow)} WHERE state IN ({open_states})")
    return Snapshot(
        terminals,
        batches,
        flags,
        entries,
        keys,
        remembered_authorisations(rows, batches),
        settled,
        _records_as_made(connection),
        tuple(PayoutRow(*row) for row in payouts),
        next(iter(read_rows(connection, Question(AuditRow, {}, limit=1, newest_first=True))), None),
    )


def _records_as_made(connection: sqlite3.Connection) -> tuple[RecordRow, ...]:
    """Every record, the first one made before the others: as the trail saw them come."""
    order = "LENGTH(record_id), record_id"  # most are counted; a store of before the trail knows no more
    if has_trail_and_stretches(connection):
        made = "SELECT kind, record_id, MIN(change_no) AS made FROM record_change GROUP BY kind, record_id"
        return _records(connection, f"record LEFT JOIN ({made}) USING (kind, record_id) ORDER BY made, kind, {order}")
    return _records(connection, f"record ORDER BY kind, {order}")


def _records(connection: sqlite3.Connection, source: str) -> tuple[RecordRow, ...]:
    query = f"SELECT {', '.join(columns_of(RecordRow))} FROM {source}"
    return tuple(RecordRow(*row) for row in connection.execute(query))


def read_all(connection: sqlite3.Connection, table: type[RowType]) -> list[RowType]:
    """Every row of a table of the store, in the order of its key."""
    return [table(*row) for row in connection.execute(f"{_select(table)} ORDER BY 1, 2")]


def read_rows(connection: sqlite3.Connection, question: Question[RowType]) -> list[RowType]:
    """The rows that answer `question`."""
    table, order = question.table, columns_of(question.table)[question.key_column]
    conditions, values = [f"{name} = ?" for name in question.where], list(question.where.values())
    if question.after is not None:
        conditions.append(f"{order} {'<' if question.newest_first else '>'} ?")
        values.append(question.after)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    direction = "DESC" if question.newest_first else "ASC"
    query = f"{_select(table)}{where} ORDER BY {order} {direction} LIMIT ?"
    return [table(*row) for row in connection.execute(query, (*values, question.limit))]


def read_entries_after(connection: sqlite3.Connection, sequence: int, limit: int) -> list[StoredEntry]:
    """Entries after a sequence, in order."""
    query = f"SELECT sequence, {', '.join(columns_of(Entry))} FROM entry WHERE sequence > ? ORDER BY sequence LIMIT ?"
    return [StoredEntry(row[0], Entry(*row[1:])) for row in connection.execute(query, (sequence, limit))]


def read_entries_among(
    connection: sqlite3.Connection, question: EntryQuestion, first: int, last: int, limit: int, newest_first: bool
) -> list[StoredEntry]:
    """Entries of a range that answer `question`. Values go in as one JSON list each: a merchant may have more
    terminals than SQLite takes parameters."""
    conditions = ["sequence BETWEEN ? AND ?"]
    parameters: list[str | int] = [first, last]
    for column, wanted in question.among.items():
        conditions.append(f"{column} IN (SELECT value FROM json_each(?))")
        parameters.append(json.dumps(wanted))
    for bound, at_ms in ((">=", question.since_ms), ("<=", question.until_ms)):
        if at_ms is not None:
            conditions.append(f"at_ms {bound} ?")
            parameters.append(at_ms)
    where, direction = " AND ".join(conditions), "DESC" if newest_first else "ASC"
    columns = ", ".join(columns_of(Entry))
    query = f"SELECT sequence, {columns} FROM entry WHERE {where} ORDER BY sequence {direction} LIMIT ?"
    return [StoredEntry(row[0], Entry(*row[1:])) for row in connection.execute(query, (*parameters, limit))]


def read_ranges_among(connection: sqlite3.Connection, question: EntryQuestion) -> list[tuple[int, int]]:
    """The ranges of sequences outside which no entry answers `question`: all, in a store of before there were
    stretches."""
    last = read_last_sequence(connection)
    if not has_trail_and_stretches(connection):
        return [(1, last)] if last else []
    rows = (StretchRow(*row) for row in connection.execute(_select(StretchRow)))
    return ranges_among(rows, question, last)


def read_last_sequence(connection: sqlite3.Connection) -> int:
    """The sequence of the last entry; 0 where there is none."""
    return int(connection.execute("SELECT max(sequence) FROM entry").fetchone()[0] or 0)


def read_batches_of(connection: sqlite3.Connection, terminal_no: int, after_id: int, limit: int) -> list[BatchRow]:
    """A terminal's batches, newest first; ids grow with time within a terminal's own range."""
    query = f"{_select(BatchRow)} WHERE terminal_no = ? AND (? = 0 OR batch_id < ?) ORDER BY batch_id DESC LIMIT ?"
    return [BatchRow(*row) for row in connection.execute(query, (terminal_no, after_id, after_id, limit))]


def _filling(connection: sqlite3.Connection, last: int) -> Content:
    """What the entries hold that fill no stretch yet."""
    first = last - last % STRETCH + 1
    rows = connection.execute("SELECT kind, at_ms FROM entry WHERE sequence >= ?", (first,)).fetchall()
    return filled(NOTHING, first, [kind for kind, _ in rows], [at_ms for _, at_ms in rows])[1]


def _last_change(connection: sqlite3.Connection) -> RecordChangeRow:
    """The end of the trail of records."""
    question = Question(RecordChangeRow, {}, limit=1, newest_first=True)
    return next(iter(read_rows(connection, question)), NO_CHANGE)


def _read_batch(connection: sqlite3.Connection, batch_id: int) -> BatchRow | None:
    row = connection.execute(f"{_select(BatchRow)} WHERE batch_id = ?", (batch_id,)).fetchone()
    return None if row is None else BatchRow(*row)


def _read_mark(connection: sqlite3.Connection, name: str) -> int:
    row = connection.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()
    return 0 if row is None else int(row[0])


def _find_original(connection: sqlite3.Connection, terminal_no: int, sought: Sought) -> Found | None:
    """A walk through the terminal's entries: a message about an old batch is rare, an index would not be."""
    terminals = (terminal_no, *sought.predecessors)
    among = f"WHERE terminal_no IN ({', '.join('?' * len(terminals))})"
    query = f"SELECT sequence, {', '.join(columns_of(Entry))} FROM entry {among} ORDER BY sequence"
    mine = [StoredEntry(row[0], Entry(*row[1:])) for row in connection.execute(query, terminals)]
    rows = connection.execute(f"SELECT batch_id, number FROM batch {among}", terminals)
    return original_among(mine, dict(rows.fetchall()), sought)


def _select(table: type) -> str:
    return f"SELECT {', '.join(columns_of(table))} FROM {TABLES[table]}"
