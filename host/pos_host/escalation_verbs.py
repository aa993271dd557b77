"""`pos-host escalations` and `pos-host remind`: who answers for a terminal that does not settle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pos_host.application_verbs import IdArgument, MerchantOption, TerminalArgument
from pos_host.listing import Column, show, show_one
from pos_host.office_client import (
    AdminOption,
    JsonOption,
    ReadyFileOption,
    TokenOption,
    WhyOption,
    office_at,
    part,
)
from pos_host.options import UsageError

escalations_app = typer.Typer(
    name="escalations", help="Who answers for the terminals that do not settle.", no_args_is_help=True
)

ScopeArgument = Annotated[str, typer.Argument(help="acquirer, a merchant's number, or MERCHANT/TERMINAL.")]

_COLUMNS: tuple[Column, ...] = (
    ("id", "id"),
    ("state", "state"),
    ("merchant", "merchant_id"),
    ("terminal", "terminal_id"),
    ("severity", "severity"),
    ("not paid", "impact.not_paid_minor"),
    ("days late", "impact.days_late"),
    ("responsible", "responsible"),
    ("acknowledge by", "acknowledge_by"),
    ("acknowledged by", "acknowledged_by"),
)


@escalations_app.command("list")
def list_command(
    merchant_id: MerchantOption = None,
    state: Annotated[str | None, typer.Option("--state", help="raised, acknowledged or ended.")] = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the escalations in the order they were raised."""
    office = office_at(admin, token, ready_file)
    show(office.items("/escalations", merchant_id=merchant_id, state=state), _COLUMNS, "escalations", as_json=as_json)


@escalations_app.command("acknowledge")
def acknowledge_command(
    escalation_id: IdArgument,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take an escalation on, so that it does not climb."""
    office = office_at(admin, token, ready_file)
    show_one(office.post(f"/escalations/{part(escalation_id)}/acknowledge", {"why": why}), as_json=as_json)


@escalations_app.command("ladder")
def ladder_command(
    scope: ScopeArgument = "acquirer",
    file: Annotated[Path | None, typer.Option("--set", help="A JSON file: a list of steps by severity.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take the scope's own ladder away.")] = False,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who answers for a scope, or set it."""
    if file is not None and clear:
        raise UsageError("--set and --clear contradict each other")
    office = office_at(admin, token, ready_file)
    path = f"/escalation-ladders/{part(scope)}"
    if file is None and not clear:
        show_one(office.get(path), as_json=as_json)
        return
    ladder = None
    if file is not None:
        try:
            ladder = json.loads(file.read_text("utf-8"))
        except OSError as error:
            raise UsageError(f"--set {file}: {error.strerror}") from None
        except (ValueError, RecursionError):  # the latter for thousands of brackets
            raise UsageError(f"--set {file}: is not JSON") from None
    show_one(office.put(path, {"ladder": ladder, "why": why}), as_json=as_json)


def remind(
    terminal_id: TerminalArgument,
    merchant_id: MerchantOption = None,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remind a terminal to settle, now."""
    office = office_at(admin, token, ready_file)
    path = f"/terminals/{part(terminal_id)}/reminders"
    show_one(office.post(path, {"why": why}, merchant_id=merchant_id), as_json=as_json)
