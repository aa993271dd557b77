"""migrate: a store of an older pos-host is brought to this one's schema, once, and a wrong file is left alone."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.host.cli.stores import make_store

from pos_host.cli import run_command
from pos_host.storage.sqlite_file import SCHEMA_VERSION, own_store

OLDEST = Path(__file__).parents[1] / "storage" / "schema_1.sql"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A store of the first version with one terminal in it."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(OLDEST.read_text("utf-8"))
        connection.execute("INSERT INTO identity VALUES ('store_id', 'as before')")
        connection.execute("INSERT INTO terminal VALUES (1, 'M1', 'T1', 'unionpay', 'active', 5, 1)")
        connection.execute("PRAGMA user_version=1")
    return path


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_an_old_store_is_read_after_it_was_brought_up(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run_command(["terminals", "--store", f"sqlite:///{old}"])
    assert f"schema version 1, this program has {SCHEMA_VERSION}; use pos-host migrate" in capsys.readouterr().err

    assert 0 == run_command(["migrate", "--store", f"sqlite:///{old}"])
    assert f"{old}: schema 1 is now {SCHEMA_VERSION}\n" == capsys.readouterr().out

    assert 0 == run_command(["terminals", "--store", f"sqlite:///{old}", "--json"])
    assert "T1" == json.loads(capsys.readouterr().out)["terminal_id"]
    assert 0 == run_command(["migrate", "--store", f"sqlite:///{old}", "--json"])
    assert {"store": str(old), "from": SCHEMA_VERSION, "to": SCHEMA_VERSION} == json.loads(capsys.readouterr().out)


def test_a_store_in_use_is_left_to_its_host(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    owned = own_store(old)
    try:
        assert 2 == run_command(["migrate", "--store", f"sqlite:///{old}"])
    finally:
        os.close(owned)

    assert "another host is using it" in capsys.readouterr().err
    assert 1 == version_of(old)


def test_a_newer_store_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new.db"
    make_store(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")

    assert 2 == run_command(["migrate", "--store", f"sqlite:///{path}"])

    assert f"schema version {SCHEMA_VERSION + 1}, this program has {SCHEMA_VERSION}" in capsys.readouterr().err
    assert SCHEMA_VERSION + 1 == version_of(path)


def test_what_is_no_store_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, foreign, missing = tmp_path / "a.txt", tmp_path / "foreign.db", tmp_path / "none.db"
    text.write_text("nothing that SQLite reads, and long enough to be looked at as a header of one hundred bytes" * 2)
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE recipe (name TEXT)")
    before = text.read_bytes(), foreign.read_bytes()

    told = []
    for path in (text, foreign, missing):
        assert 2 == run_command(["migrate", "--store", f"sqlite:///{path}"])
        told.append(capsys.readouterr().err)

    assert "file is not a database" in told[0]
    assert "is no store of pos-host" in told[1]
    assert "no such file" in told[2]
    assert before == (text.read_bytes(), foreign.read_bytes())
    assert not missing.exists()


def test_a_store_in_memory_cannot_be_brought_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run_command(["migrate", "--store", "memory:"])

    assert "--store memory:" in capsys.readouterr().err
