"""`pos-host escalations` and `pos-host remind`: who answers for a terminal that does not settle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pos_host.options import UsageError
from pos_host.verbs.application import IdArgument
from pos_host.verbs.asking import Asked, WhyOption, asks_a_host
from pos_host.verbs.listing import Column
from pos_host.verbs.office_client import part
from pos_host.verbs.whom import MerchantOption, TerminalArgument, terminal_path

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
    ("currency", "impact.currency"),
    ("days late", "impact.days_late"),
    ("responsible", "responsible"),
    ("acknowledge by", "acknowledge_by"),
    ("acknowledged by", "acknowledged_by"),
)


@escalations_app.command("list")
@asks_a_host
def list_command(
    asked: Asked,
    merchant_id: MerchantOption = None,
    state: Annotated[str | None, typer.Option("--state", help="raised, acknowledged or ended.")] = None,
) -> None:
    """List the escalations in the order they were raised."""
    asked.show(asked.host.items("/escalations", merchant_id=merchant_id, state=state), _COLUMNS, "escalations")


@escalations_app.command("acknowledge")
@asks_a_host
def acknowledge_command(asked: Asked, escalation_id: IdArgument, why: WhyOption = "") -> None:
    """Take an escalation on, so that it does not climb."""
    asked.show_one(asked.host.post(f"/escalations/{part(escalation_id)}/acknowledge", {"why": why}))


@escalations_app.command("ladder")
@asks_a_host
def ladder_command(
    asked: Asked,
    scope: ScopeArgument = "acquirer",
    file: Annotated[Path | None, typer.Option("--set", help="A JSON file: a list of steps by severity.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take the scope's own ladder away.")] = False,
    why: WhyOption = "",
) -> None:
    """Show who answers for a scope, or set it."""
    if file is not None and clear:
        raise UsageError("--set and --clear contradict each other")
    path = f"/escalation-ladders/{part(scope)}"
    if file is None and not clear:
        asked.show_one(asked.host.get(path))
        return
    ladder = None
    if file is not None:
        try:
            ladder = json.loads(file.read_text("utf-8"))
        except OSError as error:
            raise UsageError(f"--set {file}: {error.strerror}") from None
        except (ValueError, RecursionError):  # the latter for thousands of brackets
            raise UsageError(f"--set {file}: is not JSON") from None
    asked.show_one(asked.host.put(path, {"ladder": ladder, "why": why}))


@asks_a_host
def remind(
    asked: Asked, terminal_id: TerminalArgument, merchant_id: MerchantOption = None, why: WhyOption = ""
) -> None:
    """Remind a terminal to settle, now."""
    path = terminal_path(terminal_id, "reminders")
    asked.show_one(asked.host.post(path, {"why": why}, merchant_id=merchant_id))
