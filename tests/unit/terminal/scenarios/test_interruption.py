"""A run that is told to stop: what was lived is told, the scenario under way too, and no other is begun."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest
from tests.patience import HANGING_S
from tests.unit.terminal.scenarios.stories import HEAD, scenario
from tests.unit.terminal.scripted_host import ScriptedHost
from tests.unit.terminal.tcp_host import TcpHost, serving

from pos_terminal.addresses import Address
from pos_terminal.scenarios.loading import Scenario
from pos_terminal.scenarios.results import Outcome
from pos_terminal.scenarios.running import Settings
from pos_terminal.scenarios.suite import live_all
from pos_terminal.scenarios.targets import RunClock, Target

ECHO = scenario("- echo:")
ENDLESS = scenario("- hang_up:\n- wait: {seconds: 60}\n- echo:")


@pytest.fixture
def tcp() -> Iterator[TcpHost]:
    with serving(ScriptedHost("unionpay")) as served:
        yield served


async def lived(
    target: Target | None, stories: list[Scenario], stop: asyncio.Event, first: Callable[[], object]
) -> list[Outcome]:
    """The outcomes; `first` is called once the first of them was told."""
    told: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        told.append(outcome)
        if len(told) == 1:
            first()

    outcomes = await live_all(stories, target, Settings(RunClock(datetime.now), Random(7), 2.0), tell, stop)
    assert told == outcomes
    return outcomes


def target_of(tcp: TcpHost) -> Target:
    return Target({"unionpay": Address("127.0.0.1", tcp.port)})


async def test_no_scenario_is_begun_once_the_run_is_to_stop(tcp: TcpHost) -> None:
    stop = asyncio.Event()
    outcomes = await lived(target_of(tcp), [ECHO, ECHO, ECHO], stop, stop.set)

    assert ["passed"] == [outcome.verdict for outcome in outcomes]
    assert 1 == len(tcp.host.requests)


async def test_the_scenario_under_way_is_interrupted_at_its_step(tcp: TcpHost) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    stories = [ECHO, ENDLESS, ECHO]
    _, outcome = await lived(target_of(tcp), stories, stop, lambda: loop.call_soon(stop.set))

    assert ("interrupted", 1) == (outcome.verdict, outcome.steps_done)
    assert "story.yaml:5: wait: interrupted" == str(outcome.failure)


async def test_a_run_whose_host_is_still_starting_is_interrupted_too() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, stop.set)
    [outcome] = await lived(None, [ECHO, ECHO], stop, stop.set)

    assert "interrupted" == outcome.verdict
    assert "story.yaml: the start of its host: interrupted" == str(outcome.failure)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_with_130_and_its_reports(
    tcp: TcpHost, tmp_path: Path, number: signal.Signals
) -> None:
    files = {"a.yaml": "  - echo:\n", "b.yaml": "  - wait: {seconds: 60}\n", "c.yaml": "  - echo:\n"}
    for name, steps in files.items():
        (tmp_path / name).write_text(f"{HEAD}steps:\n{steps}")
    options = ["--host", tcp.address, "--junitxml", "report.xml"]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    running = subprocess.Popen(
        [sys.executable, "-m", "pos_terminal", "run", *files, *options],
        cwd=tmp_path,
        env=ours,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    assert running.stdout.readline().startswith("passed  A story")
    running.send_signal(number)
    out, err = running.communicate(timeout=HANGING_S)

    assert (130, "pos-terminal: interrupted: 1 scenarios were not begun\n") == (running.returncode, err)
    assert out.endswith("2 scenarios: 1 passed, 0 failed, 0 skipped, 1 interrupted\n")
    root = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert ("2", "0", "1") == (root.get("tests"), root.get("failures"), root.get("errors"))
    assert ["b.yaml:4: wait: interrupted"] == [error.text for error in root.iter("error")]
