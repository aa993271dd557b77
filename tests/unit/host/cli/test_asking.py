"""What a verb that asks a host is handed, and the options that typer sees in place of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from pos_host.cli import add_other_verbs, app
from pos_host.options import UsageError
from pos_host.verbs.asking import Asked, asks_a_host, needs_a_host
from pos_host.verbs.office_client import OfficeClient

HOST_OPTIONS = ["admin", "token", "ready_file"]


def run(verb: typer.Typer, *arguments: str) -> str:
    result = CliRunner().invoke(verb, arguments, catch_exceptions=False)
    assert 0 == result.exit_code, result.output
    return result.output


def test_a_verb_is_handed_its_own_parameters_and_what_the_options_say(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text(json.dumps({"http": "http://127.0.0.1:9", "admin_token": "of-the-file"}))
    handed = []
    verb = typer.Typer()

    @verb.command()
    @asks_a_host
    def look(asked: Asked, name: Annotated[str, typer.Argument()], most: Annotated[int, typer.Option()] = 7) -> None:
        """Look."""
        handed.append((name, most, type(asked.host), asked.as_json))

    run(verb, "Zhang", "--ready-file", str(ready))
    run(verb, "Li", "--most", "9", "--json", "--token", "mine")

    assert [("Zhang", 7, OfficeClient, False), ("Li", 9, OfficeClient, True)] == handed


def test_a_verb_that_has_forms_of_its_own_gets_no_json_option() -> None:
    handed = []
    verb = typer.Typer()

    @verb.command()
    @needs_a_host
    def look(host: OfficeClient, as_json: Annotated[str, typer.Option("--json")] = "own") -> None:
        handed.append((type(host), as_json))

    run(verb, "--token", "mine")

    assert [(OfficeClient, "own")] == handed


def test_the_answer_is_shown_as_the_user_wants_it(capsys: pytest.CaptureFixture[str]) -> None:
    host = OfficeClient("http://127.0.0.1:9", "token")
    Asked(host, as_json=True).show_one({"name": "Zhang"})
    Asked(host, as_json=False).show_one({"name": "Zhang"})
    Asked(host, as_json=True).show([{"name": "Li"}], (("name", "name"),), "users")
    Asked(host, as_json=False).show([{"name": "Li"}], (("name", "name"),), "users")

    documents, line, more, *table = capsys.readouterr().out.splitlines()
    assert ({"name": "Zhang"}, "name  Zhang", {"name": "Li"}) == (json.loads(documents), line, json.loads(more))
    assert "1 users" in "".join(table)


def test_a_host_that_cannot_be_meant_is_one_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    verb = typer.Typer()
    verb.command()(asks_a_host(lambda asked: None))

    with pytest.raises(UsageError, match="no token: give --token or --ready-file"):
        run(verb)
    with pytest.raises(UsageError, match="--admin ftp://x: must be a URL"):
        run(verb, "--admin", "ftp://x", "--token", "mine")


def test_every_verb_that_can_be_told_a_host_ends_in_the_same_options() -> None:
    add_other_verbs()
    groups = typer.main.get_command(app).commands.values()  # type: ignore[attr-defined]
    verbs = [verb for group in groups for verb in getattr(group, "commands", {"": group}).values()]
    asking = {verb.name: [parameter.name for parameter in verb.params] for verb in verbs}
    asking = {name: names for name, names in asking.items() if "admin" in names}

    assert len(asking) > 50
    for name, names in asking.items():
        ends = [one for one in names[names.index("admin") :]]
        assert ends in (HOST_OPTIONS, [*HOST_OPTIONS, "as_json"]), name
