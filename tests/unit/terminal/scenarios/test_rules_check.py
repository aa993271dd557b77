"""Mistakes in the rules of a scenario: found when its file is loaded, by the host that is installed."""

from __future__ import annotations

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from tests.unit.terminal.scenarios.stories import HEAD

from pos_host.rules.rule import read_rules
from pos_specs.yaml_lines import Document, DocumentError, Place, read_document
from pos_terminal.cli import run
from pos_terminal.scenarios.loading import load_document
from pos_terminal.scenarios.rules_check import ENTRY_POINTS

PYPROJECT = Path(__file__).parents[4] / "pyproject.toml"


def document(steps: str, more: str = "") -> Document:
    return read_document(f"{HEAD}{more}steps:\n{steps}\n", "story.yaml")


def test_a_mistake_is_told_with_line_and_key() -> None:
    steps = "  - echo:\n  - rules:\n    - {fault: no_reply}\n    - fault: no_reply\n      when: {funktion: echo}"

    with pytest.raises(DocumentError, match=r"story\.yaml:8: steps\[2\]\.rules\[2\]\.when\.funktion: "):
        load_document(document(steps), read_rules)


def test_a_mistake_within_a_loop_is_found_with_its_row_filled_in() -> None:
    steps = "  - each: [{f: echo}, {f: ecko}]\n    do:\n      - rules: [{when: {function: '${f}'}, fault: no_reply}]"

    with pytest.raises(DocumentError, match=r"story\.yaml:6: steps\[1\]\.do\[1\]\.rules\[1\]\.when\.function: "):
        load_document(document(steps), read_rules)


def test_ids_that_a_run_makes_are_no_mistake() -> None:
    when = "{terminal_id: '${terminal_id}', merchant_id: '${there.merchant_id}'}"

    load_document(
        document(f"  - rules: [{{when: {when}, fault: no_reply}}]", "terminals: {here: {}, there: {}}\n"), read_rules
    )


def test_rules_with_what_is_saved_on_the_way_are_left_to_the_host() -> None:
    checked: list[Place] = []
    steps = (
        "  - {purchase: {amount: '1.00'}, save: {code: response.39}}\n"
        "  - rules: [{reply: {response_code: '${code}'}}]\n"
        "  - rules: [{reply: {response_code: '51'}}]"
    )

    load_document(document(steps), lambda document, rules, place: checked.append(place))
    assert [("steps", 2, "rules")] == checked


def test_the_package_names_the_hosts_own_reading_of_rules() -> None:
    named = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["entry-points"][ENTRY_POINTS]

    assert [read_rules] == [EntryPoint(name, value, ENTRY_POINTS).load() for name, value in named.items()]


def test_the_verb_asks_the_installed_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "story.yaml"
    file.write_text(f"{HEAD}steps:\n  - rules: [{{fault: no_replay}}]\n")

    assert 2 == run(["run", str(file), "--list"])
    assert f"pos-terminal: {file}:4: steps[1].rules[1].fault.kind: " in capsys.readouterr().err
