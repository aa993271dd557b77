"""A host in a process of its own whose listener recognises who speaks there."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.certificates import Authority
from tests.patience import HANGING_S
from tests.unit.host.cli.test_serve import Host, sale
from tests.unit.host.cli.test_usage_errors import complaint

from pos_specs.framing import Frame, Framer, join_frame
from pos_specs.language import open_language
from pos_specs.message import Message

TPDU = bytes.fromhex("6000030000")
ECHO = Message("0800", {7: "0302120000", 11: "000001", 70: "301"})
OWN = """[dialect]
extends = "iso87-ascii"
name = "mybank"
title = "My bank"
[framing]
length = "bcd2"
header = "text:MYBANK"
"""


def ask(line: socket.socket, dialect: str, message: Message) -> Message:
    """The answer to a message that is sent over the line."""
    language = open_language(dialect)
    framing = language.dialect.framing
    tpdu = b"" if framing.tpdu == "none" else TPDU
    line.sendall(join_frame(framing, Frame(tpdu, framing.envelope.header.sent, language.encode(message))))
    framer = Framer(framing)
    while not (frames := framer.receive_data(line.recv(65536))):
        pass
    return language.decode(frames[0].body)


def recognised(err: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in err.splitlines()]
    return [line for line in lines if line["event"] == "recognised"]


def test_different_terminals_are_served_on_one_port_and_the_ready_file_says_auto(tmp_path: Path) -> None:
    own = tmp_path / "mybank.toml"
    own.write_text(OWN, "utf-8")
    host = Host(tmp_path, "--listen", "127.0.0.1:0=auto", "--listen", f"127.0.0.1:0={own}")
    assert ["unionpay", "auto", "mybank"] == [listener["dialect"] for listener in host.ready["listeners"]]
    address = ("127.0.0.1", host.ready["listeners"][1]["port"])

    with (
        socket.create_connection(address, HANGING_S) as one,
        socket.create_connection(address, HANGING_S) as two,
        socket.create_connection(address, HANGING_S) as three,
    ):
        assert "00" == ask(one, "unionpay", sale(1)).fields[39]
        assert "0810" == ask(two, "iso87-ascii", ECHO).mti
        assert "0810" == ask(three, str(own), ECHO).mti
        assert "00" == ask(one, "unionpay", sale(2)).fields[39]

    code, _, err = host.end()
    assert 0 == code
    assert ["unionpay", "iso87-ascii", "mybank"] == [line["dialect"] for line in recognised(err)]
    assert "2-byte length, TPDU, 6-byte header" == recognised(err)[0]["framing"]
    assert "MTI 0200 in BCD, 10 elements to the frame's end, which is purchase" == recognised(err)[0]["why"]


def test_peers_are_recognised_over_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.issue("host")
    host = Host(tmp_path, "--listen", "127.0.0.1:0=auto", "--tls-cert", str(cert), "--tls-key", str(key))
    listener = host.ready["listeners"][1]
    assert ("auto", True) == (listener["dialect"], listener["tls"])

    with (
        socket.create_connection(("127.0.0.1", listener["port"]), HANGING_S) as plain,
        authority.client().wrap_socket(plain, server_hostname="127.0.0.1") as line,
    ):
        assert "00" == ask(line, "unionpay", sale(1)).fields[39]
        assert "00" == ask(line, "unionpay", sale(2)).fields[39]

    code, _, err = host.end()
    assert (0, ["unionpay"]) == (code, [line["dialect"] for line in recognised(err)])


def test_a_host_stops_although_somebody_is_not_recognised_yet(tmp_path: Path) -> None:
    host = Host(tmp_path, "--listen", "127.0.0.1:0=auto")

    with socket.create_connection(("127.0.0.1", host.ready["listeners"][1]["port"]), HANGING_S) as line:
        line.sendall(b"\x00")
        assert 0 == host.end()[0]


def test_a_concentrators_dialect_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert "name the concentrator's" in complaint(capsys, "serve", "--connect", "10.0.0.7:9000=auto")


def test_a_host_whose_dialects_are_named_does_not_load_what_recognises_them() -> None:
    asked = "import pos_host.app, pos_host.cli, sys; print([name for name in sys.modules if 'decoding' in name])"

    assert "[]" == subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True).stdout.strip()
