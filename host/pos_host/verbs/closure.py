"""`pos-host closures` and `pos-host diagnose`: terminals and merchants suspended, closed, replaced, reopened."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pos_host.options import NotDone, UsageError
from pos_host.verbs.asking import Asked, NeededWhyOption, WhyOption, asks_a_host, needs_a_host
from pos_host.verbs.listing import Column, cell
from pos_host.verbs.office_client import OfficeClient
from pos_host.verbs.whom import MerchantOption, TerminalArgument, merchant_path, terminal_path

closures_app = typer.Typer(
    name="closures", help="Suspend, close, replace and reopen terminals and merchants.", no_args_is_help=True
)

WhomArgument = Annotated[
    str, typer.Argument(metavar="TERMINAL", help="The terminal id; with --whole-merchant the merchant's number.")
]
WholeOption = Annotated[bool, typer.Option("--whole-merchant", help="The merchant of that number, not a terminal.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="merchant_request, fault, damage, contract_end, violation.")
]

_COLUMNS: tuple[Column, ...] = (
    ("id", "id"),
    ("merchant", "merchant_id"),
    ("terminal", "terminal_id"),
    ("reason", "reason"),
    ("state", "state"),
    ("now", "status"),
    ("applied", "applied_at"),
    ("closed", "closed_at"),
    ("replaced by", "replaced_by"),
)
_STEPS: tuple[Column, ...] = (
    ("step", "step"),
    ("state", "state"),
    ("at", "at"),
    ("by", "by"),
    ("comes after", "waits_for"),
    ("unfinished", "unfinished"),
    ("note", "note"),
)
_UNFINISHED: tuple[Column, ...] = (
    ("id", "id"),
    ("terminal", "terminal_id"),
    ("what", "concerns"),
    ("amount", "amount_minor"),
    ("currency", "currency"),
    ("remedy", "remedy"),
)
_FINDINGS: tuple[Column, ...] = (
    ("finding", "text"),
    ("concerns", "concerns"),
    ("answered", "response_code"),
    ("what to do", "remedy"),
)
_LATE: tuple[Column, ...] = (
    ("at", "at"),
    ("function", "function"),
    ("answered", "outcome"),
    ("trace", "stan"),
    ("amount", "amount_minor"),
    ("currency", "currency"),
    ("card", "card"),
    ("what it said", "detail"),
)


@closures_app.command("list")
@asks_a_host
def list_command(
    asked: Asked,
    merchant_id: Annotated[str | None, typer.Option("--merchant-id", help="Only this merchant's.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="closing, replaced, closed or withdrawn.")] = None,
) -> None:
    """List the closures in the order they were applied for."""
    asked.show(asked.host.items("/closures", merchant_id=merchant_id, state=state), _COLUMNS, "closures")


@closures_app.command("show")
@asks_a_host
def show_command(
    asked: Asked, whom: WhomArgument, merchant_id: MerchantOption = None, whole_merchant: WholeOption = False
) -> None:
    """Show the latest closure: its steps, and what is unfinished now."""
    _show_closure(asked, asked.host.get(_path(whom, whole_merchant, "closure"), merchant_id=merchant_id))


@closures_app.command("apply")
@asks_a_host
def apply_command(
    asked: Asked,
    whom: WhomArgument,
    reason: ReasonOption,
    merchant_id: MerchantOption = None,
    whole_merchant: WholeOption = False,
    licence: Annotated[str, typer.Option("--licence", help="The licence number, compared with the record.")] = "",
    why: WhyOption = "",
) -> None:
    """Begin to close: nothing new is sold from now on."""
    named = whom if whole_merchant else merchant_id or asked.host.get(terminal_path(whom))["merchant_id"]
    body = {"reason": reason, "merchant_id": named, "licence": licence, "why": why}
    _show_closure(asked, asked.host.post(_path(whom, whole_merchant, "closure"), body, merchant_id=merchant_id))


@closures_app.command("step")
@asks_a_host
def step_command(
    asked: Asked,
    whom: WhomArgument,
    step: Annotated[str, typer.Argument(metavar="STEP", help="A step that `closures show` names.")],
    note: Annotated[str, typer.Option("--note", help="What is to be remembered of it.")] = "",
    hand_over: Annotated[
        list[str] | None, typer.Option("--hand-over", help="Id of something unfinished that somebody takes over.")
    ] = None,
    to: Annotated[str, typer.Option("--to", help="Who takes it over.")] = "",
    merchant_id: MerchantOption = None,
    whole_merchant: WholeOption = False,
) -> None:
    """Take a step of a closure; the last one closes."""
    body = {"note": note, "handed_over": hand_over or [], "taken_over_by": to}
    path = _path(whom, whole_merchant, "closure", "steps", step)
    _show_closure(asked, asked.host.post(path, body, merchant_id=merchant_id))


@closures_app.command("withdraw")
@asks_a_host
def withdraw_command(
    asked: Asked,
    whom: WhomArgument,
    why: NeededWhyOption,
    merchant_id: MerchantOption = None,
    whole_merchant: WholeOption = False,
) -> None:
    """Take a closure back, while it is not ended."""
    path = _path(whom, whole_merchant, "closure", "withdraw")
    _show_closure(asked, asked.host.post(path, {"why": why}, merchant_id=merchant_id))


@closures_app.command("suspend")
@asks_a_host
def suspend_command(
    asked: Asked,
    whom: WhomArgument,
    reason: ReasonOption,
    why: NeededWhyOption,
    merchant_id: MerchantOption = None,
    whole_merchant: WholeOption = False,
) -> None:
    """Stop new sales at once; for a violation payouts are held."""
    path = _path(whom, whole_merchant, "suspend")
    asked.show_one(asked.host.post(path, {"reason": reason, "why": why}, merchant_id=merchant_id))


@closures_app.command("resume")
@asks_a_host
def resume_command(
    asked: Asked,
    whom: WhomArgument,
    why: NeededWhyOption,
    merchant_id: MerchantOption = None,
    whole_merchant: WholeOption = False,
) -> None:
    """Let something suspended go on."""
    path = _path(whom, whole_merchant, "resume")
    asked.show_one(asked.host.post(path, {"why": why}, merchant_id=merchant_id))


@closures_app.command("reopen")
@asks_a_host
def reopen_command(
    asked: Asked,
    whom: WhomArgument,
    act: Annotated[
        str, typer.Argument(metavar="[request|approve|reject|withdraw]", help="By default request.")
    ] = "request",
    why: WhyOption = "",
    merchant_id: MerchantOption = None,
    whole_merchant: WholeOption = False,
) -> None:
    """Apply for the reopening of something closed, or review what somebody else applied for."""
    if act not in ("request", "approve", "reject", "withdraw"):
        raise UsageError(f"{act}: must be request, approve, reject or withdraw")
    path = _path(whom, whole_merchant, "reopen", *(() if act == "request" else (act,)))
    asked.show_one(asked.host.post(path, {"why": why}, merchant_id=merchant_id))


@closures_app.command("replace")
@asks_a_host
def replace_command(
    asked: Asked,
    terminal_id: TerminalArgument,
    new_terminal_id: Annotated[str, typer.Argument(metavar="NEW", help="Id of the terminal that takes its place.")],
    reason: Annotated[str, typer.Option("--reason", help="fault or damage.")] = "fault",
    why: WhyOption = "",
    merchant_id: MerchantOption = None,
) -> None:
    """Have another terminal take this one's place, and go on after its batch."""
    body = {"new_terminal_id": new_terminal_id, "reason": reason, "why": why}
    asked.show_one(asked.host.post(terminal_path(terminal_id, "replacement"), body, merchant_id=merchant_id))


@closures_app.command("late")
@asks_a_host
def late_command(asked: Asked, terminal_id: TerminalArgument, merchant_id: MerchantOption = None) -> None:
    """List what a terminal sent while it was closed."""
    found = asked.host.items(terminal_path(terminal_id, "late-messages"), merchant_id=merchant_id)
    asked.show(found, _LATE, "late messages")


@closures_app.command("export")
@needs_a_host
def export_command(
    host: OfficeClient,
    terminal_id: TerminalArgument,
    out: Annotated[Path | None, typer.Option("--out", help="A file to write; by default standard output.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV in place of JSON lines.")] = False,
    merchant_id: MerchantOption = None,
) -> None:
    """Write everything of a terminal: its settlements, vouchers and transactions."""
    form = "csv" if as_csv else "json"
    text = host.text(terminal_path(terminal_id, "export"), format=form, merchant_id=merchant_id)
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.write_text(text, "utf-8", newline="")
    except OSError as error:
        raise NotDone(f"--out {out}: {error.strerror or error}") from None


@asks_a_host
def diagnose_command(
    asked: Asked,
    terminal_id: TerminalArgument,
    merchant_id: Annotated[
        str | None, typer.Option("--merchant-id", help="The merchant number that the terminal sends.")
    ] = None,
) -> None:
    """Say why a terminal is refused: what it sent, what the host knows, and what to do."""
    told = asked.host.get(terminal_path(terminal_id, "diagnosis"), merchant_id=merchant_id)
    if asked.as_json:
        asked.show_one(told)
        return
    asked.show_one({name: value for name, value in told.items() if name not in ("findings", "nearest")})
    asked.show(told["findings"], _FINDINGS, "findings")
    for near in told["nearest"]:
        print(f"nearest: terminal {near['terminal_id']} of merchant {near['merchant_id']}")


def _path(whom: str, whole_merchant: bool, *parts: str) -> str:
    return merchant_path(whom, *parts) if whole_merchant else terminal_path(whom, *parts)


def _show_closure(asked: Asked, closure: dict[str, Any]) -> None:
    if asked.as_json:
        asked.show_one(closure)
        return
    for name, path in _COLUMNS:
        if text := cell(closure, path):
            print(f"{name:12}  {text}")
    asked.show(closure["steps"], _STEPS, "steps")
    asked.show(closure["unfinished"], _UNFINISHED, "unfinished")
