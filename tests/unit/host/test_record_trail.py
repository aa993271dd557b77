"""The trail of records: whatever is done to a merchant's record behind the host's back, verify sees it."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.contracts.journals import purchase
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import verified
from tests.unit.host.pipeline.terminals import HypercomTerminal, UnionPayTerminal

from pos_host.cli import run_command
from pos_host.journal import Posting, Question
from pos_host.ledger.merchant_rows import RecordChangeRow, RecordRow
from pos_host.ledger.record_trail import FOUND, NO_CHANGE, compared, trail_of
from pos_host.ledger.records import record
from pos_host.merchants.actors import ADMIN
from pos_host.merchants.versions import Scope
from pos_host.storage.memory import MemoryJournal
from pos_host.storage.sqlite import SqliteJournal, load_snapshot
from pos_host.storage.sqlite_file import SCHEMA_VERSION, open_to_read

SCHEMA_OF_BEFORE = Path(__file__).parent / "storage" / "schema_4.sql"

USER = "kind = 'user' AND record_id = 'zhang'"


async def live(path: Path) -> None:
    """Records written over the desk, and by a batch that closed in its terminal's turn."""
    host = HostInProcess(SqliteJournal(path))
    terminal = UnionPayTerminal(host)
    await terminal.sign_in()
    await terminal.purchase(10_00)
    await HypercomTerminal(host, "H0000001").purchase(20_00)
    scope = Scope(terminal.ids[42])
    await host.parts.directory.change(ADMIN, scope.merchant_id, {"name": "Noodles"}, "new sign")
    await host.parts.directory.change(ADMIN, scope.merchant_id, {"name": "Rice"}, "newer sign")
    await host.parts.users.create(ADMIN, "zhang", "viewer")
    await host.office.settle(terminal.ids[41], None, ADMIN)
    await host.durable()
    await host.journal.close()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("records") / "store.db"
    with capture_logs():
        asyncio.run(live(path))
    return path


@pytest.fixture
def store(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sound, tmp_path / "store.db"))


@pytest.fixture
def store_of_before(sound: Path, tmp_path: Path) -> Path:
    """The same store as version 4 would have kept it."""
    path = tmp_path / "before.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(SCHEMA_OF_BEFORE.read_text("utf-8"))
        connection.execute("ATTACH ? AS later", (str(sound),))
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            connection.execute(f"INSERT INTO {table} SELECT * FROM later.{table}")
        connection.execute("PRAGMA user_version=4")
    return path


def alter(store: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        assert 0 < connection.execute(statement, values).rowcount, "the damage hit nothing"


def verify(store: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """Exit code and report."""
    code = run_command(["verify", "--store", f"sqlite:///{store}", "--json"])
    return code, json.loads(capsys.readouterr().out)


def differences(store: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What is told of records; the exit code says that there is something."""
    code, report = verify(store, capsys)
    assert 1 == code
    return [detail for detail in report["details"] if detail["what"] == "record"]


def take_over(store: Path) -> None:
    """Open and close it as a host does."""
    asyncio.run(SqliteJournal(store).close())


def test_a_store_that_nobody_altered_agrees(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = verify(store, capsys)

    assert (0, []) == (code, report["details"])
    assert "not_covered" not in report


@pytest.mark.parametrize("column", [name for name in RecordRow._fields if name not in ("kind", "record_id")])
def test_an_altered_record_is_named_without_its_content(
    store: Path, capsys: pytest.CaptureFixture[str], column: str
) -> None:
    alter(store, f"UPDATE record SET {column} = ? WHERE {USER}", 7 if column.endswith("_ms") else '{"secret": 1}')

    told = differences(store, capsys)

    assert [{"what": "record", "text": "is not what was written last", "kind": "user", "id": "zhang"}] == told


def test_every_single_record_is_guarded(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(store)) as connection:
        records = connection.execute("SELECT kind, record_id FROM record").fetchall()
    alter(store, "UPDATE record SET changed_at_ms = changed_at_ms + 1")

    assert sorted(records) == sorted((told["kind"], told["id"]) for told in differences(store, capsys))
    assert {"charged_schedule", "merchant", "user"} == {kind for kind, _ in records}


def test_bytes_in_place_of_a_body_are_a_difference_too(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alter(store, f"UPDATE record SET body = x'ff00' WHERE {USER}")

    assert ["zhang"] == [told["id"] for told in differences(store, capsys)]


def test_a_removed_record_is_missed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alter(store, f"DELETE FROM record WHERE {USER}")

    assert [("is missing", "zhang")] == [(told["text"], told["id"]) for told in differences(store, capsys)]


def test_an_inserted_record_is_named_and_a_long_number_in_its_id_is_not(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alter(store, "INSERT INTO record VALUES ('user', '6222020000000000005', '', 'active', 0, 0, '{}')")

    assert [("was never written", "*" * 19)] == [(told["text"], told["id"]) for told in differences(store, capsys)]


def test_an_older_version_put_back_is_seen(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was right once is not what was written last."""
    alter(store, "UPDATE record SET body = replace(body, 'Rice', 'Noodles') WHERE kind = 'merchant'")

    assert ["is not what was written last"] == [told["text"] for told in differences(store, capsys)]


def test_the_trail_cannot_be_altered_in_its_middle(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alter(store, "UPDATE record_change SET version = 'something else' WHERE change_no = 1")
    alter(store, "DELETE FROM record_change WHERE change_no = 3")

    told = [(one["kind"], one["change_no"]) for one in differences(store, capsys) if "change_no" in one]

    assert [("record_change_altered", 1), ("record_change_missing", 3)] == told


def test_a_trail_taken_away_leaves_records_that_nobody_wrote(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alter(store, "DELETE FROM record_change")

    assert {"was never written"} == {told["text"] for told in differences(store, capsys)}


def test_a_store_of_before_verifies_and_says_what_nothing_vouches_for(
    store_of_before: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = verify(store_of_before, capsys)
    with closing(sqlite3.connect(store_of_before)) as connection:
        records = connection.execute("SELECT count(*) FROM record").fetchone()[0]

    assert (0, []) == (code, report["details"])
    assert {"records": records} == report["not_covered"]
    assert 0 == run_command(["verify", "--store", f"sqlite:///{store_of_before}"])
    assert f"; not covered {records} records\n" in capsys.readouterr().out


def test_a_store_of_before_is_covered_from_the_day_it_is_opened(
    store_of_before: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take_over(store_of_before)
    with closing(sqlite3.connect(store_of_before)) as connection:
        assert (SCHEMA_VERSION,) == connection.execute("PRAGMA user_version").fetchone()
    code, report = verify(store_of_before, capsys)
    assert (0, []) == (code, report["details"])
    assert 3 == report["not_covered"]["records"]

    alter(store_of_before, f"UPDATE record SET state = 'active' || state WHERE {USER}")

    assert [("user", "zhang")] == [(told["kind"], told["id"]) for told in differences(store_of_before, capsys)]


def test_what_is_written_after_that_is_covered(store_of_before: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def write() -> None:
        host = HostInProcess(SqliteJournal(store_of_before))
        await host.parts.users.revoke(ADMIN, "zhang")
        await host.durable()
        await host.journal.close()

    take_over(store_of_before)
    before = verify(store_of_before, capsys)[1]["not_covered"]["records"]
    with capture_logs():
        asyncio.run(write())

    code, report = verify(store_of_before, capsys)
    assert (0, []) == (code, report["details"])
    assert before > report["not_covered"]["records"]


async def test_the_trail_goes_on_over_a_restart(tmp_path: Path) -> None:
    for number in (1, 2):
        journal = SqliteJournal(tmp_path / "store.db")
        await _post(journal, record("user", f"u{number}", "", "active", 0, {}))
        await journal.close()

    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        changes = [RecordChangeRow(*row) for row in connection.execute("SELECT * FROM record_change")]
        records = [RecordRow(*row) for row in connection.execute("SELECT * FROM record")]
    assert [1, 2] == [change.change_no for change in changes]
    assert ([], [], 0) == compared(records, changes)


async def test_a_commit_that_fails_leaves_no_hole_in_the_trail(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "store.db")
    await _post(journal, record("user", "kept", "", "active", 0, {}))
    with capture_logs():
        await _post(journal, record("user", "not \ud800 kept", "", "active", 0, {}))
    await _post(journal, record("user", "kept", "", "gone", 0, {}))

    changes = await journal.select(Question(RecordChangeRow, {}))
    await journal.close()

    assert [(1, "kept"), (2, "kept")] == [(change.change_no, change.record_id) for change in changes]


async def test_a_host_in_memory_has_the_same_trail() -> None:
    host = HostInProcess()
    await UnionPayTerminal(host).sign_in()
    await host.parts.users.create(ADMIN, "zhang", "viewer")
    await host.durable()
    assert [] == verified(host)["details"]

    users = host.memory.table(RecordRow)
    users["user", "zhang"] = users["user", "zhang"]._replace(state="gone")

    assert [("record", "user", "zhang")] == [(one["what"], one["kind"], one["id"]) for one in verified(host)["details"]]


async def test_records_written_twice_in_one_commit_have_both_versions_in_the_trail() -> None:
    journal = MemoryJournal()
    await _post(journal, record("user", "u", "", "active", 0, {}), record("user", "u", "", "gone", 0, {}))

    changes = journal.all_rows(RecordChangeRow)

    assert 2 == len(changes)
    assert ([], [], 0) == compared(journal.all_rows(RecordRow), changes)


def test_a_record_that_was_only_found_counts_as_not_covered_until_it_is_written() -> None:
    rows = [record("user", name, "", "active", 0, {}) for name in ("a", "b")]
    found = trail_of(NO_CHANGE, rows, FOUND)

    assert ([], [], 2) == compared(rows, found)
    assert ([], [], 1) == compared(rows, [*found, *trail_of(found[-1], rows[:1])])


async def _post(journal: MemoryJournal | SqliteJournal, *rows: RecordRow) -> None:
    done: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
    journal.post(Posting((purchase(1),), rows, done.set_result))
    await done


def test_counted_records_of_before_stand_in_the_order_of_their_numbers(store_of_before: Path) -> None:
    insert = "INSERT INTO record VALUES ('paper', ?, 'M1', 'written', 0, 5, '{}')"
    for number in range(12, 0, -1):
        alter(store_of_before, insert, str(number))
    counted = [str(number) for number in range(1, 13)]

    with closing(open_to_read(store_of_before)) as connection:
        assert counted == [row.record_id for row in load_snapshot(connection).records if row.kind == "paper"]
    take_over(store_of_before)
    with closing(open_to_read(store_of_before)) as connection:
        assert counted == [row.record_id for row in load_snapshot(connection).records if row.kind == "paper"]
