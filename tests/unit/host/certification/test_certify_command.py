"""`pos-host certify` as a process: where terminals may come, what it prints, how it ends, and its exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.patience import HANGING_S

"""A machine that does eight things at once may take long to start Python."""


@contextmanager
def certifying(tmp_path: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running certification and its address."""
    ready = tmp_path / "ready.json"
    command = [
        sys.executable,
        "-m",
        "pos_host",
        "certify",
        "--listen",
        "127.0.0.1:0",
        "--report",
        str(tmp_path / "report"),
    ]
    process = subprocess.Popen(
        [*command, "--ready-file", str(ready), "--json", *options], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    try:
        end_s = time.monotonic() + HANGING_S
        while not ready.exists():
            assert process.poll() is None
            assert time.monotonic() < end_s
            time.sleep(0.02)
        (listener,) = json.loads(ready.read_text())["listeners"]
        yield process, f"{listener['host']}:{listener['port']}"
    finally:
        process.kill()
        process.wait()


def lines_of(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    output, _ = process.communicate(timeout=HANGING_S)
    return [json.loads(line) for line in output.splitlines()]


def test_a_terminals_message_is_told_and_sigterm_ends_it_with_a_report(tmp_path: Path) -> None:
    with certifying(tmp_path, "--suite", "hypercom") as (process, address):
        terminal = [sys.executable, "-m", "pos_terminal", "echo", "--host", address, "--dialect", "hypercom"]
        subprocess.run(terminal, cwd=tmp_path, check=True, capture_output=True, timeout=HANGING_S)
        process.send_signal(signal.SIGTERM)
        lines = lines_of(process)

    assert ["listening", "next"] == [line["event"] for line in lines[:2]]
    assert "echo" in {line["function"] for line in lines if line["event"] == "message"}
    assert "it was asked to end" == lines[-1]["because"]
    assert 1 == process.returncode, "something was not seen"
    assert {"report.html", "report.json", "report.xml"} == {path.name for path in (tmp_path / "report").iterdir()}
    assert not (tmp_path / "ready.json").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--suite", "nothing"], "--suite nothing: no such suite"),
        (["--suite", "unionpay", "--listen", "nowhere"], "--listen nowhere: must be ADDR:PORT"),
        (["--suite", "unionpay", "--idle-s", "0"], "--idle-s 0: must be above 0"),
        (["--suite", "unionpay", "--keys", "missing.toml"], "--keys missing.toml"),
        (["--suite", "unionpay", "--report", "/proc/nowhere"], "--report /proc/nowhere"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from pos_host.cli import run_command

    assert 2 == run_command(["certify", *options])
    error = capsys.readouterr().err
    assert said in error
    assert 1 == error.count("\n")
