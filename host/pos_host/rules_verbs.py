"""`pos-host rules`: what makes a running host decline, delay, lie and break; and whether a rule file is a good one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pos_host.listing import Column, show, show_one
from pos_host.office_client import (
    AdminOption,
    JsonOption,
    LimitOption,
    OfficeClient,
    ReadyFileOption,
    TokenOption,
    office_at,
    part,
)
from pos_host.options import UsageError
from pos_host.rules.errors import RulesError
from pos_host.rules.rule import RuleFile, read_rule_file, read_rule_files
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
def list_command(
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the rules of a host, in the order in which they are asked."""
    show(office_at(admin, token, ready_file).items("/rules"), _RULES, "rules", as_json=as_json)


@rules_app.command("load")
def load_command(
    files: FilesArgument,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="What chance is drawn from.")] = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a host the rules of these files and no others."""
    try:
        read = read_rule_files(files, seed)
    except RulesError as error:
        raise UsageError(str(error)) from None
    body: dict[str, Any] = {"rules": [dict(rule.document) for rule in read.rules]}
    if read.seed is not None:
        body["seed"] = read.seed
    made = office_at(admin, token, ready_file).put("/rules", body)
    show(made["items"], _RULES, "rules", as_json=as_json)


@rules_app.command("add")
def add_command(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="One rule in YAML or JSON, its braces included.")],
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a rule behind those that a host has."""
    try:
        document = read_document(rule, "RULE").value
    except DocumentError as error:
        raise UsageError(str(error)) from None
    if not isinstance(document, dict):
        raise UsageError("RULE: must be one rule, such as '{when: {function: purchase}, fault: no_reply}'")
    show_one(office_at(admin, token, ready_file).post("/rules", document), as_json=as_json)


@rules_app.command("remove")
def remove_command(
    id_: IdArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have a host forget a rule."""
    _show_after(office_at(admin, token, ready_file), "DELETE", f"/rules/{part(id_)}", as_json=as_json)


@rules_app.command("enable")
def enable_command(
    id_: IdArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have a rule act; one that had acted as often as it may begins anew."""
    _show_after(office_at(admin, token, ready_file), "POST", f"/rules/{part(id_)}/enable", as_json=as_json)


@rules_app.command("disable")
def disable_command(
    id_: IdArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have a rule act no more."""
    _show_after(office_at(admin, token, ready_file), "POST", f"/rules/{part(id_)}/disable", as_json=as_json)


@rules_app.command("clear")
def clear_command(
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
) -> None:
    """Have a host forget all rules."""
    office_at(admin, token, ready_file).ask("DELETE", "/rules", None, {})


@rules_app.command("hits")
def hits_command(
    id_: IdArgument,
    limit: LimitOption = 100,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the requests on which a rule acted, the latest first."""
    rows = office_at(admin, token, ready_file).items(f"/rules/{part(id_)}/hits", limit)
    show(rows, _HITS, "hits", as_json=as_json)


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


def _show_after(office: OfficeClient, method: str, path: str, *, as_json: bool) -> None:
    show_one(office.ask(method, path, None, {}), as_json=as_json)
