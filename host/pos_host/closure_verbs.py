"""`pos-host closures` and `pos-host diagnose`: terminals and merchants suspended, closed, replaced, reopened."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pos_host.listing import Column, cell, show, show_one
from pos_host.office_client import (
    AdminOption,
    JsonOption,
    ReadyFileOption,
    TokenOption,
    WhyOption,
    office_at,
    part,
)
from pos_host.options import NotDone, UsageError

closures_app = typer.Typer(
    name="closures", help="Suspend, close, replace and reopen terminals and merchants.", no_args_is_help=True
)

WhomArgument = Annotated[
    str, typer.Argument(metavar="TERMINAL", help="The terminal id; with --whole-merchant the merchant's number.")
]
TerminalArgument = Annotated[str, typer.Argument(metavar="TERMINAL", help="The terminal id.")]
WholeOption = Annotated[bool, typer.Option("--whole-merchant", help="The merchant of that number, not a terminal.")]
MerchantOption = Annotated[str | None, typer.Option("--merchant-id", help="The merchant, where several have that id.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="merchant_request, fault, damage, contract_end, violation.")
]
NeededWhyOption = Annotated[str, typer.Option("--why", help="The reason, in words.")]

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
def list_command(
    merchant_id: Annotated[str | None, typer.Option("--merchant-id", help="Only this merchant's.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="closing, replaced, closed or withdrawn.")] = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the closures in the order they were applied for."""
    office = office_at(admin, token, ready_file)
    show(office.items("/closures", merchant_id=merchant_id, state=state), _COLUMNS, "closures", as_json=as_json)


@closures_app.command("show")
def show_command(
    whom: WhomArgument,
    merchant_id: MerchantOption = None,
    whole_merchant: WholeOption = False,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the latest closure: its steps, and what is unfinished now."""
    office = office_at(admin, token, ready_file)
    _show_closure(office.get(f"{_path(whom, whole=whole_merchant)}/closure", merchant_id=merchant_id), as_json)


@closures_app.command("apply")
def apply_command(
    whom: WhomArgument,
    reason: ReasonOption,
    merchant_id: MerchantOption = None,
    whole_merchant: WholeOption = False,
    licence: Annotated[str, typer.Option("--licence", help="The licence number, compared with the record.")] = "",
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Begin to close: nothing new is sold from now on."""
    office = office_at(admin, token, ready_file)
    path = _path(whom, whole=whole_merchant)
    named = whom if whole_merchant else merchant_id or office.get(path)["merchant_id"]
    body = {"reason": reason, "merchant_id": named, "licence": licence, "why": why}
    _show_closure(office.post(f"{path}/closure", body, merchant_id=merchant_id), as_json)


@closures_app.command("step")
def step_command(
    whom: WhomArgument,
    step: Annotated[str, typer.Argument(metavar="STEP", help="A step that `closures show` names.")],
    note: Annotated[str, typer.Option("--note", help="What is to be remembered of it.")] = "",
    hand_over: Annotated[
        list[str] | None, typer.Option("--hand-over", help="Id of something unfinished that somebody takes over.")
    ] = None,
    to: Annotated[str, typer.Option("--to", help="Who takes it over.")] = "",
    merchant_id: MerchantOption = None,
    whole_merchant: WholeOption = False,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a step of a closure; the last one closes."""
    office = office_at(admin, token, ready_file)
    body = {"note": note, "handed_over": hand_over or [], "taken_over_by": to}
    path = f"{_path(whom, whole=whole_merchant)}/closure/steps/{part(step)}"
    _show_closure(office.post(path, body, merchant_id=merchant_id), as_json)


@closures_app.command("withdraw")
def withdraw_command(
    whom: WhomArgument,
    why: NeededWhyOption,
    merchant_id: MerchantOption = None,
    whole_merchant: WholeOption = False,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a closure back, while it is not ended."""
    office = office_at(admin, token, ready_file)
    path = f"{_path(whom, whole=whole_merchant)}/closure/withdraw"
    _show_closure(office.post(path, {"why": why}, merchant_id=merchant_id), as_json)


@closures_app.command("suspend")
def suspend_command(
    whom: WhomArgument,
    reason: ReasonOption,
    why: NeededWhyOption,
    merchant_id: MerchantOption = None,
    whole_merchant: WholeOption = False,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stop new sales at once; for a violation payouts are held."""
    office = office_at(admin, token, ready_file)
    path = f"{_path(whom, whole=whole_merchant)}/suspend"
    show_one(office.post(path, {"reason": reason, "why": why}, merchant_id=merchant_id), as_json=as_json)


@closures_app.command("resume")
def resume_command(
    whom: WhomArgument,
    why: NeededWhyOption,
    merchant_id: MerchantOption = None,
    whole_merchant: WholeOption = False,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let something suspended go on."""
    office = office_at(admin, token, ready_file)
    path = f"{_path(whom, whole=whole_merchant)}/resume"
    show_one(office.post(path, {"why": why}, merchant_id=merchant_id), as_json=as_json)


@closures_app.command("reopen")
def reopen_command(
    whom: WhomArgument,
    act: Annotated[
        str, typer.Argument(metavar="[request|approve|reject|withdraw]", help="By default request.")
    ] = "request",
    why: WhyOption = "",
    merchant_id: MerchantOption = None,
    whole_merchant: WholeOption = False,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Apply for the reopening of something closed, or review what somebody else applied for."""
    if act not in ("request", "approve", "reject", "withdraw"):
        raise UsageError(f"{act}: must be request, approve, reject or withdraw")
    office = office_at(admin, token, ready_file)
    path = f"{_path(whom, whole=whole_merchant)}/reopen" + ("" if act == "request" else f"/{act}")
    show_one(office.post(path, {"why": why}, merchant_id=merchant_id), as_json=as_json)


@closures_app.command("replace")
def replace_command(
    terminal_id: TerminalArgument,
    new_terminal_id: Annotated[str, typer.Argument(metavar="NEW", help="Id of the terminal that takes its place.")],
    reason: Annotated[str, typer.Option("--reason", help="fault or damage.")] = "fault",
    why: WhyOption = "",
    merchant_id: MerchantOption = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have another terminal take this one's place, and go on after its batch."""
    office = office_at(admin, token, ready_file)
    body = {"new_terminal_id": new_terminal_id, "reason": reason, "why": why}
    show_one(office.post(f"{_path(terminal_id)}/replacement", body, merchant_id=merchant_id), as_json=as_json)


@closures_app.command("late")
def late_command(
    terminal_id: TerminalArgument,
    merchant_id: MerchantOption = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what a terminal sent while it was closed."""
    office = office_at(admin, token, ready_file)
    found = office.items(f"{_path(terminal_id)}/late-messages", merchant_id=merchant_id)
    show(found, _LATE, "late messages", as_json=as_json)


@closures_app.command("export")
def export_command(
    terminal_id: TerminalArgument,
    out: Annotated[Path | None, typer.Option("--out", help="A file to write; by default standard output.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV in place of JSON lines.")] = False,
    merchant_id: MerchantOption = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
) -> None:
    """Write everything of a terminal: its settlements, vouchers and transactions."""
    office = office_at(admin, token, ready_file)
    form = "csv" if as_csv else "json"
    text = office.text(f"{_path(terminal_id)}/export", format=form, merchant_id=merchant_id)
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.write_text(text, "utf-8", newline="")
    except OSError as error:
        raise NotDone(f"--out {out}: {error.strerror or error}") from None


def diagnose_command(
    terminal_id: TerminalArgument,
    merchant_id: Annotated[
        str | None, typer.Option("--merchant-id", help="The merchant number that the terminal sends.")
    ] = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say why a terminal is refused: what it sent, what the host knows, and what to do."""
    office = office_at(admin, token, ready_file)
    told = office.get(f"{_path(terminal_id)}/diagnosis", merchant_id=merchant_id)
    if as_json:
        show_one(told, as_json=True)
        return
    show_one({name: value for name, value in told.items() if name not in ("findings", "nearest")}, as_json=False)
    show(told["findings"], _FINDINGS, "findings", as_json=False)
    for near in told["nearest"]:
        print(f"nearest: terminal {near['terminal_id']} of merchant {near['merchant_id']}")


def _path(whom: str, *, whole: bool = False) -> str:
    return f"/{'merchants' if whole else 'terminals'}/{part(whom)}"


def _show_closure(closure: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_one(closure, as_json=True)
        return
    for name, path in _COLUMNS:
        if text := cell(closure, path):
            print(f"{name:12}  {text}")
    show(closure["steps"], _STEPS, "steps", as_json=False)
    show(closure["unfinished"], _UNFINISHED, "unfinished", as_json=False)
