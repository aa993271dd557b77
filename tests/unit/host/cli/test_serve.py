"""A host in a process of its own: what it writes, who reads its store meanwhile, how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.patience import HANGING_S
from tests.unit.host.pipeline.terminals import UNIONPAY_CARD

from pos_host.cli import run_command
from pos_specs.framing import Frame, Framer, join_frame
from pos_specs.language import open_language
from pos_specs.message import Message

IDS = {41: "T0000001", 42: "898310000000001"}


class Host:
    """A `pos-host serve` on a SQLite store and a manual clock."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.ready_file = folder / "ready.json"
        self.store = folder / "host.db"
        command = [sys.executable, "-m", "pos_host", "serve", "--listen", "127.0.0.1:0=unionpay", "--mqtt", "off"]
        command += ["--http", "off", "--store", f"sqlite:///{self.store}", "--ready-file", str(self.ready_file)]
        command += ["--clock", "manual:2026-03-02T20:00:00+08:00", *more]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = self._wait()

    def _wait(self) -> dict[str, Any]:
        until = time.monotonic() + HANGING_S
        while not self.ready_file.exists():
            assert self.process.poll() is None, self.process.stderr and self.process.stderr.read()
            assert time.monotonic() < until, "not ready in time"
            time.sleep(0.01)
        ready: dict[str, Any] = json.loads(self.ready_file.read_text())
        return ready

    def ask(self, *messages: Message) -> list[Message]:
        """Send messages on a connection of its own; their answers in the order they came."""
        language = open_language("unionpay")
        framing = language.dialect.framing
        framer, answers = Framer(framing), []
        with socket.create_connection(("127.0.0.1", self.ready["listeners"][0]["port"]), HANGING_S) as line:
            for message in messages:
                frame = Frame(bytes.fromhex("6000030000"), bytes.fromhex("603100311001"), language.encode(message))
                line.sendall(join_frame(framing, frame))
            while len(answers) < len(messages):
                answers += [language.decode(frame.body) for frame in framer.receive_data(line.recv(65536))]
        return answers

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of a host that was told to stop."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        out, err = self.process.communicate(timeout=HANGING_S)
        return self.process.returncode, out, err


def sale(stan: int, amount_minor: int = 12_34) -> Message:
    fields = {2: UNIONPAY_CARD, 3: "000000", 4: f"{amount_minor:012d}", 11: f"{stan:06d}", 22: "012", 25: "00"}
    return Message("0200", {**fields, **IDS, 49: "156", 60: "22000001000500"})


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    running = Host(tmp_path)
    yield running
    running.end()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_host_says_where_it_is_serves_and_ends(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    assert (host.process.pid, None, None) == tuple(host.ready[key] for key in ("pid", "http", "mqtt"))
    assert ("unionpay", "127.0.0.1") == tuple(host.ready["listeners"][0][key] for key in ("dialect", "host"))
    token = Path(f"{host.store}.admin-token")
    assert token.read_text().strip() == host.ready["admin_token"]
    secrets = [host.ready_file, token, Path(f"{host.store}.card-key"), Path(f"{host.store}.lock")]
    assert [0o600] * 4 == [mode(path) for path in secrets]

    answers = host.ask(sale(1), sale(1), sale(2))
    assert ["00", "00", "00"] == [answer.fields[39] for answer in answers]
    assert ("200000", "0302") == (answers[0].fields[12], answers[0].fields[13])

    store = f"sqlite:///{host.store}"
    assert 2 == run_command(
        ["serve", "--store", store, "--mqtt", "off", "--http", "off", "--listen", "127.0.0.1:0=unionpay"]
    )
    assert "another host is using it" in capsys.readouterr().err
    for verb, lines in (("terminals", 1), ("batches", 1), ("transactions", 4), ("unsettled", 0), ("verify", 1)):
        assert 0 == run_command([verb, "--store", store, "--json"])
        assert lines == len(capsys.readouterr().out.splitlines())

    code, out, err = host.end()
    assert (0, "") == (code, out)
    assert not host.ready_file.exists()
    events = [json.loads(line)["event"] for line in err.splitlines()]
    assert {"listening", "ready", "host_stopping", "host_stopped"} <= set(events)
    assert UNIONPAY_CARD not in err


def test_what_was_sold_is_there_after_a_restart_and_after_a_kill(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = Host(tmp_path)
    (answer,) = first.ask(sale(1))
    first.end(signal.SIGINT)
    second = Host(tmp_path)
    assert [answer] == second.ask(sale(1))
    second.ask(sale(2))
    second.process.kill()
    second.end()
    second.ready_file.unlink()

    third = Host(tmp_path)
    assert first.ready["admin_token"] == third.ready["admin_token"]
    assert [answer.fields[37], "94"] == [
        third.ask(sale(1))[0].fields[37],
        third.ask(sale(2, 99_99))[0].fields[39],
    ]
    third.end()

    assert 0 == run_command(["verify", "--store", f"sqlite:///{third.store}", "--json"])
    assert 2 == json.loads(capsys.readouterr().out)["checked"]["transactions"]


def test_python_dash_m_is_the_same_command() -> None:
    environment = {**os.environ, "COLUMNS": "200"}

    done = subprocess.run([sys.executable, "-m", "pos_host", "fly"], capture_output=True, text=True, env=environment)

    assert (2, "", "pos-host: No such command 'fly'.\n") == (done.returncode, done.stdout, done.stderr)


def test_a_reader_that_has_seen_enough_brings_no_complaint(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.ask(*[sale(stan) for stan in range(1, 200)])
    host.end()
    command = (
        f"{sys.executable} -m pos_host transactions --limit 1000 --json --store sqlite:///{host.store} | head -n 1"
    )

    done = subprocess.run(command, shell=True, capture_output=True, text=True)

    assert (1, "") == (len(done.stdout.splitlines()), done.stderr)
