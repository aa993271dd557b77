"""Every shipped scenario against our own host, and what the collection must hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.scenarios.stage import DIALECTS, SHIPPED, Stage

from pos_specs.language import open_language
from pos_terminal.scenarios.loading import all_steps, find_files, load_file

FILES = find_files([SHIPPED])
FAULTS = range(1, 37)
"""Those of section 6 of the protocol notes on Hypercom (wire/hypercom.md)."""

NO_COMMAND_OF_A_TERMINAL = {"unsupported", "batch_upload", "batch_upload_end", "tc_advice", "download", "signature"}
"""Sent by a settlement or a download, or not by a terminal of this kind."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(SHIPPED).with_suffix("").as_posix())
def test_a_shipped_scenario_passes(stage: Stage, file: Path) -> None:
    for scenario in load_file(file):
        outcome = stage.live(scenario)

        assert outcome.failure is None, f"{scenario.name}: {outcome.failure}"
        assert "passed" == outcome.verdict


def test_at_least_forty_scenarios_are_shipped() -> None:
    assert 40 <= len(FILES)


def test_no_two_scenarios_have_the_same_title() -> None:
    titles = [load_file(file)[0].title for file in FILES]

    assert sorted(set(titles)) == sorted(titles)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_function_that_a_terminal_begins_is_in_some_scenario(dialect: str) -> None:
    begun = set()
    for file in FILES:
        for scenario in load_file(file):
            spoken = {name: spec.dialect for name, spec in scenario.terminals.items()}
            first = next(iter(spoken))
            begun |= {
                step.verb for step in all_steps(scenario.steps) if spoken[step.raw.get("terminal") or first] == dialect
            }

    functions = {rule.name for rule in open_language(dialect).dialect.functions}
    assert set() == functions - NO_COMMAND_OF_A_TERMINAL - begun


def test_every_fault_of_the_protocol_notes_is_in_some_scenario() -> None:
    told = " ".join(file.read_text("utf-8") for file in FILES)
    numbers = {
        int(number)
        for found in re.findall(r"\bfaults? ([0-9]+(?: and [0-9]+)*)", told)
        for number in found.split(" and ")
    }

    assert [] == [number for number in FAULTS if number not in numbers]
