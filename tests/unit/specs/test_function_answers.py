"""What a function's answers hold where that is not what the dialect's answers hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.specs.test_loader import GOOD

from pos_specs.errors import DialectError
from pos_specs.loader import read_dialect


def read(tmp_path: Path, row: str) -> dict[int, str]:
    """The answers of GOOD's purchase with `row` in place of its `add`."""
    path = tmp_path / "mybank.toml"
    path.write_text(GOOD.replace("add = [39]", row, 1), "utf-8")
    return dict(read_dialect(path).functions[0].answer)


def test_a_function_says_what_its_own_answers_hold(tmp_path: Path) -> None:
    assert {62: "ca_key"} == read(tmp_path, 'add = [39, 62]\nanswer = { 62 = "ca_key" }')


def test_without_a_word_of_its_own_the_dialects_answers_hold(tmp_path: Path) -> None:
    assert {} == read(tmp_path, "add = [39]")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('add = [39]\nanswer = { 62 = "ca_key" }', "functions[1].answer.62: is not in add"),
        ('add = [39, 62]\nanswer = { 62 = "tea" }', "functions[1].answer.62: is 'tea', must be one of"),
        ('add = [39]\nanswer = { 64 = "rrn" }', "functions[1].answer.64: is not a defined element"),
        ("add = [39, 62]", "functions[1].add: 62 is not in [answer]"),
    ],
)
def test_a_wrong_answer_of_a_function_is_refused(tmp_path: Path, row: str, reason: str) -> None:
    with pytest.raises(DialectError) as refused:
        read(tmp_path, row)

    assert reason in str(refused.value)
    assert "mybank.toml:" in str(refused.value)
