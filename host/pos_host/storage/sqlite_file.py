"""A SQLite store as a file: opening, checking its settings, and owning it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import uuid
from contextlib import closing
from importlib import resources
from pathlib import Path

from pos_host.ledger.entry import AuthorisationRow, BatchRow, Entry, FlagRow, HostSettlementRow, KeyRow, TerminalRow
from pos_host.ledger.merchant_rows import AuditRow, DocumentRow, PayoutRow, RecordChangeRow, RecordRow
from pos_host.ledger.record_trail import FOUND, NO_CHANGE, trail_of
from pos_host.storage.stretches import STRETCH, StretchRow

SCHEMA_VERSION = 5
TRAIL_SINCE = 5
"""Schema version from which on records have a trail and the journal its stretches."""

OLDEST_READ = 4
"""An older store lacks columns that are read; this one lacks tables that reading does without."""

CHECKPOINT_PAGES = 2000
"""WAL pages before SQLite moves them into the file: about 8 MB, written while the next commits wait little."""

TABLES: dict[type, str] = {
    Entry: "entry",
    TerminalRow: "terminal",
    BatchRow: "batch",
    FlagRow: "flag",
    KeyRow: "working_keys",
    AuthorisationRow: "authorisation",
    HostSettlementRow: "host_settlement",
    RecordRow: "record",
    RecordChangeRow: "record_change",
    PayoutRow: "payout",
    AuditRow: "audit",
    DocumentRow: "document",
    StretchRow: "stretch",
}

COLUMNS_ADDED = (("entry", "product", "TEXT NOT NULL DEFAULT ''"),)
"""Columns that tables of an older store lack; each stands last, so that its table needs no rewriting."""


class StoreError(Exception):
    """The store cannot be used; the text says which and why, in one line."""


def open_store(path: Path) -> sqlite3.Connection:
    """A writing connection with WAL and `synchronous=FULL`; the file is made when it is not there.

    FULL because NORMAL loses acknowledged commits when the power goes. Raises StoreError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        connection.execute("PRAGMA busy_timeout=5000")
        full = connection.execute("PRAGMA synchronous").fetchone()[0]
        if mode != "wal" or full != 2:
            raise StoreError(f"store {path}: journal mode {mode}, synchronous {full} instead of wal, 2")
        _make_schema(connection, path)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"store {path}: {error}") from None
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, beside a running host or without one; raises StoreError."""
    if not path.exists():
        raise StoreError(f"store {path}: no such file")
    try:
        connection = sqlite3.connect(
            f"file:{_quoted(path)}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA busy_timeout=5000")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise StoreError(f"store {path}: {error}") from None
    if not OLDEST_READ <= version <= SCHEMA_VERSION:
        connection.close()
        raise StoreError(_wrong_version(path, version))
    return connection


def migrate(path: Path) -> tuple[int, int]:
    """Bring a store to this program's schema, or leave it as it was; gives the version before and after.

    Raises StoreError for one that is not there, is none of ours, is newer, or belongs to a running host.
    """
    if not path.exists():
        raise StoreError(f"store {path}: no such file")
    owned = own_store(path)
    try:
        with closing(sqlite3.connect(path)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        if not 0 < version <= SCHEMA_VERSION:
            raise StoreError(_wrong_version(path, version))
        open_store(path).close()
    except sqlite3.Error as error:
        raise StoreError(f"store {path}: {error}") from None
    finally:
        os.close(owned)
    return version, SCHEMA_VERSION


def _wrong_version(path: Path, version: int) -> str:
    if version == 0:
        return f"store {path}: is no store of pos-host"
    remedy = "pos-host migrate" if version < SCHEMA_VERSION else "the pos-host that wrote it"
    return f"store {path}: schema version {version}, this program has {SCHEMA_VERSION}; use {remedy}"


def has_trail_and_stretches(connection: sqlite3.Connection) -> bool:
    """Whether the store keeps a trail of its records and stretches of its journal: one that no host of now opened yet
    does not."""
    return bool(connection.execute("PRAGMA user_version").fetchone()[0] >= TRAIL_SINCE)


def own_store(path: Path) -> int:
    """A lock that only one host holds, as a file descriptor to keep open; raises StoreError when taken."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StoreError(f"store {path}: another host is using it") from None
    except OSError as error:
        raise StoreError(f"store {path}: {error}") from None
    return descriptor


def columns_of(table: type) -> tuple[str, ...]:
    """The columns of a row type, in order."""
    fields: tuple[str, ...] = table._fields  # type: ignore[attr-defined]
    return fields


def _make_schema(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == SCHEMA_VERSION:
        return
    if version > SCHEMA_VERSION:
        raise StoreError(_wrong_version(path, version))
    script = (resources.files("pos_host") / "storage" / "schema.sql").read_text("utf-8")
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{_added_columns(connection)}{script}\n"
            f"INSERT OR IGNORE INTO identity VALUES ('store_id', '{uuid.uuid4().hex[:12]}');\n"
        )
        if version < TRAIL_SINCE:
            _begin_record_trail(connection)
            connection.execute(_STRETCHES_OF_BEFORE)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.close()  # takes everything back
        raise


_STRETCHES_OF_BEFORE = f"""
INSERT OR REPLACE INTO stretch
SELECT (sequence - 1) / {STRETCH}, min(at_ms), max(at_ms), json_group_array(DISTINCT kind) FROM entry
WHERE sequence <= (SELECT max(sequence) FROM entry) / {STRETCH} * {STRETCH} GROUP BY 1
"""
"""The full stretches of an older store: its journal is read once, when it is taken over."""


def _begin_record_trail(connection: sqlite3.Connection) -> None:
    """The records of an older store as they are found: what is changed from now on shows."""
    columns = ", ".join(columns_of(RecordRow))
    order = "kind, LENGTH(record_id), record_id"  # as they were made, where they are counted
    records = (RecordRow(*row) for row in connection.execute(f"SELECT {columns} FROM record ORDER BY {order}"))
    statement = f"INSERT INTO record_change VALUES ({', '.join('?' * len(columns_of(RecordChangeRow)))})"
    connection.executemany(statement, trail_of(NO_CHANGE, records, FOUND))


def _added_columns(connection: sqlite3.Connection) -> str:
    """The statements that give an older store's tables the columns they lack."""
    statements = ""
    for table, column, kind in COLUMNS_ADDED:
        known = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        if known and column not in known:
            statements += f"ALTER TABLE {table} ADD COLUMN {column} {kind};\n"
    return statements


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
