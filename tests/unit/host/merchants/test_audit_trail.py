"""The audit trail: asked for by everything it says, and proof against whoever alters the store."""

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
from tests.unit.host.admin.small_office import api_of, open_office
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import UnionPayTerminal

from pos_host.cli import run_command
from pos_host.ledger.merchant_rows import AuditRow
from pos_host.merchants.actors import ADMIN, Actor
from pos_host.merchants.audit import NO_ROW, broken_links, linked
from pos_host.merchants.desk import Forbidden
from pos_host.merchants.versions import Scope
from pos_host.storage.sqlite import SqliteJournal

COLUMNS = AuditRow._fields[1:]
"""Every column but the number, by which rows are found."""


async def live(path: Path) -> None:
    """Five rows: what was done, and a refusal."""
    host = HostInProcess(SqliteJournal(path))
    terminal = UnionPayTerminal(host)
    await terminal.sign_in()
    await terminal.purchase(10_00)
    scope = Scope(terminal.ids[42])
    await host.parts.directory.change(ADMIN, scope.merchant_id, {"name": "Noodles"}, "new sign")
    await host.parts.terms.policies.put(ADMIN, scope, {"max_transactions": 9})
    with pytest.raises(Forbidden):
        await host.parts.users.create(Actor("eve", "operator"), "mallory", "admin")
    await host.office.settle(terminal.ids[41], None, Actor("li.wei", "operator"))
    await host.parts.users.create(ADMIN, "zhang", "viewer")
    await host.durable()
    await host.journal.close()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trail") / "store.db"
    with capture_logs():
        asyncio.run(live(path))
    return path


@pytest.fixture
def store(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sound, tmp_path / "store.db"))


def altered(store: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        assert connection.execute(statement, values).rowcount


def told_of_audit(store: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, int]]:
    """What verify says of the trail, and its exit code agrees."""
    code = run_command(["verify", "--store", f"sqlite:///{store}", "--json"])
    details = json.loads(capsys.readouterr().out)["details"]
    assert (1 if details else 0) == code
    return [(detail["kind"], detail["audit_no"]) for detail in details if detail["what"] == "audit"]


def test_a_sound_trail_has_nothing_to_tell(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [] == told_of_audit(store, capsys)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("audit_no", [1, 3, 5])
def test_an_altered_column_is_named_by_its_row(
    store: Path, capsys: pytest.CaptureFixture[str], column: str, audit_no: int
) -> None:
    value = 7 if column == "at_ms" else "something else"
    altered(store, f"UPDATE audit SET {column} = ? WHERE audit_no = ?", value, audit_no)

    assert ("audit_row_altered", audit_no) in told_of_audit(store, capsys)


@pytest.mark.parametrize("audit_no", [1, 3, 5])
def test_a_removed_row_is_missed(store: Path, capsys: pytest.CaptureFixture[str], audit_no: int) -> None:
    altered(store, "DELETE FROM audit WHERE audit_no = ?", audit_no)

    assert ("audit_row_missing", audit_no) in told_of_audit(store, capsys)


def test_rows_taken_off_the_end_are_each_missed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    altered(store, "DELETE FROM audit WHERE audit_no >= 3")

    assert [("audit_row_missing", no) for no in (3, 4, 5)] == told_of_audit(store, capsys)


def test_the_whole_trail_taken_away_is_missed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    altered(store, "DELETE FROM audit")

    assert 5 == len(told_of_audit(store, capsys))


def test_a_row_altered_with_all_digests_after_it_is_still_named_by_the_journal(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody who knows how the chain is made cannot forge it without the journal, which has no update."""
    with closing(sqlite3.connect(store)) as connection, connection:
        rows = [AuditRow(*row) for row in connection.execute("SELECT * FROM audit ORDER BY audit_no")]
        before = NO_ROW
        for row in rows:
            before = linked(before, row._replace(actor="nobody") if row.audit_no == 2 else row)
            connection.execute(
                "UPDATE audit SET actor = ?, digest = ? WHERE audit_no = ?", (before.actor, before.digest, row.audit_no)
            )

    assert [("audit_row_altered", no) for no in (2, 3, 4, 5)] == told_of_audit(store, capsys)


def test_two_rows_that_changed_places_show() -> None:
    first = linked(NO_ROW, NO_ROW._replace(action="a"))
    second = linked(first, NO_ROW._replace(action="b"))
    swapped = [second._replace(audit_no=1), first._replace(audit_no=2)]

    assert 2 == len(broken_links(swapped, {}))


async def test_the_trail_is_asked_by_whom_what_about_and_when() -> None:
    office = await open_office()
    parts = office.parts
    await parts.users.create(ADMIN, "li.wei", "operator", why="new here")
    await office.move_clock(Actor("li.wei", "operator"), "PT1H")
    with pytest.raises(Forbidden):
        await parts.users.revoke(Actor("li.wei", "operator"), "li.wei")

    async with api_of(office) as api:

        async def asked(**query: str | int) -> list[str]:
            answer = await api.get("/api/v1/audit", params=query)
            assert 200 == answer.status_code, answer.text
            return [row["action"] for row in answer.json()["items"] if row["actor"] != "host"]

        assert ["user.revoke", "clock.advance"] == await asked(actor="li.wei")
        assert ["user.create"] == await asked(actor="admin")
        assert ["user.revoke", "user.create"] == await asked(subject="user li.wei")
        assert ["user.revoke"] == await asked(result="refused")
        assert ["user.create"] == await asked(action="user.create")
        assert ["user.revoke"] == await asked(since="2026-03-02T21:00:00+08:00")
        assert ["clock.advance", "user.create"] == await asked(until="2026-03-02T20:59:59+08:00")
        assert [] == await asked(merchant="104110070110814")
        assert 422 == (await api.get("/api/v1/audit", params={"since": "2026-03-02T20:00:00"})).status_code


async def test_the_trail_comes_in_pages_the_latest_first() -> None:
    office = await open_office()
    for number in range(5):
        await office.parts.users.create(ADMIN, f"user-{number}", "viewer")

    seen: list[int] = []
    async with api_of(office) as api:
        cursor: str | None = "0"
        while cursor is not None:
            page = (await api.get("/api/v1/audit", params={"limit": 2, "cursor": cursor})).json()
            seen += [row["audit_no"] for row in page["items"]]
            cursor = page["next_cursor"]

    assert [5, 4, 3, 2, 1] == seen
