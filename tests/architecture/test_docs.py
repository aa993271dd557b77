"""The documents are held against the code: what they name exists, and what exists they name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from pos_host import event_log
from pos_host.cli import add_other_verbs, app
from pos_host.ledger.entry import Entry
from pos_host.routing import Router
from pos_host.settlement.policy import load_policy, read_toml
from pos_host.transaction.request import CardReader
from pos_specs.loader import shipped_dialects

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_to_one(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text("utf-8"))
    local = [link for link in links if "://" not in link]

    assert [] == [link for link in local if not (document.parent / link).exists()]


def test_the_command_reference_names_every_option_of_serve() -> None:
    serve = typer.main.get_command(app).commands["serve"]  # type: ignore[attr-defined]
    options = {name for parameter in serve.params for name in parameter.opts if name != "--help"}

    assert set() == {name for name in options if f"`{name}" not in read("docs/commands.md")}


def test_the_command_reference_names_every_verb() -> None:
    add_other_verbs()
    verbs = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]

    assert set() == {verb for verb in verbs if not re.search(rf"`(pos-host )?{verb}\b", read("docs/commands.md"))}


def test_the_readme_names_exactly_the_functions_that_are_served() -> None:
    sentence = re.search(r"Functions served: (.*?)\. Anything else", read("README.md"), re.DOTALL)
    assert sentence is not None
    named = set(re.findall(r"`(\w+)`", sentence[1]))

    assert {*Router(CardReader(b"key")).handlers, "echo"} == named


def test_the_readme_names_every_shipped_dialect() -> None:
    assert [] == [name for name in shipped_dialects() if f"| `{name}` |" not in read("README.md")]


def test_the_policy_in_the_reference_is_the_shipped_one(tmp_path: Path) -> None:
    block = re.search(r"### Policy file\n\n```toml\n(.*?)```", read("docs/commands.md"), re.DOTALL)
    assert block is not None
    written = tmp_path / "policy.toml"
    written.write_text(block[1], "utf-8")

    assert load_policy(None) == load_policy(written)
    shipped = read_toml(ROOT / "host/pos_host/settlement/default_policy.toml")
    assert set(shipped) == set(read_toml(written))


def test_the_mqtt_reference_names_every_type_of_event() -> None:
    kinds = [*event_log._KINDS, "purchase", "reversal", "refused"]
    types = {event_log.event_type(Entry(kind, 1, 1, 0)) for kind in kinds}
    types |= {
        event_log.event_type(Entry("batch_closed", 1, 1, 0, detail=f'{{"result": "{result}"}}'))
        for result in ("balanced", "out_of_balance")
    }
    types |= set(event_log.JUDGED_TYPES.values())

    assert set() == {name for name in types if f"`{name}`" not in read("docs/mqtt.md")}
