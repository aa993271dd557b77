"""`pos-terminal` at a host over TLS, and in framings of a user's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.certificates import Authority
from tests.unit.host.cli.test_serve import Host

from pos_terminal.cli import run


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def listeners(tmp_path: Path, authority: Authority) -> Iterator[dict[str, list[str]]]:
    """By dialect, the options that lead to a host with mutual TLS; without those of the terminal's own certificate."""
    cert, key = authority.issue("host")
    tls = ["--tls-cert", str(cert), "--tls-key", str(key), "--tls-client-ca", str(authority.ca)]
    host = Host(tmp_path, "--listen", "127.0.0.1:0=hypercom", *tls)
    yield {
        listener["dialect"]: [
            *("--dialect", listener["dialect"], "--host", f"127.0.0.1:{listener['port']}"),
            *("--tls", "--tls-ca", str(authority.ca)),
        ]
        for listener in host.ready["listeners"]
    }
    host.end()


@pytest.fixture
def at(listeners: dict[str, list[str]]) -> list[str]:
    return listeners["unionpay"]


@pytest.fixture
def own(authority: Authority) -> list[str]:
    cert, key = authority.issue("terminal")
    return ["--tls-cert", str(cert), "--tls-key", str(key)]


def test_a_terminal_trades_over_mutual_tls(
    at: list[str], own: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    memory = ["--state", str(tmp_path / "terminal.json")]

    assert 0 == run(["sign-in", *at, *own, *memory])
    assert 0 == run(["purchase", "--amount", "12.34", "--expect", "00", *at, *own, *memory])
    assert 0 == run(["day", "--terminals", "2", "--transactions", "3", "--terminal-prefix", "D", *at, *own])
    capsys.readouterr()


@pytest.mark.parametrize("rate", [[], ["--rate", "50"]])
@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
def test_a_load_is_fired_over_tls(
    dialect: str,
    listeners: dict[str, list[str]],
    own: list[str],
    rate: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a sign-in the first thing that TLS 1.3 brings is a session ticket and no answer."""
    options = [*rate, *listeners[dialect], *own]
    assert 0 == run(["load", "--terminals", "3", "--seconds", "1", "--json", *options])

    report = json.loads(capsys.readouterr().out)
    assert ({"00"}, 0, 0) == (set(report["codes"]), report["wrong"], report["disconnected"])
    assert report["codes"]["00"] > 3, "no terminal fired a second purchase"


@pytest.mark.parametrize("verb", ["sign-in", "echo"])
def test_a_terminal_without_certificate_is_told_that_the_host_wants_one(
    verb: str, at: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == run([verb, *at, "--state", str(tmp_path / "terminal.json"), "--timeout", "2"])

    error = capsys.readouterr().err
    assert (1, True) == (len(error.splitlines()), "where it wants another certificate (--tls-cert)" in error)


def test_a_host_that_the_authority_did_not_certify_is_refused(
    at: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = Authority(tmp_path, "stranger")

    for verb in (["sign-in", "--state", str(tmp_path / "terminal.json")], ["load", "--seconds", "1"]):
        assert 1 == run([*verb, *at[:-1], str(stranger.ca)])
        assert "TLS: the host's certificate is refused: " in capsys.readouterr().err


def test_a_terminal_that_is_to_speak_tls_at_a_plain_listener_says_so(
    tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    host = Host(tmp_path)
    where = ["--host", f"127.0.0.1:{host.ready['listeners'][0]['port']}", "--tls", "--tls-ca", str(authority.ca)]

    assert 1 == run(["sign-in", *where, "--state", str(tmp_path / "terminal.json")])

    assert 1 == len(capsys.readouterr().err.splitlines())
    host.end()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--tls-ca", "ca.pem"], "--tls-ca ca.pem: needs --tls"),
        (["--tls-cert", "a.pem"], "--tls-cert a.pem: needs --tls"),
        (["--tls", "--tls-key", "a.key"], "--tls-key a.key: needs --tls-cert"),
        (["--tls", "--tls-ca", "none.pem"], "--tls-ca none.pem: No such file or directory"),
        (["--tls", "--tls-cert", "none.pem"], "--tls-cert none.pem: No such file or directory"),
        (["--tls", "--tls-ca", "letter.txt"], "--tls-ca letter.txt: no certificate in PEM"),
        (["--tls", "--tls-cert", "letter.txt"], "--tls-cert letter.txt: no certificate in PEM"),
    ],
)
@pytest.mark.parametrize("verb", ["sign-in", "day", "load", "fleet"])
def test_wrong_tls_options_are_named(
    verb: str,
    options: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("letter.txt").write_text("Dear terminal,")

    assert 2 == run([verb, "--host", "127.0.0.1:1", *options])

    assert f"pos-terminal: {says}" == capsys.readouterr().err.strip()


def test_a_key_of_somebody_else_is_named(authority: Authority, capsys: pytest.CaptureFixture[str]) -> None:
    (cert, _), (_, other) = authority.issue("terminal"), authority.issue("other")

    assert 2 == run(["sign-in", "--host", "127.0.0.1:1", "--tls", "--tls-cert", str(cert), "--tls-key", str(other)])

    assert f"--tls-key {other}: does not belong to the certificate {cert}" in capsys.readouterr().err


QUICKLY = ["--timeout", "0.5"]
"""For answers that are lost on purpose."""

FRAMINGS = {
    "etx": 'length = "none"\ntrailer = "etx"',
    "counted etx and header": 'length = "binary2"\ncounts = ["itself", "trailer"]\ntrailer = "etx"\nheader = "base24"',
    "tpdu echoed": 'length = "bcd2"\ntpdu = "echo"\nheader = "hex:0100"',
    "stx, etx and lrc": 'length = "bcd2"\nstart = "stx"\ntrailer = "etx-lrc"',
}


def own_dialect(folder: Path, framing: str) -> str:
    """A file of a dialect that is iso87-ascii but for its framing."""
    path = folder / "mybank.toml"
    path.write_text(f'[dialect]\nname = "mybank"\ntitle = "A bank"\nextends = "iso87-ascii"\n\n[framing]\n{framing}\n')
    return str(path)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_day_is_lived_in_a_framing_of_ones_own(
    framing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dialect = own_dialect(tmp_path, FRAMINGS[framing])
    host = Host(tmp_path, "--listen", f"127.0.0.1:0={dialect}")
    where = ["--host", f"127.0.0.1:{host.ready['listeners'][1]['port']}", "--dialect", dialect]

    assert 0 == run(["day", "--terminals", "2", "--transactions", "4", "--lose-replies", "20", *QUICKLY, *where])
    capsys.readouterr()
    fired = run(["load", "--terminals", "2", "--seconds", "0.3", "--json", *where])
    out, err = capsys.readouterr()

    if "lrc" in framing:
        assert 2 == fired
        assert err.startswith("pos-terminal: mybank: a load changes the STAN in place")
    else:
        assert (0, {"00"}) == (fired, set(json.loads(out)["codes"]))
    assert 0 == host.end()[0]
