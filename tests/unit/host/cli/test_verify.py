"""`pos-host verify` finds what does not agree, wherever it was changed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.host.cli.stores import make_store

from pos_host.cli import run_command


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with which nothing is wrong."""
    path = tmp_path_factory.mktemp("sound") / "store.db"
    make_store(path)
    return path


@pytest.fixture
def store(sound: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copy(sound, tmp_path / "store.db"))


def change(store: Path, *statements: str) -> None:
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, "the damage hit nothing"


def verify(store: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, object]]:
    code = run_command(["verify", "--store", f"sqlite:///{store}", "--json"])
    out, err = capsys.readouterr()
    assert "" == err
    (line,) = out.splitlines()
    return code, json.loads(line)


def test_a_sound_store_has_no_differences(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = verify(sound, capsys)

    assert (0, 0, []) == (code, report["differences"], report["details"])
    assert {"transactions": 15, "batches": 11, "payouts": 6} == report["checked"]


def test_for_people_it_says_so_in_a_line(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run_command(["verify", "--store", f"sqlite:///{sound}"])
    assert "0 differences; checked 15 transactions, 11 batches, 6 payouts\n" == capsys.readouterr().out


BATCH = "(SELECT min(batch_id) FROM batch WHERE result = '{}')"
BALANCED, UPLOADED, UNBALANCED = (
    BATCH.format(result) for result in ("balanced", "balanced_after_upload", "out_of_balance")
)
ISO87 = "(SELECT batch_id FROM batch WHERE dialect = 'iso87-ascii' AND result = 'out_of_balance')"

IN_UNBALANCED = f"FROM entry WHERE kind = 'purchase' AND batch_id = {UNBALANCED}"
INVENTED = '[{"stan": "000001", "kind": "amount_differs"}]'

DAMAGE = {
    "an amount in a closed batch": (
        f"UPDATE entry SET amount_minor = amount_minor + 1 WHERE kind = 'purchase' AND batch_id = {BALANCED}",
        "totals",
    ),
    "an outcome in a closed batch": (
        f"UPDATE entry SET outcome = 'invalid_card' WHERE kind = 'purchase' AND batch_id = {BALANCED}",
        "totals",
    ),
    "an entry taken out": (
        f"DELETE FROM entry WHERE kind = 'purchase' AND batch_id = {BALANCED}",
        "is missing",
    ),
    "a sale posted twice": (
        f"UPDATE entry SET key = (SELECT min(key) {IN_UNBALANCED})"
        f" WHERE sequence = (SELECT max(sequence) {IN_UNBALANCED})",
        "posted twice",
    ),
    "money after the close": (
        f"UPDATE entry SET batch_id = {BALANCED}, key = '2777777' WHERE kind = 'purchase' AND batch_id = {UPLOADED}",
        "money posted after it closed",
    ),
    "the host's totals": (
        f"UPDATE batch SET host_totals = replace(host_totals, '1000', '1001') WHERE batch_id = {BALANCED}",
        "totals",
    ),
    "the terminal's totals": (
        f"UPDATE batch SET terminal_totals = replace(terminal_totals, '1000', '1001') WHERE batch_id = {BALANCED}",
        "the terminal's totals",
    ),
    "the result": (f"UPDATE batch SET result = 'out_of_balance' WHERE batch_id = {BALANCED}", "result out_of_balance"),
    "the number": (f"UPDATE batch SET number = '000099' WHERE batch_id = {BALANCED}", "number 000099"),
    "the currency": (f"UPDATE batch SET currency = '840' WHERE batch_id = {BALANCED}", "currency 840"),
    "a closed batch opened": (f"UPDATE batch SET state = 'open' WHERE batch_id = {BALANCED}", "state open"),
    "an open batch closed": (
        "UPDATE batch SET state = 'settled' WHERE state = 'open' AND dialect = 'unionpay'",
        "state settled, its entries say open",
    ),
    "an upload forgotten": ("UPDATE batch SET state = 'open' WHERE state = 'uploading'", "its entries say uploading"),
    "a batch taken out": (f"DELETE FROM batch WHERE batch_id = {BALANCED}", "entry of a batch that is not there"),
    "a batch invented": (
        "INSERT INTO batch SELECT batch_id + 77, terminal_no, number, state, result, dialect, currency, opened_at_ms,"
        " closed_at_ms, after_sequence, rrn_base, host_totals, terminal_totals, discrepancies, settlement"
        " FROM batch WHERE state = 'uploading'",
        "was never opened",
    ),
    "a difference hushed up": (
        f"UPDATE batch SET discrepancies = '[]' WHERE batch_id = {UNBALANCED}",
        "differences not reported",
    ),
    "a difference invented": (
        f"UPDATE batch SET discrepancies = '{INVENTED}' WHERE batch_id = {UPLOADED}",
        "reported and not there",
    ),
    "an uploaded record": (
        f"UPDATE entry SET detail = replace(detail, '2000', '2001')"
        f" WHERE kind = 'batch_upload' AND batch_id = {UPLOADED}",
        "balanced after upload, but terminal and host differ",
    ),
    "a result that is too good": (
        f"UPDATE entry SET detail = replace(detail, '1200', '1100') WHERE kind = 'batch_closed' AND batch_id = {ISO87}",
        "the terminal's totals",
    ),
    "a void of nothing": (
        "UPDATE entry SET original = '2999999' WHERE kind = 'purchase_void'",
        "void of 2999999",
    ),
    "a reversal of nothing": (
        "UPDATE entry SET original = '2999999' WHERE kind = 'reversal'",
        "reversal of 2999999",
    ),
    "a terminal taken out": ("DELETE FROM terminal WHERE terminal_no = 1", "entry of a terminal that is not there"),
    "a flag taken away": ("DELETE FROM flag WHERE severity <> ''", "is not what its last entry says"),
    "a flag made milder": ("UPDATE flag SET severity = 'due' WHERE severity <> ''", "is not what its last entry says"),
    "a flag's reasons": ("UPDATE flag SET reasons = '[]' WHERE severity <> ''", "is not what its last entry says"),
    "an entry nobody can read": (
        "UPDATE entry SET detail = '{' WHERE kind = 'batch_closed'",
        "entry cannot be read: JSONDecodeError",
    ),
    "a row nobody can read": (
        f"UPDATE batch SET host_totals = 'x' WHERE batch_id = {BALANCED}",
        "row cannot be read: JSONDecodeError",
    ),
    "closed twice": (
        f"UPDATE entry SET kind = 'batch_closed', batch_id = {BALANCED}, detail = '{{\"result\": \"balanced\"}}'"
        f" WHERE kind = 'settlement' AND batch_id = {UPLOADED}",
        "closed twice",
    ),
    "opened twice": (
        "UPDATE entry SET kind = 'batch_opened' WHERE kind = 'sign_in'",
        "opened twice",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found(name: str, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    statement, told = DAMAGE[name]
    change(store, statement)

    code, report = verify(store, capsys)

    details = report["details"]
    assert isinstance(details, list)
    assert 1 == code
    assert len(details) == report["differences"] > 0
    assert [detail for detail in details if told in detail["text"]], details


def test_for_people_each_difference_is_a_line(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(store, DAMAGE["the host's totals"][0])

    assert 1 == run_command(["verify", "--store", f"sqlite:///{store}"])

    detail, summary = capsys.readouterr().out.splitlines()
    assert {"what": "batch", "text": "totals"}.items() <= json.loads(detail).items()
    assert summary.startswith("1 differences; checked ")


def test_a_file_with_torn_pages_is_bad_input(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray(store.read_bytes())
    for page in range(2, len(data) // 4096):
        data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    store.write_bytes(data)

    assert 2 == run_command(["verify", "--store", f"sqlite:///{store}", "--json"])

    out, err = capsys.readouterr()
    assert "" == out
    assert err.startswith("pos-host: store ")
    assert 1 == len(err.splitlines())
