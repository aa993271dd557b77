"""The `pos-terminal` command, as its caller sees it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.patience import HANGING_S
from tests.unit.terminal.fake_api import TOKEN
from tests.unit.terminal.scripted_host import ScriptedHost, with_codes
from tests.unit.terminal.tcp_host import TcpHost, serving

from pos_terminal.cards import TEST_CARDS
from pos_terminal.cli import run


@pytest.fixture
def tcp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TcpHost]:
    monkeypatch.chdir(tmp_path)
    with serving(ScriptedHost("unionpay")) as served:
        yield served


def documents(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_purchase_prints_one_document(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["purchase", "--host", tcp.address, "--amount", "12.34", "--card", "visa", "--json"])

    out, err = capsys.readouterr()
    assert (0, "") == (code, err)
    [document] = documents(out)
    assert ("purchase", "00", True, "000001", "000001") == (
        document["function"],
        document["response_code"],
        document["approved"],
        document["stan"],
        document["batch_number"],
    )
    assert "000000001234" == document["request"]["fields"]["4"]
    assert TEST_CARDS["visa"].pan not in out


def test_a_morning_in_words(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--host", tcp.address]
    codes = [
        run(["sign-in", *common]),
        run(["echo", *common]),
        run(["purchase", *common, "--amount", "10", "--receipt"]),
        run(["purchase", *common, "--amount", "20", "--manual"]),
        run(["purchase-void", *common, "--stan", "2"]),
        run(["refund", *common, "--amount", "1", "--stan", "3"]),
        run(["reversal", *common]),
        run(["reversal", *common, "--stan", "4"]),
        run(["settle", *common]),
        run(["sign-off", *common]),
    ]

    out = capsys.readouterr().out
    assert [0] * 10 == codes
    assert "purchase 000002: 00 Approved, rrn" in out
    assert "CNY 10.00" in out
    assert "pos-terminal: nothing to reverse" in out
    assert "batch 000001 balanced: debit 2 30.00, credit 1 1.00" in out


def test_each_terminal_has_a_memory_file_of_its_own(tcp: TcpHost, tmp_path: Path) -> None:
    run(["purchase", "--host", tcp.address, "--amount", "1"])
    run(["purchase", "--host", tcp.address, "--amount", "1", "--terminal-id", "A/1"])
    run(["purchase", "--host", tcp.address, "--amount", "1", "--state", "my.json"])

    assert [
        "unionpay-898000000000001-A%2F1.json",
        "unionpay-898000000000001-T0000001.json",
    ] == sorted(path.name for path in (tmp_path / "var/terminals").glob("*.json"))
    assert (tmp_path / "my.json").exists()


def test_a_settlement_with_upload_prints_each_exchange_and_the_result(
    tcp: TcpHost, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["purchase", "--host", tcp.address, "--amount", "1", "--json"])
    tcp.host.will("settlement", {48: with_codes("0" * 62, "2", "1")})
    code = run(["settle", "--host", tcp.address, "--leave-out", "1", "--json"])

    told = documents(capsys.readouterr().out)[1:]
    assert 0 == code
    assert ["settlement", "batch_upload", "batch_upload_end"] == [document["function"] for document in told]
    assert "balanced_after_upload" == told[-1]["result"]


@pytest.mark.parametrize(("expect", "code"), [([], 0), (["--expect", "51"], 0), (["--expect", "00"], 1)])
def test_a_decline_fails_only_where_something_else_was_expected(tcp: TcpHost, expect: list[str], code: int) -> None:
    tcp.host.will("purchase", {39: "51"})

    assert code == run(["purchase", "--host", tcp.address, "--amount", "1", *expect])


def test_no_answer_fails_and_leaves_a_reversal(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    tcp.host.will("purchase", None)

    lost = run(["purchase", "--host", tcp.address, "--amount", "1", "--timeout", "0.1", "--json"])
    tcp.hear_all()
    found = run(["purchase", "--host", tcp.address, "--amount", "1", "--json", "--receipt"])

    out, err = capsys.readouterr()
    told = documents(out)
    assert (1, 0) == (lost, found)
    assert "pos-terminal: no answer to purchase\n" == err
    assert [("purchase", None), ("reversal", "00"), ("purchase", "00")] == [
        (document["function"], document["response_code"]) for document in told
    ]
    assert ["receipt" in document for document in told] == [False, False, True]


def test_a_refused_settlement_fails(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    tcp.host.will("settlement", {48: with_codes("0" * 62, "3", "3"), 39: "77"})

    assert 1 == run(["settle", "--host", tcp.address])
    assert "pos-terminal: the host refused the settlement\n" == capsys.readouterr().err


def test_an_unfinished_settlement_stops_sales(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    tcp.host.will("settlement", None)
    run(["settle", "--host", tcp.address, "--timeout", "0.1"])
    tcp.hear_all()
    capsys.readouterr()

    assert 1 == run(["purchase", "--host", tcp.address, "--amount", "1"])
    assert "pos-terminal: a settlement is not finished: settle first\n" == capsys.readouterr().err


def test_a_purchase_of_a_closed_batch_is_voided_and_refunded_by_its_particulars(tcp: TcpHost) -> None:
    particulars = ["--original-stan", "000044", "--original-rrn", "000000000777", "--original-batch", "000003"]
    common = ["--host", tcp.address, "--card", "visa", "--amount", "5"]

    assert 0 == run(["purchase-void", *common, *particulars])
    assert 0 == run(["refund", *common, *particulars, "--original-date", "0228"])
    assert ["000003000044", "0000030000440228"] == [request.fields[61] for request in tcp.host.requests]


BAD_USAGE = {
    "purchase": "Missing option '--amount'",
    "purchase --amount x": "--amount: 'x' is no amount in CNY",
    "refund --amount 1.234": "--amount: '1.234' is no amount in CNY",
    "auth --amount 0": "--amount: '0' must be above zero",
    "purchase --amount 1 --currency XXX": "--currency: 'XXX' is no currency of the table",
    "day --currency XXX": "--currency: 'XXX' is no currency of the table",
    "echo --dialect ./none.toml": "none.toml: no such file",
    "purchase --amount 1 --card gold": "no test card 'gold'",
    "purchase --amount 1 --card 123": "3 digits instead of 12 to 19",
    "purchase --amount 1 --currency ZZZ": "'ZZZ' is no currency of the table",
    "purchase --amount 1 --dialect nope": "no such dialect",
    "purchase --amount 1 --host 99": "'99' is no ADDR:PORT",
    "purchase --amount 1 --terminal-id 123456789": "one to 8 ASCII characters",
    "purchase --amount 1 --merchant-id é": "one to 15 ASCII characters",
    "purchase --amount 1 --timeout 0": "--timeout 0.0",
    "purchase --amount 1 --frob": "No such option",
    "frob": "No such command 'frob'",
    "purchase-void": "give --stan",
    "purchase-void --stan 7": "no transaction 000007",
    "purchase-void --stan x": "up to six digits",
    "refund --amount 1": "names its purchase",
    "sign-off --dialect hypercom": "hypercom has no sign_off",
    "settle --totals-digits 17": "62 or 31 digits",
    "settle --leave-out 9": "no transaction 000009",
    "refund-void": "dialect unionpay has no refund_void",
    "cash-advance --amount 1": "dialect unionpay has no cash_advance",
    "adjust --dialect iso87-ascii --tip 1": "there is no sale to adjust",
    "adjust": "give either --amount",
    "adjust --tip 1 --amount 2": "give either --amount",
    "completion": "no open pre-authorisation in the terminal's memory",
    "completion --approval-code 123456": "named with --card and --amount too",
    "completion-void": "nothing to take back by a completion void",
    "auth-void --stan 7": "no transaction 000007",
    "auth --amount 1 --stan 7": "its card and approval code are needed",
    "parameters --dialect iso87-ascii": "dialect iso87-ascii has no parameters",
    "offline-purchase --amount 1 --approval-code 1234567": "one to six letters and digits",
    "purchase --amount 1 --pin 12": "a PIN has 4 to 12 digits",
    "purchase --amount 1 --entry wave": "--entry 'wave': one of swipe, chip, manual",
    "purchase --amount 1 --entry chip --manual": "--manual goes with manual alone",
    "sign-in --tmk 12345": "--tmk: must be 16 or 32 or 48 hex digits, not 5 characters",
    "sign-in --mac-key 00112233445566QQ": "--mac-key: must be 16 or 32 or 48 hex digits",
    "sign-in --scheme 009": "--scheme '009': one of 001, 003, 004, 005, 006",
    "purchase --amount 1 --bdk 0123456789ABCDEFFEDCBA9876543210": "--bdk: needs --ksn",
    "purchase --amount 1 --ksn 12": "--ksn: must be 16 or 18 or 20 or 24 hex digits",
    "day --tmk 1": "--tmk: must be",
    "day --terminals 0": "--terminals 0",
    "day --terminals 2 --disagree 2 --forget-settlement 1": "only 2 terminals",
    "day --transactions 0": "--transactions must be 1 or more",
    "day --lose-replies 90": "from 0 to 80 per cent",
    "day --terminal-prefix TOOLONG8": "one to seven ASCII characters",
    "day --admin http://127.0.0.1:1": "--admin and --token go together",
    "day --ready-file none.json": "No such file",
    "load --seconds 0": "must be more than 0",
    "fleet --pace 0": "--pace more than 0",
    "fleet --host 127.0.0.1:1 --dialect unionpay --dialect hypercom": "one listener",
}


@pytest.mark.parametrize("arguments", BAD_USAGE)
def test_bad_usage_is_one_line_on_standard_error(
    arguments: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    code = run(arguments.split())

    out, err = capsys.readouterr()
    assert (2, "") == (code, out)
    assert err.startswith("pos-terminal: ")
    assert BAD_USAGE[arguments] in err
    assert 1 == err.count("\n")


def test_a_damaged_memory_is_bad_input(tcp: TcpHost, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")

    assert 2 == run(["echo", "--host", tcp.address, "--state", "bad.json"])


def test_without_a_host_one_line_and_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert 1 == run(["echo", "--host", "127.0.0.1:1"])
    assert "pos-terminal: 127.0.0.1:1: Connection refused\n" == capsys.readouterr().err


def test_without_arguments_the_verbs_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run([])
    out = capsys.readouterr().out
    assert all(verb in out for verb in ("sign-in", "purchase-void", "settle", "day", "load", "fleet"))


def a_ready_file(tcp: TcpHost, path: Path, http: str | None = None) -> Path:
    listener = {"dialect": "unionpay", "host": "127.0.0.1", "port": tcp.port}
    path.write_text(json.dumps({"listeners": [listener], "http": http, "admin_token": TOKEN}))
    return path


def test_a_day_ends_with_one_document(tcp: TcpHost, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ready = a_ready_file(tcp, tmp_path / "r.json")

    code = run(["day", "--ready-file", str(ready), "--terminals", "2", "--transactions", "5", "--json"])

    [document] = documents(capsys.readouterr().out)
    assert (0, 2, None) == (code, document["terminals"], document["books_differ"])


def test_a_day_for_people_is_a_table(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["day", "--host", tcp.address, "--terminals", "1", "--transactions", "2"])

    out = capsys.readouterr().out
    assert 0 == code
    assert "terminals balanced" in out
    assert "not asked" in out


def test_a_day_whose_books_cannot_be_compared_fails(tcp: TcpHost, tmp_path: Path) -> None:
    ready = a_ready_file(tcp, tmp_path / "r.json", "http://127.0.0.1:1")

    assert 1 == run(["day", "--ready-file", str(ready), "--terminals", "1", "--transactions", "2", "--json"])


def test_the_ready_file_must_name_the_dialect(tcp: TcpHost, tmp_path: Path) -> None:
    ready = a_ready_file(tcp, tmp_path / "r.json")

    assert 2 == run(["day", "--ready-file", str(ready), "--dialect", "hypercom"])


def test_a_load_prints_its_rate(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["load", "--host", tcp.address, "--terminals", "1", "--seconds", "0.5"]

    assert (0, 0) == (run([*common, "--json"]), run(common))
    out = capsys.readouterr().out
    assert json.loads(out.splitlines()[0])["rate"] > 0
    assert "messages a second" in out


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_fleet_stops_at_a_signal_with_0(tcp: TcpHost, tmp_path: Path, stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "pos_terminal", "fleet", "--host", tcp.address, "--pace", "0.05"]
    fleet = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    until = time.monotonic() + HANGING_S
    while not tcp.host.requests and time.monotonic() < until:
        time.sleep(0.02)

    fleet.send_signal(stop)

    out, _ = fleet.communicate(timeout=HANGING_S)
    assert 0 == fleet.returncode
    assert out.splitlines()[-1].startswith("stopped: ")
