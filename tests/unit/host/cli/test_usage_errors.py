"""Bad usage and bad input: exit 2, one clear line on standard error, nothing on standard output."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from pos_host.cli import run_command
from pos_host.storage.sqlite_file import own_store

QUIET = ["--mqtt", "off", "--http", "off", "--store", "memory:", "--listen", "127.0.0.1:0=unionpay"]


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, without settings of the host's in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("POS_HOST_"):
            monkeypatch.delenv(name)
    return tmp_path


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line on standard error of a command that must end with 2."""
    code = run_command(list(arguments))
    out, err = capsys.readouterr()
    assert (2, "") == (code, out)
    assert 1 == len(err.splitlines()), err
    assert err.startswith("pos-host: ")
    return err.strip()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--listen", "8583"], "--listen 8583: must be ADDR:PORT=DIALECT"),
        (["--listen", "127.0.0.1:8583"], "must be ADDR:PORT=DIALECT"),
        (["--listen", "127.0.0.1:8583="], "must be ADDR:PORT=DIALECT"),
        (["--listen", "127.0.0.1:70000=unionpay"], "a port from 0 to 65535"),
        (["--listen", "127.0.0.1:x=unionpay"], "a port from 0 to 65535"),
        (["--listen", ":8583=unionpay"], "must be ADDR:PORT"),
        (["--listen", "127.0.0.1:0=klingon"], "klingon: no such dialect; shipped are "),
        (["--listen", "127.0.0.1:0=./none.toml"], "none.toml"),
        (["--listen", "256.1.1.1:0=unionpay"], "--listen 256.1.1.1:0=unionpay: "),
        (["--store", "var/x.db"], "--store var/x.db: must be sqlite:///FILE or memory:"),
        (["--store", "sqlite:///"], "must be sqlite:///FILE or memory:"),
        (["--store", "postgresql://localhost/x"], "PostgreSQL is not served yet"),
        (["--store", "sqlite:////proc/none/x.db"], "store /proc/none/x.db: "),
        (["--clock", "sundial"], "--clock sundial: must be system, manual or manual:ISO-TIME"),
        (["--clock", "manual:yesterday"], "'yesterday' is not an ISO 8601 time"),
        (["--clock", "manual:2026-03-02T20:00:00"], "the time needs an offset"),
        (["--policy", "none.toml"], "none.toml: no such file"),
        (["--products", "none.toml"], "none.toml: no such file"),
        (["--keys", "nowhere.toml"], "--keys nowhere.toml: no such file"),
        (["--connect", "http://127.0.0.1:1=unionpay"], "--connect http://127.0.0.1:1=unionpay: http:// is not spoken"),
        (["--mac", "maybe"], "--mac maybe: must be off, verify or require"),
        (["--enrol", "ajar"], "--enrol ajar: must be open or strict"),
        (["--http", "8580"], "--http 8580: must be ADDR:PORT"),
        (["--mqtt", "carrier-pigeon"], "--mqtt carrier-pigeon: "),
        (["--mqtt", "embedded:0"], "must be embedded:PORT with a port from 1 to 65535"),
        (["--log-level", "shout"], "--log-level shout: must be one of debug, info, warning, error"),
        (["--log-format", "xml"], "--log-format xml: must be json or console"),
        (["--ready-file", "/proc/none/r.json"], "--ready-file /proc/none/r.json: "),
        (["--config", "none.toml"], "--config none.toml: No such file or directory"),
        (["--nonsense"], "No such option: --nonsense"),
        (["--listen"], "requires an argument"),
        (["surplus"], "unexpected extra argument"),
    ],
)
def test_a_wrong_option_of_serve_is_named(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert says in complaint(capsys, "serve", *QUIET, *arguments)


@pytest.mark.parametrize("verb", ["terminals", "batches", "transactions", "unsettled", "verify"])
def test_a_store_that_is_not_there_cannot_be_read(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "pos-host: store none.db: no such file" == complaint(capsys, verb, "--store", "sqlite:///none.db")


@pytest.mark.parametrize("verb", ["terminals", "batches", "transactions", "unsettled", "verify"])
def test_a_memory_store_is_gone_with_its_host(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is gone with its host" in complaint(capsys, verb, "--store", "memory:")


@pytest.mark.parametrize("verb", ["terminals", "batches", "transactions", "unsettled", "verify"])
def test_a_file_that_is_no_store_cannot_be_read(verb: str, somewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (somewhere / "letter.txt").write_text("Dear host, " * 500)

    assert "not a database" in complaint(capsys, verb, "--store", "sqlite:///letter.txt")


def test_a_limit_is_a_number_above_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("0", "many"):
        assert "--limit" in complaint(capsys, "transactions", "--limit", wrong)


def test_an_unknown_verb_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert "No such command 'fly'" in complaint(capsys, "fly")


def test_without_arguments_the_verbs_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run_command([])

    out, err = capsys.readouterr()
    assert "" == err
    for verb in ("serve", "terminals", "batches", "transactions", "unsettled", "verify", "decode", "encode"):
        assert verb in out


# -- what another process holds


def test_a_taken_port_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        assert f"--listen {address}=hypercom: " in complaint(capsys, "serve", *QUIET, "--listen", f"{address}=hypercom")
        assert f"--http {address}: " in complaint(capsys, "serve", *QUIET, "--http", address)


def test_a_host_that_could_not_listen_leaves_its_store_free(
    somewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}=hypercom"
        complaint(capsys, "serve", *QUIET, "--store", "sqlite:///a.db", "--listen", address)

    os.close(own_store(somewhere / "a.db"))


def test_a_store_in_use_is_named(somewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    descriptor = own_store(somewhere / "a.db")

    told = complaint(capsys, "serve", *QUIET, "--store", "sqlite:///a.db")

    assert "pos-host: store a.db: another host is using it" == told
    os.close(descriptor)


def test_a_broker_that_does_not_answer_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"mqtt://127.0.0.1:{server.getsockname()[1]}"
    # the port is free again and nobody listens there

    assert f"--mqtt {url}: " in complaint(capsys, "serve", *QUIET, "--mqtt", url)


# -- the file given by --config


def config(somewhere: Path, text: str) -> list[str]:
    (somewhere / "host.toml").write_text(text)
    return ["serve", *QUIET, "--config", "host.toml"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("listener = []", "--config host.toml: listener: is no option of this command"),
        ("config = 'other.toml'", "config: is no option of this command"),
        ("policy = {}", "policy: must be a text, a number or a list of texts"),
        ("enrol = open", "--config host.toml: not TOML: "),
        ("enrol = 'ajar'", "--enrol ajar: must be open or strict"),
        ("log-format = 'xml'", "--log-format xml: must be json or console"),
    ],
)
def test_a_wrong_key_of_the_config_file_is_named(
    somewhere: Path, text: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert says in complaint(capsys, *config(somewhere, text))


def test_a_config_file_that_is_no_text_is_named(somewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (somewhere / "host.toml").write_bytes(b"\xff\xfe\x00")

    assert "--config host.toml: not TOML: " in complaint(capsys, "serve", "--config", "host.toml")


def test_the_command_line_is_above_the_environment_and_that_above_the_file(
    somewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = config(somewhere, "enrol = 'by-file'\nclock = 'by-file'\nlog_level = 'by-file'")
    monkeypatch.setenv("POS_HOST_ENROL", "by-environment")
    monkeypatch.setenv("POS_HOST_CLOCK", "by-environment")

    assert "--log-level by-file" in complaint(capsys, *arguments)
    assert "--enrol by-environment" in complaint(capsys, *arguments, "--log-level", "info")
    assert "--enrol by-hand" in complaint(capsys, *arguments, "--log-level", "info", "--enrol", "by-hand")
    assert "--clock by-environment" in complaint(capsys, *arguments, "--log-level", "info", "--enrol", "open")


def test_listeners_come_from_the_file_or_the_environment_too(
    somewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (somewhere / "host.toml").write_text("listen = ['127.0.0.1:0=unionpay', 'from-file']\nstore = 'memory:'")
    arguments = ["serve", "--config", "host.toml", "--mqtt", "off", "--http", "off"]
    assert "--listen from-file: " in complaint(capsys, *arguments)

    monkeypatch.setenv("POS_HOST_LISTEN", "127.0.0.1:0=unionpay from-environment")
    assert "--listen from-environment: " in complaint(capsys, *arguments)

    assert "--listen by-hand: " in complaint(capsys, *arguments, "--listen", "by-hand")


def test_the_config_file_may_be_named_by_the_environment(
    somewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (somewhere / "host.toml").write_text("enrol = 'by-file'")
    monkeypatch.setenv("POS_HOST_CONFIG", "host.toml")

    assert "--enrol by-file" in complaint(capsys, "serve", *QUIET)


def test_a_command_that_failed_leaves_no_loop_behind() -> None:
    assert 2 == run_command(["serve", *QUIET, "--listen", "256.1.1.1:0=unionpay"])
    asyncio.run(asyncio.sleep(0))
