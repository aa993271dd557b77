"""`pos-host rules`: what makes a running host decline, delay, lie and break; and whether a rule file is a good one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pos_host.options import UsageError
from pos_host.rules.errors import RulesError
from pos_host.rules.rule import RuleFile, read_rule_file, read_rule_files
from pos_host.verbs.asking import Asked, JsonOption, LimitOption, asks_a_host, needs_a_host
from pos_host.verbs.listing import Column, show_one
from pos_host.verbs.office_client import OfficeClient, part
from pos_specs.yaml_lines import DocumentError, read_document

rules_app = typer.Typer(name="rules", help="What makes a host decline, delay, lie and break.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The rule's id.")]
FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="A rule file, or a shipped one by name.")]
FilesArgument = Annotated[list[str], typer.Argument(metavar="FILE", help="Rule files, or shipped ones by name.")]

_RULES: tuple[Column, ...] = (
    ("id", "id"),
    ("enabled", "enabled"),
    ("when", "when"),
    ("reply", "reply"),
    ("fault", "fault"),
    ("matched", "matched"),
    ("acted", "acted"),
)
_HITS: tuple[Column, ...] = (
    ("at", "at"),
    ("merchant", "merchant_id"),
    ("terminal", "terminal_id"),
    ("stan", "stan"),
    ("function", "function"),
    ("replied", "replied"),
    ("fault", "fault"),
)


@rules_app.command("list")
@asks_a_host
def list_command(asked: Asked) -> None:
    """List the rules of a host, in the order in which they are asked."""
    asked.show(asked.host.items("/rules"), _RULES, "rules")


@rules_app.command("load")
@asks_a_host
def load_command(
    asked: Asked,
    files: FilesArgument,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="What chance is drawn from.")] = None,
) -> None:
    """Give a host the rules of these files and no others."""
    try:
        read = read_rule_files(files, seed)
    except RulesError as error:
        raise UsageError(str(error)) from None
    body: dict[str, Any] = {"rules": [dict(rule.document) for rule in read.rules]}
    if read.seed is not None:
        body["seed"] = read.seed
    made = asked.host.put("/rules", body)
    asked.show(made["items"], _RULES, "rules")


@rules_app.command("add")
@asks_a_host
def add_command(
    asked: Asked,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="One rule in YAML or JSON, its braces included.")],
) -> None:
    """Put a rule behind those that a host has."""
    try:
        document = read_document(rule, "RULE").value
    except DocumentError as error:
        raise UsageError(str(error)) from None
    if not isinstance(document, dict):
        raise UsageError("RULE: must be one rule, such as '{when: {function: purchase}, fault: no_reply}'")
    asked.show_one(asked.host.post("/rules", document))


@rules_app.command("remove")
@asks_a_host
def remove_command(asked: Asked, id_: IdArgument) -> None:
    """Have a host forget a rule."""
    asked.show_one(asked.host.delete(f"/rules/{part(id_)}"))


@rules_app.command("enable")
@asks_a_host
def enable_command(asked: Asked, id_: IdArgument) -> None:
    """Have a rule act; one that had acted as often as it may begins anew."""
    asked.show_one(asked.host.post(f"/rules/{part(id_)}/enable"))


@rules_app.command("disable")
@asks_a_host
def disable_command(asked: Asked, id_: IdArgument) -> None:
    """Have a rule act no more."""
    asked.show_one(asked.host.post(f"/rules/{part(id_)}/disable"))


@rules_app.command("clear")
@needs_a_host
def clear_command(host: OfficeClient) -> None:
    """Have a host forget all rules."""
    host.delete("/rules")


@rules_app.command("hits")
@asks_a_host
def hits_command(asked: Asked, id_: IdArgument, limit: LimitOption = 100) -> None:
    """Show the requests on which a rule acted, the latest first."""
    asked.show(asked.host.items(f"/rules/{part(id_)}/hits", limit), _HITS, "hits")


@rules_app.command("check")
def check_command(file: FileArgument, as_json: JsonOption = False) -> None:
    """Check a rule file; every mistake is told with its line, one at a time."""
    read = _read(file)
    show_one({"rules": len(read.rules), "seed": read.seed, "ids": [rule.id for rule in read.rules]}, as_json=as_json)


def _read(file: str) -> RuleFile:
    try:
        return read_rule_file(file)
    except RulesError as error:
        raise UsageError(str(error)) from None
