"""`pos-host dialects`."""

from importlib import resources
from pathlib import Path

import pytest
from tests.unit.host.decoding.commands import documents, run

from pos_specs.loader import shipped_dialects


def test_the_shipped_dialects_are_listed() -> None:
    plain, as_json = run("dialects", "list"), run("dialects", "list", "--json")

    assert shipped_dialects() == [line.split()[0] for line in plain.stdout.splitlines()]
    assert shipped_dialects() == [document["name"] for document in documents(as_json)]


@pytest.mark.parametrize("name", shipped_dialects())
def test_a_dialect_is_shown_with_elements_functions_and_codes(name: str) -> None:
    shown = run("dialects", "show", name)

    assert 0 == shown.exit_code
    assert shown.stdout.startswith(f"{name}: ")
    for word in ("processing code", "n..19", "purchase", "200 ", "201 ", "Approved"):
        assert word in shown.stdout


def test_a_dialect_is_one_json_document() -> None:
    (document,) = documents(run("dialects", "show", "unionpay", "--json"))

    assert {"name": "pan", "zh": "主账号", "format": "n..19", "sensitive": "pan"} == document["elements"]["2"]
    assert "sign_in" == document["functions"][0]["name"]
    assert "Approved" == document["codes"]["00"]["en"]


def test_what_a_dialect_extends_is_shown() -> None:
    (document,) = documents(run("dialects", "show", "base24-pos", "--json"))

    assert ["iso87-ascii"] == document["extends"]
    assert run("dialects", "show", "base24-pos").stdout.splitlines()[0].endswith(", extends iso87-ascii")


def test_the_generated_source_is_shown_and_compiles() -> None:
    source = run("dialects", "show", "hypercom", "--source").stdout

    assert ["purchase, request", "purchase, answer"] == [
        line[2:].partition(":")[0] for line in source.splitlines() if line.startswith("# ")
    ]
    compile(source, "shown", "exec")


@pytest.mark.parametrize("name", shipped_dialects())
def test_a_good_file_is_called_good(name: str, tmp_path: Path) -> None:
    file = tmp_path / "copy.toml"
    file.write_text((resources.files("pos_specs") / "dialects" / f"{name}.toml").read_text("utf-8"), "utf-8")

    result = run("dialects", "check", str(file))

    assert 0 == result.exit_code
    assert result.stdout.startswith(f"copy.toml: {name}, ")


def test_a_mistake_in_a_file_is_named_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "mybank.toml"
    file.write_text('[dialect]\nname = "mybank"\n', "utf-8")

    result = run("dialects", "check", str(file))

    assert (2, "pos-host dialects: mybank.toml: wire.mti: is missing\n") == (result.exit_code, result.stderr)


def test_a_dialect_that_is_not_there_is_refused_in_one_line() -> None:
    result = run("dialects", "show", "klingon")

    assert (2, 1) == (result.exit_code, len(result.stderr.splitlines()))
    assert "no such dialect" in result.stderr
