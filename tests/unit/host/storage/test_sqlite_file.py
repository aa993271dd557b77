"""The SQLite store as a file: its settings, its schema, its owner."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.contracts.journals import batch_row, flag_row, purchase, terminal_row

from pos_host.journal import Posting
from pos_host.ledger.entry import BatchRow, Entry, FlagRow, TerminalRow
from pos_host.storage.sqlite import SqliteJournal
from pos_host.storage.sqlite_file import (
    SCHEMA_VERSION,
    TABLES,
    StoreError,
    columns_of,
    open_store,
    open_to_read,
    own_store,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "store.db"


async def kept(journal: SqliteJournal, *entries: Entry) -> int | None:
    done: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
    journal.post(Posting(entries, (terminal_row(), batch_row(), flag_row()), done.set_result))
    return await done


def test_a_store_is_in_wal_mode_and_syncs_every_commit(path: Path) -> None:
    with closing(open_store(path)) as connection:
        assert "wal" == connection.execute("PRAGMA journal_mode").fetchone()[0]
        assert 2 == connection.execute("PRAGMA synchronous").fetchone()[0]


def test_a_store_that_cannot_be_in_wal_mode_is_refused() -> None:
    with pytest.raises(StoreError, match="journal mode memory, synchronous 2 instead of wal, 2"):
        open_store(Path(":memory:"))


def test_the_columns_stand_in_the_order_of_the_named_tuples(path: Path) -> None:
    with closing(open_store(path)) as connection:
        for table in (Entry, TerminalRow, BatchRow, FlagRow):
            columns = tuple(row[1] for row in connection.execute(f"PRAGMA table_info({TABLES[table]})"))
            own = ("sequence", *columns_of(table)) if table is Entry else columns_of(table)
            assert own == columns


def test_the_journal_has_no_secondary_index(path: Path) -> None:
    with closing(open_store(path)) as connection:
        indexed = connection.execute("SELECT tbl_name FROM sqlite_master WHERE type = 'index'").fetchall()

    assert ("entry",) not in indexed


async def test_a_second_host_cannot_own_the_store(path: Path) -> None:
    journal = SqliteJournal(path)

    with pytest.raises(StoreError, match="another host is using it") as refused:
        SqliteJournal(path)

    assert "\n" not in str(refused.value)
    await journal.close()
    await SqliteJournal(path).close()


async def test_a_host_in_another_process_cannot_own_the_store_either(path: Path) -> None:
    journal = SqliteJournal(path)
    script = f"from pos_host.storage.sqlite_file import own_store; own_store(__import__('pathlib').Path({str(path)!r}))"

    ended = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", script], capture_output=True, text=True)

    assert "another host is using it" in ended.stderr
    await journal.close()


async def test_the_owner_who_died_leaves_the_store_free(path: Path) -> None:
    os.close(own_store(path))

    await SqliteJournal(path).close()


async def test_the_store_is_read_beside_its_owner(path: Path) -> None:
    journal = SqliteJournal(path)
    await kept(journal, purchase(1))

    with closing(open_to_read(path)) as reader:
        assert 1 == reader.execute("SELECT count(*) FROM entry").fetchone()[0]
        await kept(journal, purchase(2))
        assert 2 == reader.execute("SELECT count(*) FROM entry").fetchone()[0]
    await journal.close()


async def test_a_reader_cannot_write(path: Path) -> None:
    await SqliteJournal(path).close()

    with closing(open_to_read(path)) as reader, pytest.raises(sqlite3.OperationalError):
        reader.execute("DELETE FROM entry")


async def test_a_disk_that_is_full_loses_nothing_that_was_acknowledged(path: Path) -> None:
    journal = SqliteJournal(path)
    await kept(journal, purchase(1))
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count={pages + 2}")
    acknowledged = [1]
    for number in range(2, 200):
        if await kept(journal, purchase(number, detail="x" * 500)) is not None:
            acknowledged.append(number)
    assert len(acknowledged) < 100

    journal._connection.execute("PRAGMA max_page_count=1000000")
    assert await kept(journal, purchase(200)) is not None
    stored = [stored.entry.stan for stored in await journal.entries_after(0, 999)]
    await journal.close()

    assert [f"{number:06d}" for number in (*acknowledged, 200)] == stored


async def test_a_posting_that_cannot_be_written_is_done_with_none(path: Path) -> None:
    """A text with half a surrogate pair has no UTF-8; it must not end the writer."""
    journal = SqliteJournal(path)

    assert None is await kept(journal, purchase(1, detail="\ud800"))
    assert 1 == await kept(journal, purchase(2))
    await journal.close()


def test_a_file_that_is_no_database_is_refused_in_one_line(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all" * 100)

    for use in (open_store, open_to_read):
        with pytest.raises(StoreError, match="not a database") as refused:
            use(path)
        assert "\n" not in str(refused.value)


def test_a_store_of_another_version_is_refused(path: Path) -> None:
    with closing(open_store(path)) as connection:
        connection.execute("PRAGMA user_version=99")

    for use in (open_store, open_to_read):
        with pytest.raises(StoreError, match="schema version 99"):
            use(path)


def test_a_store_that_is_not_there_cannot_be_read(path: Path) -> None:
    with pytest.raises(StoreError, match="no such file"):
        open_to_read(path)


def test_a_store_in_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError):
        SqliteJournal(tmp_path / "file" / "store.db")


@pytest.mark.parametrize("name", ["a b.db", "100%.db", "what?.db", "number#1.db", "数据.db"])
async def test_a_store_may_have_an_odd_name(tmp_path: Path, name: str) -> None:
    journal = SqliteJournal(tmp_path / name)
    await kept(journal, purchase(1))
    await journal.close()

    with closing(open_to_read(tmp_path / name)) as reader:
        assert 1 == reader.execute("SELECT count(*) FROM entry").fetchone()[0]


def test_the_lock_is_for_its_owner_only(path: Path) -> None:
    os.close(own_store(path))

    assert 0o600 == stat.S_IMODE(os.stat(f"{path}.lock").st_mode)


async def test_each_store_has_its_own_id_for_ever(tmp_path: Path) -> None:
    ids = []
    for name in ("a.db", "b.db", "a.db"):
        journal = SqliteJournal(tmp_path / name)
        ids.append(journal.store_id)
        await journal.close()

    assert ids[0] == ids[2] != ids[1]


def test_a_store_of_the_version_before_is_taken_over_with_all_it_holds(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript((Path(__file__).parent / "schema_1.sql").read_text("utf-8"))
        connection.execute("INSERT INTO identity VALUES ('store_id', 'as before')")
        connection.execute("INSERT INTO terminal VALUES (1, 'M1', 'T1', 'unionpay', 'active', 5, 1)")
        values = (1, "purchase", 1, 0, 5, "approved", *[""] * 14)
        connection.execute(f"INSERT INTO entry VALUES ({', '.join('?' * len(values))})", values)
        connection.execute("PRAGMA user_version=1")

    with closing(open_store(path)) as connection:
        assert [("purchase", "")] == connection.execute("SELECT kind, product FROM entry").fetchall()
        fresh = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert set(TABLES.values()) <= fresh
        assert [("as before",)] == connection.execute("SELECT value FROM identity").fetchall()
        assert [("T1",)] == connection.execute("SELECT terminal_id FROM terminal").fetchall()
        assert (SCHEMA_VERSION,) == connection.execute("PRAGMA user_version").fetchone()
