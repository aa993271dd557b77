"""terminals, batches, transactions, unsettled: tables for people, one JSON document a line for programs."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.unit.host.cli.stores import make_store
from tests.unit.host.pipeline.proofs import assert_no_card

from pos_host.cli import run_command


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "store.db"
    make_store(path)
    return path


@pytest.fixture
def listed(store: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a verb with --json and gives its documents."""

    def run(*arguments: str) -> list[dict[str, Any]]:
        assert 0 == run_command([*arguments, "--store", f"sqlite:///{store}", "--json"])
        out, err = capsys.readouterr()
        assert "" == err
        assert_no_card(out)
        return [json.loads(line) for line in out.splitlines()]

    return run


def test_terminals_are_listed_with_their_batch_and_flag(listed: Any) -> None:
    terminals = {terminal["terminal_id"]: terminal for terminal in listed("terminals")}

    assert ["T0000001", "H0000001", "I0000001", "T0000002"] == list(terminals)
    assert {
        "number": "000004",
        "state": "open",
        "debit": {"count": 2, "amount_minor": 81_00},
        "credit": {"count": 2, "amount_minor": 45_00},
        "currency": "156",
    }.items() <= terminals["T0000001"]["batch"].items()
    assert ("000002", "uploading") == tuple(terminals["H0000001"]["batch"][key] for key in ("number", "state"))
    assert "overdue" == terminals["T0000002"]["unsettled"]["severity"]
    assert None is terminals["I0000001"]["unsettled"]


def test_unsettled_are_the_flagged_ones_worst_first(listed: Any) -> None:
    flagged = listed("unsettled")

    assert {"T0000001", "T0000002", "H0000001"} == {terminal["terminal_id"] for terminal in flagged}
    ranks = [("forgotten", "overdue", "due").index(terminal["unsettled"]["severity"]) for terminal in flagged]
    assert sorted(ranks) == ranks


def test_batches_are_listed_with_both_sides(listed: Any) -> None:
    batches = listed("batches", "--terminal-id", "T0000001")

    assert [
        ("000001", "settled", "balanced", 0),
        ("000002", "settled", "balanced_after_upload", 0),
        ("000003", "settled", "out_of_balance", 2),
        ("000004", "open", None, 0),
    ] == [(batch["number"], batch["state"], batch["result"], batch["discrepancies"]) for batch in batches]
    assert {"count": 2, "amount_minor": 40_00} == batches[1]["terminal_debit"]
    assert {"count": 1, "amount_minor": 20_00} == batches[1]["debit"]
    assert None is batches[3]["terminal_totals"]


def test_batches_of_a_merchant_nobody_knows_are_none(listed: Any) -> None:
    assert [] == listed("batches", "--merchant-id", "nobody")
    assert 11 == len(listed("batches", "--merchant-id", "898310000000001"))


def test_transactions_are_the_latest_oldest_first(listed: Any) -> None:
    everything = listed("transactions", "--limit", "1000")

    sequences = [entry["sequence"] for entry in everything]
    assert list(range(1, len(sequences) + 1)) == sequences
    assert everything[-3:] == listed("transactions", "--limit", "3")


def test_transactions_can_be_chosen_by_terminal_merchant_and_batch(listed: Any) -> None:
    mine = listed("transactions", "--terminal-id", "I0000001", "--merchant-id", "898310000000001")
    assert {"I0000001"} == {entry["terminal_id"] for entry in mine}

    batch = mine[-1]["batch_id"]
    chosen = listed("transactions", "--batch", str(batch))
    assert {batch} == {entry["batch_id"] for entry in chosen}


def test_a_transaction_shows_what_was_decided(listed: Any) -> None:
    (sale, *_) = [entry for entry in listed("transactions") if entry["function"] == "purchase"]

    assert {
        "at": "2026-03-02T12:00:00.000Z",
        "terminal_id": "T0000001",
        "merchant_id": "898310000000001",
        "mti": "0200",
        "outcome": "approved",
        "amount_minor": 10_00,
        "currency": "156",
        "card": "622848******2134",
        "rrn": "000001000002",
        "approval_code": "000002",
        "reason": None,
    }.items() <= sale.items()


@pytest.mark.parametrize(
    ("verb", "shows"),
    [
        ("terminals", ["4 terminals", "H0000001", "uploading", "2 for 81.00"]),
        ("unsettled", ["unsettled terminals", "overdue", "past_cutoff"]),
        ("batches", ["11 batches", "balanced_after_upload", "out_of_balance"]),
        ("transactions", ["entries", "purchase_void", "622848******2134"]),
    ],
)
def test_for_people_there_is_a_table(
    store: Path, verb: str, shows: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run_command([verb, "--store", f"sqlite:///{store}"])

    out, err = capsys.readouterr()
    assert "" == err
    assert_no_card(out)
    assert [] == [text for text in shows if text not in out]


@pytest.mark.parametrize("verb", ["terminals", "batches", "unsettled", "verify"])
def test_a_store_in_a_dialect_nobody_knows_is_bad_input(
    store: Path, tmp_path: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copy(store, tmp_path / "copy.db"))
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("UPDATE terminal SET dialect = 'mybank'")

    assert 2 == run_command([verb, "--store", f"sqlite:///{copy}"])

    assert f"pos-host: store {copy}: mybank: no such dialect" in capsys.readouterr().err


def test_the_store_may_be_named_by_the_environment(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POS_HOST_STORE", f"sqlite:///{store}")

    assert 0 == run_command(["terminals", "--json"])
    assert 4 == len(capsys.readouterr().out.splitlines())
