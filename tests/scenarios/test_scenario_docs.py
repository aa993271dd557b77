"""The guide to scenarios is held against the code: its first scenario runs, and every key and option stands in it."""

from __future__ import annotations

import re
from typing import get_args

import pytest
import typer
from pydantic import BaseModel
from tests.scenarios.stage import SHIPPED, Stage

from pos_specs.yaml_lines import read_document
from pos_terminal.cli import app
from pos_terminal.scenarios.expectations import Batch, Check, Expect
from pos_terminal.scenarios.loading import load_document
from pos_terminal.scenarios.models import Api, HostNeeds, Needs, ScenarioFile, Step, TerminalSpec
from pos_terminal.scenarios.step_arguments import AccidentKind, Alter

GUIDE = (SHIPPED.parent / "docs/scenarios.md").read_text("utf-8")


def first_scenario() -> str:
    found = re.search(r"```yaml\n# lost\.yaml\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    return "# lost.yaml\n" + found[1]


def test_the_first_scenario_of_the_guide_passes(stage: Stage) -> None:
    [scenario] = load_document(read_document(first_scenario(), "lost.yaml"))

    assert "passed" == stage.live(scenario).verdict


def test_the_failure_that_the_guide_shows_is_what_comes(stage: Stage) -> None:
    text = first_scenario().replace('response_code: "00"', 'response_code: "51"')
    outcome = stage.live(*load_document(read_document(text, "lost.yaml")))

    assert outcome.failure is not None
    place, difference = str(outcome.failure).rsplit(": ", 1)
    assert f"        {place}\n          {difference}\n" in GUIDE


@pytest.mark.parametrize(
    "model",
    [ScenarioFile, Step, Needs, HostNeeds, TerminalSpec, Alter, Expect, Check, Batch, Api],
    ids=lambda m: m.__name__,
)
def test_every_key_of_a_file_stands_in_the_guide(model: type[BaseModel]) -> None:
    assert [] == [key for key in model.model_fields if not re.search(rf"\b{key}\b", GUIDE)]


def test_every_accident_stands_in_the_guide() -> None:
    assert [] == [kind for kind in get_args(AccidentKind) if f"`{kind}`" not in GUIDE and f" {kind}`" not in GUIDE]


def test_every_option_of_the_verb_stands_in_the_guide() -> None:
    verb = typer.main.get_command(app).commands["run"]  # type: ignore[attr-defined]
    options = {
        name for parameter in verb.params for name in parameter.opts if name.startswith("--") and name != "--help"
    }

    assert set() == {name for name in options if f"`{name}" not in GUIDE}


def test_every_folder_of_the_collection_stands_in_the_guide() -> None:
    assert [] == [path.name for path in SHIPPED.iterdir() if path.is_dir() and f"| `{path.name}` |" not in GUIDE]
