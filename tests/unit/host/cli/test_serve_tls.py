"""A host in a process of its own, over TLS and as a client of a concentrator: what it writes and how it ends."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.certificates import Authority, private
from tests.patience import HANGING_S
from tests.unit.host.cli.test_serve import Host, sale
from tests.unit.host.cli.test_usage_errors import QUIET, complaint

from pos_specs.framing import Frame, Framer, join_frame
from pos_specs.language import open_language

LANGUAGE = open_language("unionpay")
FRAMING = LANGUAGE.dialect.framing


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def files(authority: Authority) -> list[str]:
    cert, key = authority.issue("host")
    return ["--tls-cert", str(cert), "--tls-key", str(key)]


def code_of(line: socket.socket) -> str | None:
    """The response code of a sale that is sent over the line."""
    frame = Frame(bytes.fromhex("6000030000"), bytes.fromhex("603100311001"), LANGUAGE.encode(sale(1)))
    line.sendall(join_frame(FRAMING, frame))
    framer = Framer(FRAMING)
    while not (frames := framer.receive_data(line.recv(65536))):
        pass
    return LANGUAGE.decode(frames[0].body).fields[39]


def heard(line: socket.socket) -> bytes:
    """What is sent before the host hangs up, in one way or another."""
    data = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while part := line.recv(100):
            data += part
    return data


def test_a_purchase_over_tls_is_approved_and_the_ready_file_tells_of_tls(
    tmp_path: Path, authority: Authority, files: list[str]
) -> None:
    host = Host(tmp_path, *files)
    listener = host.ready["listeners"][0]
    assert ("unionpay", True) == (listener["dialect"], listener["tls"])

    with (
        socket.create_connection(("127.0.0.1", listener["port"]), HANGING_S) as plain,
        authority.client().wrap_socket(plain, server_hostname="127.0.0.1") as line,
    ):
        assert "00" == code_of(line)

    assert 0 == host.end()[0]


def test_a_client_without_certificate_is_refused_in_one_line(
    tmp_path: Path, authority: Authority, files: list[str]
) -> None:
    host = Host(tmp_path, *files, "--tls-client-ca", str(authority.ca))
    address = ("127.0.0.1", host.ready["listeners"][0]["port"])

    with (
        socket.create_connection(address, HANGING_S) as plain,
        authority.client().wrap_socket(plain, server_hostname="127.0.0.1") as line,
    ):
        assert b"" == heard(line)
    with (
        socket.create_connection(address, HANGING_S) as plain,
        authority.client(authority.issue("terminal")).wrap_socket(plain, server_hostname="127.0.0.1") as line,
    ):
        assert "00" == code_of(line)

    code, _, err = host.end()
    refused = [line for line in map(json.loads, err.splitlines()) if line["event"] == "connection_refused"]
    assert (0, ["TLS: the peer showed no certificate"]) == (code, [line["reason"] for line in refused])


@pytest.mark.parametrize("over_tls", [False, True])
def test_a_host_without_listeners_answers_at_a_concentrator_and_ends(
    tmp_path: Path, authority: Authority, over_tls: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        there.settimeout(HANGING_S)
        port = there.getsockname()[1]
        scheme, more = ("tls://", ["--connect-ca", str(authority.ca)]) if over_tls else ("", [])
        host = Host(tmp_path, "--connect", f"{scheme}127.0.0.1:{port}=unionpay", *more)
        assert [{"dialect": "unionpay", "host": "127.0.0.1", "port": port, "tls": over_tls}] == host.ready[
            "connections"
        ]

        line, _ = there.accept()
        if over_tls:
            line = authority.server("concentrator").wrap_socket(line, server_side=True)
        with line:
            assert "00" == code_of(line)
            code, _, err = host.end()
            assert b"" == line.recv(100)

    assert 0 == code
    events = [json.loads(told)["event"] for told in err.splitlines()]
    assert (1, 1) == (events.count("connected"), events.count("host_stopped"))


def test_the_options_are_environment_and_config_keys_too(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = authority.issue("host")
    config = tmp_path / "host.toml"
    config.write_text(f'tls-cert = "{cert}"\nconnect = ["127.0.0.1:1=hypercom"]\n')
    monkeypatch.setenv("POS_HOST_TLS_KEY", str(key))

    host = Host(tmp_path, "--config", str(config))

    assert True is host.ready["listeners"][0]["tls"]
    assert ["hypercom"] == [connection["dialect"] for connection in host.ready["connections"]]
    _, _, err = host.end()
    refused = [line for line in map(json.loads, err.splitlines()) if line["event"] == "connection_refused"]
    assert ["Connection refused"] == [line["reason"] for line in refused]


def test_a_wrong_tls_file_is_named(
    tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cert, key = authority.issue("host")
    _, other = authority.issue("other")
    Path("letter.txt").write_text("Dear host,")
    Path("locked.key").write_bytes(private(ec.generate_private_key(ec.SECP256R1()), b"secret"))

    def told(*arguments: object) -> str:
        return complaint(capsys, "serve", *QUIET, *map(str, arguments)).removeprefix("pos-host: ")

    assert "--tls-cert none.pem: No such file or directory" == told("--tls-cert", "none.pem")
    assert "--tls-key none.key: No such file or directory" == told("--tls-cert", cert, "--tls-key", "none.key")
    assert "--tls-cert letter.txt: no certificate in PEM" == told("--tls-cert", "letter.txt", "--tls-key", key)
    for wrong in ("letter.txt", "locked.key"):
        says = f"--tls-key {wrong}: no private key in PEM, or one with a password"
        assert says == told("--tls-cert", cert, "--tls-key", wrong)
    assert f"--tls-key {cert}: no private key in PEM, or one with a password" == told("--tls-cert", cert)
    assert f"--tls-key {other}: does not belong to the certificate {cert}" == told(
        "--tls-cert", cert, "--tls-key", other
    )
    says = "--tls-client-ca letter.txt: no certificate in PEM"
    assert says == told("--tls-cert", cert, "--tls-key", key, "--tls-client-ca", "letter.txt")
    says = "--connect-ca none.pem: No such file or directory"
    assert says == told("--connect", "tls://127.0.0.1:1=unionpay", "--connect-ca", "none.pem")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--tls-key", "a.key"], "--tls-key a.key: needs --tls-cert"),
        (["--tls-client-ca", "ca.pem"], "--tls-client-ca ca.pem: needs --tls-cert"),
        (["--connect", "10.0.0.7:9000"], "--connect 10.0.0.7:9000: must be [tls://]ADDR:PORT=DIALECT"),
        (["--connect", "10.0.0.7:0=unionpay"], "nobody listens at port 0"),
        (["--connect", "10.0.0.7:x=unionpay"], "a port from 0 to 65535"),
        (["--connect", "10.0.0.7:9000=klingon"], "klingon: no such dialect"),
        (["--connect-ca", "ca.pem"], "--connect-ca ca.pem: needs a --connect tls://…"),
        (["--connect-ca", "ca.pem", "--connect", "10.0.0.7:9000=unionpay"], "needs a --connect tls://…"),
        (["--listen", "off"], "--listen off: goes with no other --listen"),
    ],
)
def test_options_that_do_not_fit_are_named(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert says in complaint(capsys, "serve", *QUIET, *arguments)


def test_a_plain_client_of_a_tls_listener_does_no_harm(tmp_path: Path, authority: Authority, files: list[str]) -> None:
    host = Host(tmp_path, *files)
    address = ("127.0.0.1", host.ready["listeners"][0]["port"])

    with socket.create_connection(address, HANGING_S) as plain:
        plain.sendall(b"\0\5\x60\0\0\0\0")
        heard(plain)

    code, _, err = host.end()
    refused = [line for line in map(json.loads, err.splitlines()) if line["event"] == "connection_refused"]
    assert (0, 1) == (code, len(refused))


def test_a_host_without_tls_and_concentrators_loads_nothing_for_them() -> None:
    names = {"pos_host.tls", "pos_host.tls_server", "pos_host.concentrator", "cryptography"}
    asked = f"import pos_host.app, pos_host.cli, sys; print({names} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True)

    assert ("set()", "") == (done.stdout.strip(), done.stderr)
