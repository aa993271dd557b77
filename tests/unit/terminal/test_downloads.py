"""Downloads of parameters, CA keys and chip applications, and the cardholder's signature."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess, Line
from tests.unit.terminal.scripted_host import ScriptedHost, a_terminal
from tests.unit.terminal.tcp_host import TcpHost, serving

from pos_specs.chip_parameters import shipped_chip_parameters
from pos_specs.message import Message
from pos_specs.tlv import build_tlv
from pos_terminal.cards import TEST_CARDS
from pos_terminal.cli import run
from pos_terminal.commands import Command, Purchase, Sign
from pos_terminal.dialogue import Dialogue, Told
from pos_terminal.downloads import downloading
from pos_terminal.requests import NoSuchFunction
from pos_terminal.signatures import BLANK_PICTURE
from pos_terminal.terminal import Terminal

RID, INDEX, MODULUS, EXPONENT = "A000000333", "7F", "C3" * 128, "03"


def a_key(**changes: str) -> list[tuple[str, str]]:
    """The data objects of a downloaded key."""
    checksum = sha1(bytes.fromhex(RID + INDEX + MODULUS + EXPONENT)).hexdigest().upper()
    objects = {"9F06": RID, "9F22": INDEX, "DF05": b"20491231".hex(), "DF02": MODULUS, "DF04": EXPONENT}
    return [*({**objects, "DF03": checksum} | changes).items()]


def element_62(state: str, *objects: tuple[str, str]) -> dict[int, str | None]:
    return {62: (state.encode() + build_tlv([*objects])).hex().upper()}


async def ask(terminal: Terminal, line: Line, command: Command) -> Message:
    """Carry out one command; gives its answer."""
    terminal.begin(command)
    while (request := terminal.next_request()) is not None:
        answer = await line.ask(request.mti, request.fields)
        assert terminal.receive(answer) is not None
    assert terminal.result is not None
    assert terminal.result.approved
    return answer


async def told_by(terminal: Terminal, line: Line, dialogue: Dialogue) -> tuple[list[str], Told]:
    """The network codes of a dialogue in order, and what it came to."""
    codes = []
    command = next(dialogue)
    while True:
        codes.append(getattr(command, "network_code", ""))
        answer = await ask(terminal, line, command)
        try:
            command = dialogue.send(answer)
        except StopIteration as end:
            return codes, end.value


async def download(dialect: str, what: str) -> tuple[list[str], Told]:
    terminal, line = a_terminal(dialect), HostInProcess().connect(dialect)
    return await told_by(terminal, line, downloading(terminal.language, terminal.application, what))


async def test_every_key_of_the_hosts_list_is_downloaded() -> None:
    codes, told = await download("unionpay", "ca-keys")

    keys = shipped_chip_parameters().ca_keys
    assert ["372", *["370"] * len(keys), "371"] == codes
    assert [(key.rid, key.index, key.modulus) for key in keys] == [
        (item["9F06"], item["9F22"], item["DF02"]) for item in told.document["items"]
    ]
    assert (
        f"CA key {keys[0].rid} {keys[0].index}, {len(keys[0].modulus) * 4} bits, until {keys[0].expiry}" in told.lines
    )


async def test_every_application_of_the_hosts_list_is_downloaded() -> None:
    codes, told = await download("unionpay", "applications")

    applications = shipped_chip_parameters().applications
    assert ["382", *["380"] * len(applications), "381"] == codes
    assert [found.aid for found in applications] == [item["9F06"] for item in told.document["items"]]


async def test_a_unionpay_terminal_downloads_its_parameters_and_says_when_it_is_done() -> None:
    codes, told = await download("unionpay", "parameters")

    assert ["360", "361"] == codes
    assert ("60", "测试商户") == tuple(told.document["values"][name] for name in ("timeout_seconds", "merchant_name"))


async def test_a_hypercom_terminal_is_told_the_merchants_lines() -> None:
    codes, told = await download("hypercom", "parameters")

    assert [""] == codes
    assert "POS-HOST TEST MERCHANT" == told.document["values"]["merchant_line_1"]


@pytest.mark.parametrize(
    ("dialect", "what"), [("hypercom", "ca-keys"), ("iso87-ascii", "parameters"), ("iso93-ascii", "applications")]
)
def test_what_a_dialect_does_not_have_is_not_begun(dialect: str, what: str) -> None:
    terminal = a_terminal(dialect)

    with pytest.raises(NoSuchFunction, match=f"dialect {dialect} has no download of {what}"):
        downloading(terminal.language, terminal.application, what)


# ---------------------------------------------------------------- the command


@pytest.fixture
def tcp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TcpHost]:
    monkeypatch.chdir(tmp_path)
    with serving(ScriptedHost("unionpay")) as served:
        yield served


def documents(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_list_in_two_answers_is_asked_for_twice(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    entry = a_key()[:3]
    tcp.host.will("parameters", element_62("2", *entry), element_62("1", ("9F06", RID), ("9F22", "80")))
    tcp.host.will("parameters", element_62("1", *a_key()), element_62("1", ("9F06", RID), ("9F22", "80")))

    code = run(["download", "ca-keys", "--host", tcp.address, "--json"])

    asked = [bytes.fromhex(request.fields.get(62, "")) for request in tcp.host.requests]
    last = documents(capsys.readouterr().out)[-1]
    assert (0, [b"100", b"101"], 5) == (code, asked[:2], len(asked))
    assert ("ca-keys", [INDEX, "80"]) == (last["download"], [item["9F22"] for item in last["items"]])


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        ([element_62("1", *a_key()[:3]), element_62("1", *a_key(DF03="00" * 20))], "its checksum is wrong"),
        ([element_62("1", *a_key()[:3]), element_62("0")], f"the host did not send {RID} {INDEX}"),
        ([element_62("1", *a_key()[:3]), element_62("1", *a_key(**{"9F22": "55"}))], "the host did not send"),
        ([element_62("2")], "its list goes on, and sends nothing"),
        ([element_62("7")], "does not say whether the list is complete"),
        ([element_62("1", ("9F22", INDEX))], "begins with tag 9F22"),
        ([{62: "319F06"}], "holds no data objects"),
        ([{62: None}], "does not say whether the list is complete"),
    ],
)
def test_an_answer_that_makes_no_sense_ends_the_download_with_a_reason(
    tcp: TcpHost, capsys: pytest.CaptureFixture[str], answers: list[dict[int, str | None]], complaint: str
) -> None:
    tcp.host.will("parameters", *answers)

    code = run(["download", "ca-keys", "--host", tcp.address])

    error = capsys.readouterr().err
    assert (1, 1, True) == (code, len(error.splitlines()), complaint in error)


def test_a_refused_download_goes_no_further(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    tcp.host.will("parameters", {39: "40", 62: None})

    code = run(["download", "applications", "--host", tcp.address, "--expect", "00"])

    assert (1, 1) == (code, len(tcp.host.requests))
    assert "parameters: 40" in capsys.readouterr().out


def test_an_endless_list_is_given_up(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    page = element_62("2", *[("9F06", f"A0000003{number:02X}") for number in range(30)])
    tcp.host.will("parameters", *[page] * 10)

    assert 1 == run(["download", "applications", "--host", tcp.address])
    assert "the list has more than 99 items" in capsys.readouterr().err


def test_another_word_than_the_three_is_refused(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(["download", "everything", "--host", tcp.address])
    assert "one of parameters, ca-keys, applications" in capsys.readouterr().err


# ---------------------------------------------------------------- signatures


async def test_a_signature_names_its_sale_and_the_host_keeps_its_size() -> None:
    host = HostInProcess()
    terminal, line = a_terminal("unionpay"), host.connect("unionpay")
    await ask(terminal, line, Purchase(TEST_CARDS["unionpay"], 1000, "156"))
    key = host.memory.entries[-1].entry.key

    answer = await ask(terminal, line, Sign("", BLANK_PICTURE))

    kept = host.memory.entries[-1].entry
    assert ("0830", terminal.memory.log[0].rrn) == (answer.mti, answer.fields[37])
    assert ("signature", key) == (kept.kind, kept.original)
    assert {"signature_bytes": len(BLANK_PICTURE), "original_known": True} == json.loads(kept.detail)


def test_the_picture_of_a_file_is_sent(tcp: TcpHost, tmp_path: Path) -> None:
    (tmp_path / "name.jbg").write_bytes(b"my name")
    codes = [
        run(["purchase", "--host", tcp.address, "--amount", "10"]),
        run(["purchase", "--host", tcp.address, "--amount", "20"]),
        run(["signature", "--host", tcp.address, "--stan", "1", "--picture", "name.jbg"]),
    ]

    sent = tcp.host.of("signature")[0].fields
    assert [0, 0, 0] == codes
    assert ("000001", "000000001000", b"my name".hex().upper()) == (sent[11], sent[4], sent[62])


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        ([], 2, "there is nothing to sign"),
        (["--stan", "9"], 2, "no transaction 000009"),
        (["--picture", "none.jbg"], 2, "--picture none.jbg: No such file"),
        (["--picture", "large.jbg"], 2, "--picture large.jbg: must have 1 to 999 bytes, not 1000"),
        (["--dialect", "hypercom"], 2, "dialect hypercom has no signature"),
    ],
)
def test_a_signature_that_cannot_be_sent_is_one_line(
    tcp: TcpHost, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, complaint: str
) -> None:
    Path("large.jbg").write_bytes(bytes(1000))

    assert code == run(["signature", "--host", tcp.address, *arguments])
    assert complaint in capsys.readouterr().err


def test_an_unanswered_signature_leaves_nothing_behind(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    tcp.host.will("signature", None)
    run(["purchase", "--host", tcp.address, "--amount", "10"])

    assert 1 == run(["signature", "--host", tcp.address, "--timeout", "0.1"])
    tcp.hear_all()
    assert 0 == run(["purchase", "--host", tcp.address, "--amount", "20"])
    assert ["purchase", "signature", "purchase"] == tcp.host.functions()
    assert "no answer to signature" in capsys.readouterr().err


def test_a_signatures_picture_is_never_shown() -> None:
    assert "Sign('000001', 7 bytes)" == repr(Sign("000001", b"my name"))
