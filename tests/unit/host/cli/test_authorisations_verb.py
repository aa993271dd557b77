"""`pos-host authorisations`, and what `verify` says of a spoiled one."""

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
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import assert_no_card
from tests.unit.host.pipeline.terminals import HypercomTerminal, UnionPayTerminal

from pos_host.cli import run_command
from pos_host.storage.sqlite import SqliteJournal

FAR_AHEAD_MS = 4_000_000_000_000
"""2096: authorisations made then are open by the clock of any machine that runs this."""


async def live(path: Path) -> None:
    """Completed, raised, void of a completion, reversed; each under a code of its own."""
    host = HostInProcess(SqliteJournal(path), at_ms=FAR_AHEAD_MS)
    unionpay, hypercom = UnionPayTerminal(host), HypercomTerminal(host)
    first = await unionpay.auth(50_00)
    await unionpay.auth(25_00, f25="60", f38=first.answer.fields[38])
    await unionpay.complete(await unionpay.auth(60_00), 61_00)
    done = await unionpay.complete(await unionpay.auth(70_00), 70_00)
    await unionpay.completion_void(done)
    await hypercom.reverse((await hypercom.auth(80_00)).request)
    await hypercom.auth_void(await hypercom.auth(90_00))
    await host.durable()
    await host.journal.close()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("authorisations") / "store.db"
    with capture_logs():
        asyncio.run(live(path))
    return path


def listed(store: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    assert 0 == run_command(["authorisations", "--store", f"sqlite:///{store}", "--json", *options])
    out, err = capsys.readouterr()
    assert "" == err
    assert_no_card(out)
    return [json.loads(line) for line in out.splitlines()]


def test_authorisations_are_listed_with_what_became_of_them(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = listed(sound, capsys)

    assert [
        ("T0000001", "open", 75_00, None),
        ("T0000001", "completed", 60_00, 61_00),
        ("T0000001", "open", 70_00, None),
        ("H0000001", "reversed", 0, None),
        ("H0000001", "voided", 90_00, None),
    ] == [(row["terminal_id"], row["state"], row["amount_minor"], row["completed_minor"]) for row in rows]


def test_authorisations_can_be_picked(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == len(listed(sound, capsys, "--state", "open"))
    assert [] == listed(sound, capsys, "--state", "expired")
    assert [] == listed(sound, capsys, "--merchant-id", "nobody")


def test_a_state_that_is_none_is_bad_usage(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run_command(["authorisations", "--store", f"sqlite:///{sound}", "--state", "asleep"])

    assert "--state asleep: must be one of open, completed" in capsys.readouterr().err


def test_for_people_there_is_a_table_of_them(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run_command(["authorisations", "--store", f"sqlite:///{sound}"])

    out = capsys.readouterr().out
    assert [] == [text for text in ("5 authorisations", "voided", "75.00", "622848******2134") if text not in out]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE authorisation SET state = 'open' WHERE state = 'completed'",
        "UPDATE authorisation SET amount_minor = amount_minor + 1 WHERE state = 'open'",
        "UPDATE authorisation SET expires_at_ms = expires_at_ms + 1 WHERE state = 'voided'",
        "DELETE FROM authorisation WHERE state = 'reversed'",
        "INSERT INTO authorisation SELECT authorisation_no + 500, terminal_no, state, batch_id, named, approval_code,"
        " rrn, card, card_print, currency, amount_minor, completed_minor, authorised_at_ms, expires_at_ms"
        " FROM authorisation WHERE state = 'voided'",
    ],
)
def test_verify_works_every_authorisation_out_again(
    sound: Path, tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run_command(["verify", "--store", f"sqlite:///{sound}"])
    spoiled = Path(shutil.copy(sound, tmp_path / "store.db"))
    with closing(sqlite3.connect(spoiled, isolation_level=None)) as connection:
        assert connection.execute(damage).rowcount != 0
    capsys.readouterr()

    assert 1 == run_command(["verify", "--store", f"sqlite:///{spoiled}", "--json"])

    details = json.loads(capsys.readouterr().out)["details"]
    assert {"authorisation"} == {detail["what"] for detail in details}
