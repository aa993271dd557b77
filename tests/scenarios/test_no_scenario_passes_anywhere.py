"""No shipped scenario passes whatever the host does: each fails where the host lies in what the scenario asks for, or
where it was not started as the scenario needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.stage import SHIPPED, Stage

from pos_specs.vocabulary import FUNCTIONS
from pos_terminal.scenarios.loading import Scenario, all_steps, find_files, load_file

PATIENCE_S = 0.2

FILES = find_files([SHIPPED])

LIES: tuple[dict[str, Any], ...] = (
    {"reply": {"set": {"39": "05"}}},
    {"reply": {"set": {"39": "00"}}},
    {"reply": {"omit": ["11", "39"]}},
    {"fault": {"kind": "drop_before_commit"}},
)
"""A host that refuses, approves, forgets elements, or hangs up."""


def functions_from_the_end(scenario: Scenario) -> list[str]:
    """What the scenario's terminals ask for, the last first, each once; anything, where it only sends bytes."""
    asked = [step.verb for step in all_steps(scenario.steps) if step.verb in FUNCTIONS]
    return list(dict.fromkeys(reversed(asked))) or [""]


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(SHIPPED).with_suffix("").as_posix())
def test_a_scenario_fails_where_the_host_lies_in_what_it_is_about(stage: Stage, file: Path) -> None:
    scenario = load_file(file)[0]
    when = [{} if function == "" else {"when": {"function": function}} for function in functions_from_the_end(scenario)]

    assert fails_elsewhere(stage, scenario) or any(
        lied_to(stage, scenario, {**where, **lie}) for where in when for lie in LIES
    )


def fails_elsewhere(stage: Stage, scenario: Scenario) -> bool:
    """Whether a scenario that needs a host of its own fails against the usual one."""
    return stage.live(scenario, stage.host(), PATIENCE_S).verdict == "failed"


def lied_to(stage: Stage, scenario: Scenario, rule: dict[str, Any]) -> bool:
    stage.ask("POST", "/rules", {"id": "lie", **rule})
    try:
        return stage.live(scenario, patience_s=PATIENCE_S).verdict == "failed"
    finally:
        stage.ask("DELETE", "/rules/lie")
