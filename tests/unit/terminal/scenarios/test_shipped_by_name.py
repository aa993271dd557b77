"""Scenarios that ship with the package, listed, printed and found by name from anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pos_specs.yaml_lines import read_document
from pos_terminal.cli import run
from pos_terminal.scenarios.loading import find_files, load_document, load_file
from pos_terminal.scenarios.shipped_scenarios import SHIPPED, shipped_names, shipped_path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_shipped_file_and_a_shipped_folder_are_found_by_name() -> None:
    assert [SHIPPED / "settlement/balanced.yaml"] == find_files([Path("settlement/balanced")])
    assert find_files([SHIPPED / "settlement"]) == find_files([Path("settlement")])


def test_a_file_of_the_users_own_goes_before_a_shipped_one() -> None:
    own = Path("settlement/mine.yaml")
    own.parent.mkdir()
    own.touch()

    assert [own] == find_files([Path("settlement")])


@pytest.mark.parametrize(
    "name", ["", ".", "..", "/", "balanced", "settlement/balanced.yaml", "settlement/../settlement"]
)
def test_what_is_no_name_finds_nothing_shipped(name: str) -> None:
    assert shipped_path(name) is None


def test_reports_call_a_shipped_file_by_its_name_wherever_the_package_lies() -> None:
    [first, *_] = load_file(SHIPPED / "settlement/balanced.yaml")

    assert "settlement/balanced.yaml" == first.file


def test_the_list_has_every_shipped_file_with_its_title(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["scenarios", "--json"])
    listed = {document["name"]: document for document in map(json.loads, capsys.readouterr().out.splitlines())}

    assert shipped_names() == list(listed)
    assert "A settlement balances" == listed["settlement/balanced"]["scenario"]
    assert ["unionpay", "hypercom", "iso87-ascii"] == listed["settlement/balanced"]["dialects"]


def test_a_tag_shortens_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["scenarios", "--tag", "void"])
    lines = capsys.readouterr().out.splitlines()

    assert "codes/already_voided: A sale is voided twice (codes, void)" in lines
    assert len(lines) < len(shipped_names())
    assert 2 == run(["scenarios", "--tag", "nothing"])


def test_a_printed_scenario_is_one_to_copy_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["scenarios", "settlement/balanced"])
    printed = capsys.readouterr().out

    assert "A settlement balances" == load_document(read_document(printed, "mine.yaml"))[0].title


@pytest.mark.parametrize("arguments", [["nothing/such"], ["settlement"], ["settlement/balanced", "--json"]])
def test_what_cannot_be_printed_is_said_in_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(["scenarios", *arguments])
    assert 1 == capsys.readouterr().err.count("\n")


def test_all_that_ship_are_run_by_one_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["run", "--shipped", "--tag", "void", "--list"])
    assert "codes/already_voided.yaml: " in capsys.readouterr().out


def test_a_name_that_is_nowhere_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(["run", "settlement/unheard_of"])
    assert "settlement/unheard_of: no such file or folder, and no shipped scenario" in capsys.readouterr().err
