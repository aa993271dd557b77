"""The GitHub Action and the GitLab template: what they say is well formed, and their commands do what they promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from tests.scenarios.stage import SHIPPED

ROOT = SHIPPED.parent
COMMANDS = Path(sys.executable).parent
"""Where pos-host and pos-terminal are installed for the tests: the templates' own installation is not run."""

TIMEOUT_S = 120
"""Start of a host, one scenario and its end: seconds, on a busy machine more."""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "POS_HOST_"))}
    return {**kept, "PATH": f"{COMMANDS}{os.pathsep}{os.environ['PATH']}", "RUNNER_TEMP": str(tmp_path)}


def action() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    return loaded


def gitlab() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "ci/pos-host.gitlab-ci.yml").read_text("utf-8"))
    job: dict[str, Any] = loaded[".pos-host-scenarios"]
    return job


def bash(script: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The script as GitHub and GitLab run it; its output goes to a file, since the host it starts lives on."""
    with (folder / "output.txt").open("w+") as output:
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
        done = subprocess.run(command, cwd=folder, env=environment, stdout=output, stderr=output, timeout=TIMEOUT_S)
        output.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, output.read())


def with_inputs(values: dict[str, str], inputs: dict[str, str]) -> dict[str, str]:
    """The environment of a step, `${{ inputs.name }}` filled in."""
    return {
        name: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: inputs[found[1]], value)
        for name, value in values.items()
    }


def test_every_input_that_the_action_uses_is_declared() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")

    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(action()["inputs"])


def test_every_step_of_the_action_names_its_shell_or_another_action() -> None:
    for step in action()["runs"]["steps"]:
        assert ("uses" in step) != (step.get("shell") == "bash")


def test_no_input_is_put_into_a_script() -> None:
    for step in action()["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


def test_the_action_starts_a_host_lives_scenarios_and_stops_it(tmp_path: Path, environment: dict[str, str]) -> None:
    document = action()
    inputs = {name: spec["default"] for name, spec in document["inputs"].items()}
    inputs["tags"] = "balance"  # of all that ship: three
    environment |= {"GITHUB_ACTION_PATH": str(ROOT), "GITHUB_STEP_SUMMARY": str(tmp_path / "step.md")}
    start, live, stop = [step for step in document["runs"]["steps"] if "run" in step and step["name"] != "Install"]
    try:
        began = bash(start["run"], tmp_path, environment | with_inputs(start["env"], inputs))
        assert 0 == began.returncode, began.stdout
        lived = bash(live["run"], tmp_path, environment | with_inputs(live["env"], inputs))
    finally:
        ended = bash(stop["run"], tmp_path, environment)

    assert 0 == lived.returncode, lived.stdout
    assert "3" == ElementTree.parse(tmp_path / inputs["junitxml"]).getroot().get("tests")
    assert "3 passed" in (tmp_path / "step.md").read_text("utf-8")
    assert 0 == ended.returncode


def test_a_host_that_does_not_start_fails_the_step_and_shows_its_log(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    [start] = [step for step in action()["runs"]["steps"] if step["name"] == "Start the host"]
    done = bash(start["run"], tmp_path, environment | {"SERVE_OPTIONS": "--listen nowhere"})

    assert 1 == done.returncode
    assert "--listen nowhere" in done.stdout


@pytest.mark.parametrize("command", ['pip" install', "pos-host serve", "pos-terminal run"])
def test_the_action_names_each_command(command: str) -> None:
    assert any(command in step.get("run", "") for step in action()["runs"]["steps"])


def test_the_gitlab_job_starts_a_host_lives_scenarios_and_stops_it(tmp_path: Path, environment: dict[str, str]) -> None:
    job = gitlab()
    variables = {**job["variables"], "POS_SCENARIOS": "normal/purchase"}
    try:
        lived = bash("\n".join(job["script"]), tmp_path, environment | variables)
    finally:
        ended = bash("\n".join(job["after_script"]), tmp_path, environment)

    assert 0 == lived.returncode, lived.stdout
    assert "3" == ElementTree.parse(tmp_path / job["artifacts"]["reports"]["junit"]).getroot().get("tests")
    assert 0 == ended.returncode
    assert not (tmp_path / "pos-host-ready.json").exists()


def test_the_gitlab_job_installs_the_package() -> None:
    assert ['pip install --quiet "$POS_HOST_PACKAGE"'] == gitlab()["before_script"]
