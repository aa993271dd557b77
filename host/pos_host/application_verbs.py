"""`pos-host applications`: a batch that its terminal cannot settle is settled on the strength of its slips."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pos_host.listing import Column, show, show_one
from pos_host.office_client import (
    AdminOption,
    JsonOption,
    OfficeClient,
    ReadyFileOption,
    TokenOption,
    WhyOption,
    office_at,
    part,
)
from pos_host.options import UsageError

applications_app = typer.Typer(
    name="applications", help="Settlement of a forgotten batch on application, with its slips.", no_args_is_help=True
)

TerminalArgument = Annotated[str, typer.Argument(metavar="TERMINAL", help="The terminal id.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The application's number.")]
MerchantOption = Annotated[str | None, typer.Option("--merchant-id", help="The merchant, where several have that id.")]
StateOption = Annotated[str | None, typer.Option("--state", help="submitted, rejected, approved or withdrawn.")]
SlipsOption = Annotated[
    list[Path] | None,
    typer.Option("--slips", help="A file with what pos-terminal --receipt printed; - for standard input; repeatable."),
]
VouchersOption = Annotated[
    Path | None,
    typer.Option("--vouchers", help="A JSON list of {receipt, rrn, amount_minor, date}; - for standard input."),
]
ApplicantOption = Annotated[str, typer.Option("--applicant", help="Who applies; by default whose token it is.")]
AgentOption = Annotated[str | None, typer.Option("--agent", help="Name of the agent who applies for the merchant.")]
AuthorisationOption = Annotated[str | None, typer.Option("--authorisation", help="Document: the merchant's consent.")]
MerchantIdentityOption = Annotated[str | None, typer.Option("--merchant-identity", help="Document: who consents.")]
AgentIdentityOption = Annotated[str | None, typer.Option("--agent-identity", help="Document: who the agent is.")]

_COLUMNS: tuple[Column, ...] = (
    ("id", "id"),
    ("state", "state"),
    ("merchant", "merchant_id"),
    ("terminal", "terminal_id"),
    ("batch", "batch_number"),
    ("applicant", "applicant"),
    ("handed in", "handed_in_at"),
    ("complete", "checked.complete"),
    ("confirmation", "confirmation.number"),
)


@applications_app.command("list")
def list_command(
    merchant_id: MerchantOption = None,
    state: StateOption = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the applications in the order they came."""
    office = office_at(admin, token, ready_file)
    items = office.items("/settlement-applications", merchant_id=merchant_id, state=state)
    show(items, _COLUMNS, "applications", as_json=as_json)


@applications_app.command("show")
def show_command(
    application_id: IdArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an application, with which vouchers are missing or do not match."""
    show_one(_one(office_at(admin, token, ready_file), application_id), as_json=as_json)


@applications_app.command("submit")
def submit_command(
    terminal_id: TerminalArgument,
    slips: SlipsOption = None,
    vouchers: VouchersOption = None,
    applicant: ApplicantOption = "",
    agent: AgentOption = None,
    authorisation: AuthorisationOption = None,
    merchant_identity: MerchantIdentityOption = None,
    agent_identity: AgentIdentityOption = None,
    merchant_id: MerchantOption = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Apply for the settlement of a terminal's batch."""
    papers = {"authorisation": authorisation, "merchant_identity": merchant_identity, "agent_identity": agent_identity}
    body = _handing_in(slips, vouchers, applicant, agent, papers)
    office = office_at(admin, token, ready_file)
    path = f"/terminals/{part(terminal_id)}/settlement-applications"
    show_one(office.post(path, body, merchant_id=merchant_id), as_json=as_json)


@applications_app.command("resubmit")
def resubmit_command(
    application_id: IdArgument,
    slips: SlipsOption = None,
    vouchers: VouchersOption = None,
    applicant: ApplicantOption = "",
    agent: AgentOption = None,
    authorisation: AuthorisationOption = None,
    merchant_identity: MerchantIdentityOption = None,
    agent_identity: AgentIdentityOption = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hand in again what was rejected, with all its slips."""
    papers = {"authorisation": authorisation, "merchant_identity": merchant_identity, "agent_identity": agent_identity}
    body = _handing_in(slips, vouchers, applicant, agent, papers)
    _act(office_at(admin, token, ready_file), application_id, "resubmit", body, as_json)


@applications_app.command("approve")
def approve_command(
    application_id: IdArgument,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Settle the batch from the host's books; somebody else than the applicant must."""
    _act(office_at(admin, token, ready_file), application_id, "approve", {"why": why}, as_json)


@applications_app.command("reject")
def reject_command(
    application_id: IdArgument,
    why: Annotated[str, typer.Option("--why", help="The reason; which slips are missing is told with it.")],
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send an application back."""
    _act(office_at(admin, token, ready_file), application_id, "reject", {"why": why}, as_json)


@applications_app.command("withdraw")
def withdraw_command(
    application_id: IdArgument,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take an application back."""
    _act(office_at(admin, token, ready_file), application_id, "withdraw", {"why": why}, as_json)


def slips_in(text: str) -> list[str]:
    """The slips in what a terminal printed: parts between empty lines that have a row Amount."""
    return [block for block in re.split(r"\n\s*\n", text) if re.search(r"^\s*Amount\b", block, re.MULTILINE)]


def _one(office: OfficeClient, application_id: str) -> dict[str, Any]:
    return office.get(f"/settlement-applications/{part(application_id)}")


def _act(office: OfficeClient, application_id: str, action: str, body: dict[str, Any], as_json: bool) -> None:
    known = _one(office, application_id)
    path = f"/terminals/{part(known['terminal_id'])}/settlement-applications/{part(application_id)}/{action}"
    show_one(office.post(path, body, merchant_id=known["merchant_id"]), as_json=as_json)


def _handing_in(
    slips: list[Path] | None, vouchers: Path | None, applicant: str, agent: str | None, papers: dict[str, str | None]
) -> dict[str, Any]:
    """The body of the request; raises UsageError where files cannot be read or hold no slips."""
    handed_in: list[Any] = []
    for path in slips or []:
        found = slips_in(_text(path, "--slips"))
        if not found:
            raise UsageError(f"--slips {path}: holds no slip")
        handed_in += [{"slip": slip} for slip in found]
    if vouchers is not None:
        try:
            given = json.loads(_text(vouchers, "--vouchers"))
        except (ValueError, RecursionError):  # the latter for thousands of brackets
            raise UsageError(f"--vouchers {vouchers}: is not JSON") from None
        if not isinstance(given, list):
            raise UsageError(f"--vouchers {vouchers}: must be a list")
        handed_in += given
    if not handed_in:
        raise UsageError("an application needs its vouchers: --slips FILE or --vouchers FILE")
    if agent is None and any(papers.values()):
        raise UsageError("--authorisation and identities are an agent's papers: name the --agent")
    by_agent = None if agent is None else {"name": agent, **{key: paper for key, paper in papers.items() if paper}}
    return {"vouchers": handed_in, "applicant": applicant, "agent": by_agent}


def _text(path: Path, option: str) -> str:
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise UsageError(f"{option} {path}: {reason}") from None
