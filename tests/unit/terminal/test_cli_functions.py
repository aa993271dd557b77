"""The verbs of `pos-terminal` beyond sale, void and refund, as their caller sees them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.terminal.scripted_host import ScriptedHost
from tests.unit.terminal.tcp_host import TcpHost, serving

from pos_specs.security.keys import WorkingKeys
from pos_terminal.cards import TEST_CARDS
from pos_terminal.cli import run

KEYS = WorkingKeys(bytes(range(1, 17)), bytes(range(1, 9)))


@pytest.fixture
def tcp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TcpHost]:
    monkeypatch.chdir(tmp_path)
    with serving(ScriptedHost("unionpay")) as served:
        yield served


@pytest.fixture
def hypercom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TcpHost]:
    monkeypatch.chdir(tmp_path)
    with serving(ScriptedHost("hypercom")) as served:
        yield served


def documents(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_the_life_of_a_pre_authorisation_in_words(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--host", tcp.address]
    codes = [
        run(["auth", *common, "--amount", "100"]),
        run(["auth", *common, "--amount", "20", "--stan", "1"]),
        run(["completion", *common, "--amount", "115"]),
        run(["completion-void", *common]),
        run(["completion", *common, "--advice", "--receipt"]),
        run(["auth", *common, "--amount", "5", "--card", "visa"]),
        run(["auth-void", *common]),
        run(["adjust", *common, "--tip", "3"]),
        run(["settle", *common]),
    ]

    out = capsys.readouterr().out
    assert [0] * 9 == codes
    assert [
        *("auth", "auth", "completion", "completion_void", "completion_advice", "auth", "auth_void"),
        *("adjust", "settlement", "batch_upload_end"),
    ] == tcp.host.functions()
    assert "COMPLETION" in out
    assert "batch 000001 balanced: debit 2 238.00, credit 1 115.00" in out


def test_hypercom_has_completions_by_advice_and_voids_them_as_sales(hypercom: TcpHost) -> None:
    common = ["--host", hypercom.address, "--dialect", "hypercom"]

    assert [0, 0, 0] == [
        run(["auth", *common, "--amount", "100"]),
        run(["completion", *common]),
        run(["completion-void", *common]),
    ]
    assert ["auth", "completion_advice", "purchase_void"] == hypercom.host.functions()


def test_a_remembered_pre_authorisation_is_found_by_its_approval_code(tcp: TcpHost) -> None:
    common = ["--host", tcp.address]
    for amount in ("100", "200", "300"):
        run(["auth", *common, "--amount", amount])

    assert 0 == run(["completion", *common, "--approval-code", "000002"])
    assert 0 == run(["auth-void", *common, "--approval-code", "000001"])
    assert ["000000020000"] == [request.fields[4] for request in tcp.host.of("completion")]
    assert ["000000010000"] == [request.fields[4] for request in tcp.host.of("auth_void")]


def test_a_forgotten_pre_authorisation_is_named_by_its_particulars(tcp: TcpHost) -> None:
    named = ["--approval-code", "A1B2C3", "--original-stan", "44", "--original-batch", "000003"]
    money = ["--host", tcp.address, "--card", "visa", "--amount", "5"]

    assert 0 == run(["completion", *money, *named[:2], "--original-stan", "000044", *named[4:]])
    assert ("A1B2C3", "0000030000440000") == tuple(tcp.host.requests[0].fields[n] for n in (38, 61))


def test_a_balance_is_printed_as_money(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    tcp.host.will("balance", {54: "1002156C000000123456"})

    assert 0 == run(["balance", "--host", tcp.address, "--receipt"])
    out = capsys.readouterr().out
    assert "balance 000001: 00 Approved, rrn 000000000001, balance CNY 1,234.56" in out
    assert "BALANCE" in out


def test_an_offline_sale_prints_its_document_now_or_later(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    sale = ["offline-purchase", "--host", tcp.address, "--amount", "7", "--approval-code", "A1", "--json"]

    assert (0, 0, 0) == (run(sale), run([*sale, "--later"]), run(["forward", "--host", tcp.address, "--json"]))

    told = documents(capsys.readouterr().out)
    assert ["offline_purchase", "offline_purchase"] == [document["function"] for document in told]
    assert ["A1    ", "A1    "] == [document["request"]["fields"]["38"] for document in told]


def test_parameters_and_status_are_exchanged(tcp: TcpHost) -> None:
    common = ["--host", tcp.address]

    assert [0, 0] == [run(["parameters", *common]), run(["status", *common])]
    assert ["parameters", "status"] == tcp.host.functions()
    assert "011021031041051" == bytes.fromhex(tcp.host.of("status")[0].fields[62]).decode()


def test_what_became_of_a_script_is_told_on_demand(tcp: TcpHost) -> None:
    tcp.host.will("purchase", {55: "72079F180400000001"})
    common = ["--host", tcp.address]

    run(["purchase", *common, "--amount", "1", "--card", "visa", "--entry", "chip"])
    assert 0 == run(["script-result", *common])
    assert ["purchase", "script_result"] == tcp.host.functions()


def test_a_refund_is_voided_and_cash_handed_out(hypercom: TcpHost) -> None:
    common = ["--host", hypercom.address, "--dialect", "hypercom"]

    assert [0, 0, 0] == [
        run(["cash-advance", *common, "--amount", "50", "--card", "visa"]),
        run(["refund", *common, "--amount", "1"]),
        run(["refund-void", *common]),
    ]
    assert ["010000", "200000", "220000"] == [request.fields[3] for request in hypercom.host.requests]


def test_an_offline_sale_is_kept_when_there_is_no_host(
    tcp: TcpHost, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = ["offline-purchase", "--host", "127.0.0.1:1", "--amount", "7"]

    assert 1 == run(away)
    assert "Connection refused" in capsys.readouterr().err
    assert 0 == run(["settle", "--host", tcp.address])
    assert ["offline_purchase", "settlement", "batch_upload_end"] == tcp.host.functions()


def test_keys_come_with_the_sign_in_and_stay_in_the_state_file(tcp: TcpHost, tmp_path: Path) -> None:
    tcp.host.keys = KEYS
    common = ["--host", tcp.address, "--state", "pos.json"]

    assert 0 == run(["sign-in", *common, "--scheme", "003"])
    assert 0 == run(["purchase", *common, "--amount", "1", "--pin", "123456"])

    assert [True] == tcp.host.macs
    assert 52 in tcp.host.of("purchase")[0].fields
    assert (tmp_path / "pos.json.key").exists()


def test_another_master_key_refuses_the_sign_in_with_1(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    tcp.host.keys = KEYS
    wrong = "00112233445566778899AABBCCDDEEFF"

    assert 1 == run(["sign-in", "--host", tcp.address, "--tmk", wrong])
    err = capsys.readouterr().err
    assert err.startswith("pos-terminal: sign-in refused: PIN key: the check value does not match")
    assert wrong not in err


def test_a_wrong_mac_key_can_be_used_on_purpose(tcp: TcpHost) -> None:
    tcp.host.keys = KEYS
    common = ["--host", tcp.address]
    run(["sign-in", *common])
    tcp.host.will("purchase", {39: "A0"})

    assert 0 == run(["purchase", *common, "--amount", "1", "--mac-key", "0123456789ABCDEF", "--expect", "A0"])
    assert [False] == tcp.host.macs


def test_an_answer_with_a_wrong_mac_is_told_and_fails(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    tcp.host.keys = KEYS
    run(["sign-in", "--host", tcp.address])
    tcp.host.will("purchase", {64: "00" * 8})

    assert 1 == run(["purchase", "--host", tcp.address, "--amount", "1"])
    out, err = capsys.readouterr()
    assert "not believed" in out
    assert "pos-terminal: the answer to purchase has a wrong MAC\n" == err


def test_a_pin_without_a_key_is_1_with_what_to_do(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == run(["purchase", "--host", tcp.address, "--amount", "1", "--pin", "123456"])
    assert "pos-terminal: there is no PIN key: sign in first, or give --pin-key\n" == capsys.readouterr().err
    assert [] == tcp.host.requests


def test_no_secret_is_printed(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    tcp.host.keys = KEYS
    common = ["--host", tcp.address, "--json"]
    run(["sign-in", *common])
    run(["purchase", *common, "--amount", "1", "--pin", "987654"])
    run(["purchase", *common, "--amount", "1", "--entry", "chip", "--card", "visa"])

    out = capsys.readouterr().out
    sent = tcp.host.of("purchase")
    secrets = [sent[0].fields[52], sent[0].fields[35], TEST_CARDS["unionpay"].pan, TEST_CARDS["visa"].pan, "987654"]
    assert [] == [secret for secret in [*secrets, KEYS.pin.hex().upper(), KEYS.mac.hex().upper()] if secret in out]


HEAVY = ("cryptography", "psec", "pyemv")


def test_a_sale_without_keys_does_not_load_what_only_keys_need(tcp: TcpHost, tmp_path: Path) -> None:
    program = (
        "import sys; from pos_terminal.cli import run; "
        f"code = run(['purchase', '--host', '{tcp.address}', '--amount', '1']); "
        f"print([code, *sorted(set(sys.modules) & set({HEAVY!r}))])"
    )

    out = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert "[0]" == out.stdout.splitlines()[-1]
