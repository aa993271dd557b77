"""Reading scenario files: loops written out, and every mistake named with its file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.terminal.scenarios.stories import HEAD, scenario, scenarios

from pos_specs.yaml_lines import DocumentError, read_document
from pos_terminal.scenarios.loading import find_files, load_document, load_file

MISTAKES = {
    "unknown_key": (
        "- purchase: {amount: '1.00', crad: visa}",
        "story.yaml:4: steps[1].purchase.crad: no such key here",
    ),
    "amount_as_a_fraction": (
        "- echo:\n- purchase: {amount: 1.50}",
        "story.yaml:5: steps[2].purchase.amount: must be text",
    ),
    "no_amount": ("- purchase: {card: visa}", "story.yaml:4: steps[1].purchase.amount: is missing"),
    "two_things_in_one_step": ("- {echo: {}, sign_in: {}}", "story.yaml:4: steps[1]: one step does one thing"),
    "nothing_in_a_step": ("- {note: hello}", "story.yaml:4: steps[1]: one step does one thing, this does nothing"),
    "unknown_verb": ("- buy: {}", "story.yaml:4: steps[1].buy: no such key here"),
    "unknown_accident": ("- echo: {}\n  accident: earthquake", "story.yaml:5: steps[1].accident"),
    "alteration_of_a_check": (
        "- check: {status: active}\n  alter: {omit: ['4']}",
        "story.yaml:4: steps[1]: alter goes with",
    ),
    "unknown_terminal": ("- {echo: {}, terminal: nobody}", "story.yaml:4: steps[1].terminal: no terminal nobody"),
    "unknown_variable": (
        "- purchase: {amount: '${price}'}",
        "story.yaml:4: steps[1]: nothing gives variable price a value",
    ),
    "rows_without_steps": ("- each: [{a: 1}]", "story.yaml:4: steps[1]: each (rows) and do (steps) go together"),
    "loop_in_a_loop": (
        "- each: [{a: 1}]\n  do:\n    - each: [{b: 2}]\n      do: [{echo: {}}]",
        "story.yaml:6: steps[1].do[1]: a loop within a loop",
    ),
    "steps_that_are_none": ("echo", "story.yaml:3: steps"),
    "no_regular_expression": (
        "- echo:\n  expect: {fields: {'39': {matches: '('}}}",
        "story.yaml:5: steps[1].expect.fields.39.matches: is no regular expression",
    ),
    "a_place_that_nothing_is_saved_from": ("- echo:\n  save: {rrn: answer.37}", "story.yaml:5: steps[1].save.rrn"),
    "a_wait_without_end": ("- wait: {seconds: 9999}", "story.yaml:4: steps[1].wait.seconds"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_its_line_and_key(name: str) -> None:
    steps, says = MISTAKES[name]

    with pytest.raises(DocumentError) as error:
        scenarios(steps)
    assert says in str(error.value)


def test_a_file_without_description_is_refused() -> None:
    with pytest.raises(DocumentError, match="description: is missing"):
        load_document(read_document("scenario: A story\nsteps: [{echo: {}}]\n", "story.yaml"))


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"story\.yaml"):
        load_document(read_document("", "story.yaml"))


def test_a_verb_without_arguments_may_stand_alone() -> None:
    assert ["sign_in", "purchase_void"] == [step.verb for step in scenario("- sign_in:\n- purchase_void:").steps]


def test_each_row_of_a_scenario_is_lived_as_one() -> None:
    first, second = scenarios(
        "- purchase: {amount: '${amount}'}",
        "each: [{amount: '1.00', dialect: unionpay}, {amount: '2.00', dialect: hypercom}]\n"
        "needs: {dialect: '${dialect}'}\n",
    )

    assert ("1.00, unionpay", ("unionpay",), "1.00") == (
        first.row,
        first.dialects,
        first.steps[0].raw["purchase"]["amount"],
    )
    assert ("2.00, hypercom", ("hypercom",), "2.00") == (
        second.row,
        second.dialects,
        second.steps[0].raw["purchase"]["amount"],
    )


def test_a_loop_is_written_out_and_keeps_its_lines() -> None:
    steps = scenario(
        "- each:\n    - {card: visa}\n    - {card: jcb}\n  do:\n    - purchase: {amount: '1', card: '${card}'}"
    ).steps

    assert [("visa", 8), ("jcb", 8)] == [(step.raw["purchase"]["card"], step.line) for step in steps]


def test_a_variable_that_is_the_whole_text_keeps_its_type() -> None:
    [step] = scenario(
        "- each: [{count: 2}]\n  do:\n    - check: {batch: {debit: {count: '${count}', amount: '1.00'}}}"
    ).steps

    assert 2 == step.raw["check"]["batch"]["debit"]["count"]


def test_branches_are_read_like_other_steps() -> None:
    together = scenario(
        "- together:\n    - [{terminal: here, echo: {}}]\n    - [{terminal: there, sign_in: {}}]",
        "terminals: {here: {}, there: {}}\n",
    ).steps[0]

    assert [["echo"], ["sign_in"]] == [[step.verb for step in branch] for branch in together.branches]


def test_what_is_asked_of_the_host_follows_from_the_steps() -> None:
    assert not scenario("- echo:").asks_the_host
    assert scenario("- echo:\n- check: {status: active}").asks_the_host
    assert scenario("- advance: PT1H").moves_the_clock


def test_who_can_do_without_the_host_keeps_nothing_of_what_it_says() -> None:
    asks = "- api: {path: /status}\n  save: {version: body.version}"
    with pytest.raises(DocumentError) as error:
        scenario(asks, "needs: {admin: optional}\n")

    assert "story.yaml:6: steps[1].save: is not there without the API" in str(error.value)
    assert scenario(asks, "needs: {admin: true}\n").asks_the_host
    assert scenario("- echo:\n  save: {code: response.39}", "needs: {admin: optional}\n").steps


def test_a_scenario_may_be_toml(tmp_path: Path) -> None:
    file = tmp_path / "story.toml"
    file.write_text('scenario = "A story"\ndescription = "It."\n[[steps]]\npurchase = {amount = "1.00"}\n')

    [loaded] = load_file(file)
    assert ["purchase"] == [step.verb for step in loaded.steps]


def test_files_are_found_in_folders_in_order(tmp_path: Path) -> None:
    for name in ("b/second.yaml", "a/first.yml", "a/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{HEAD}steps: [{{echo: {{}}}}]\n")

    assert ["a/first.yml", "b/second.yaml"] == [
        file.relative_to(tmp_path).as_posix() for file in find_files([tmp_path])
    ]


def test_a_folder_without_scenarios_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no scenario in this folder"):
        find_files([tmp_path])


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such file or folder"):
        find_files([tmp_path / "gone.yaml"])


def test_a_key_of_a_terminal_that_is_no_hex_is_refused_without_repeating_it() -> None:
    with pytest.raises(DocumentError) as error:
        scenario("- echo:", "terminals: {till: {tmk: NOTHEXNOTHEXNOTHEX}}\n")
    assert "terminals.till.tmk" in str(error.value)
    assert "NOTHEX" not in str(error.value)


def test_a_dialect_that_nobody_knows_is_refused_at_its_line() -> None:
    with pytest.raises(DocumentError, match=r"story\.yaml:3: terminals\.till\.dialect: .*nonsense"):
        scenario("- echo:", "terminals: {till: {dialect: nonsense}}\n")
