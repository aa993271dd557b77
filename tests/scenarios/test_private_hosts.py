"""`pos-terminal run` with hosts of its own, and what a host's books are worth after all that happened to them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.patience import HANGING_S
from tests.scenarios.stage import DIALECTS, SHIPPED

from pos_terminal.cli import run


def test_without_a_host_a_scenario_gets_one(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(SHIPPED / "normal/purchase.yaml"), str(SHIPPED / "security/mac_required.yaml")]

    assert 0 == run(["run", *files, "--json"])
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"scenarios": 4, "passed": 4, "failed": 0, "skipped": 0} == last


def test_a_private_host_that_does_not_start_is_told_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POS_HOST_KEYS", "/nowhere/keys.toml")

    assert 2 == run(["run", str(SHIPPED / "normal/purchase.yaml")])
    told = capsys.readouterr().err
    assert told.startswith("pos-terminal: the private host did not start: ")
    assert "/nowhere/keys.toml" in told


@pytest.mark.slow  # whole folders of scenarios against a store on disk, a commit for each message: ten seconds
def test_the_books_of_a_host_verify_after_every_accident(tmp_path: Path) -> None:
    store, ready = f"sqlite:///{tmp_path}/store.db", tmp_path / "ready.json"
    listen = [part for dialect in DIALECTS for part in ("--listen", f"127.0.0.1:0={dialect}")]
    options = ["--http", "127.0.0.1:0", "--mqtt", "off", "--clock", "manual", "--ready-file", str(ready)]
    command = [sys.executable, "-m", "pos_host"]
    host = subprocess.Popen([*command, "serve", "--store", store, *listen, *options], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + HANGING_S
        while not ready.exists():
            assert host.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        folders = [str(SHIPPED / name) for name in ("settlement", "repeats", "lost_answers")]
        assert 0 == run(["run", *folders, "--ready-file", str(ready)])
    finally:
        host.send_signal(signal.SIGTERM)
        host.wait(HANGING_S)

    proof = subprocess.run(
        [*command, "verify", "--store", store, "--json"], capture_output=True, text=True, check=False
    )
    report = json.loads(proof.stdout)
    assert (0, 0) == (proof.returncode, report["differences"]), report["details"]
    assert 100 < report["checked"]["transactions"]
