"""Both commands say which release they are."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from pos_host.cli import run_command
from pos_terminal.cli import run

PROJECT = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.mark.parametrize(("name", "command"), [("pos-host", run_command), ("pos-terminal", run)])
def test_a_command_says_which_release_it_is(
    name: str, command: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == command(["--version"])

    assert f"{name} {PROJECT['version']}\n" == capsys.readouterr().out
