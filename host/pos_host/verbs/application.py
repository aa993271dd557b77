"""`pos-host applications`: a batch that its terminal cannot settle is settled on the strength of its slips."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pos_host.options import UsageError
from pos_host.verbs.asking import Asked, WhyOption, asks_a_host
from pos_host.verbs.listing import Column
from pos_host.verbs.office_client import OfficeClient, part
from pos_host.verbs.whom import MerchantOption, TerminalArgument, terminal_path

applications_app = typer.Typer(
    name="applications", help="Settlement of a forgotten batch on application, with its slips.", no_args_is_help=True
)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The application's number.")]
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
@asks_a_host
def list_command(asked: Asked, merchant_id: MerchantOption = None, state: StateOption = None) -> None:
    """List the applications in the order they came."""
    items = asked.host.items("/settlement-applications", merchant_id=merchant_id, state=state)
    asked.show(items, _COLUMNS, "applications")


@applications_app.command("show")
@asks_a_host
def show_command(asked: Asked, application_id: IdArgument) -> None:
    """Show an application, with which vouchers are missing or do not match."""
    asked.show_one(_one(asked.host, application_id))


@applications_app.command("submit")
@asks_a_host
def submit_command(
    asked: Asked,
    terminal_id: TerminalArgument,
    slips: SlipsOption = None,
    vouchers: VouchersOption = None,
    applicant: ApplicantOption = "",
    agent: AgentOption = None,
    authorisation: AuthorisationOption = None,
    merchant_identity: MerchantIdentityOption = None,
    agent_identity: AgentIdentityOption = None,
    merchant_id: MerchantOption = None,
) -> None:
    """Apply for the settlement of a terminal's batch."""
    papers = {"authorisation": authorisation, "merchant_identity": merchant_identity, "agent_identity": agent_identity}
    body = _handing_in(slips, vouchers, applicant, agent, papers)
    path = terminal_path(terminal_id, "settlement-applications")
    asked.show_one(asked.host.post(path, body, merchant_id=merchant_id))


@applications_app.command("resubmit")
@asks_a_host
def resubmit_command(
    asked: Asked,
    application_id: IdArgument,
    slips: SlipsOption = None,
    vouchers: VouchersOption = None,
    applicant: ApplicantOption = "",
    agent: AgentOption = None,
    authorisation: AuthorisationOption = None,
    merchant_identity: MerchantIdentityOption = None,
    agent_identity: AgentIdentityOption = None,
) -> None:
    """Hand in again what was rejected, with all its slips."""
    papers = {"authorisation": authorisation, "merchant_identity": merchant_identity, "agent_identity": agent_identity}
    body = _handing_in(slips, vouchers, applicant, agent, papers)
    _act(asked, application_id, "resubmit", body)


@applications_app.command("approve")
@asks_a_host
def approve_command(asked: Asked, application_id: IdArgument, why: WhyOption = "") -> None:
    """Settle the batch from the host's books; somebody else than the applicant must."""
    _act(asked, application_id, "approve", {"why": why})


@applications_app.command("reject")
@asks_a_host
def reject_command(
    asked: Asked,
    application_id: IdArgument,
    why: Annotated[str, typer.Option("--why", help="The reason; which slips are missing is told with it.")],
) -> None:
    """Send an application back."""
    _act(asked, application_id, "reject", {"why": why})


@applications_app.command("withdraw")
@asks_a_host
def withdraw_command(asked: Asked, application_id: IdArgument, why: WhyOption = "") -> None:
    """Take an application back."""
    _act(asked, application_id, "withdraw", {"why": why})


def slips_in(text: str) -> list[str]:
    """The slips in what a terminal printed: parts between empty lines that have a row Amount."""
    return [block for block in re.split(r"\n\s*\n", text) if re.search(r"^\s*Amount\b", block, re.MULTILINE)]


def _one(host: OfficeClient, application_id: str) -> dict[str, Any]:
    return host.get(f"/settlement-applications/{part(application_id)}")


def _act(asked: Asked, application_id: str, action: str, body: dict[str, Any]) -> None:
    known = _one(asked.host, application_id)
    path = terminal_path(known["terminal_id"], "settlement-applications", application_id, action)
    asked.show_one(asked.host.post(path, body, merchant_id=known["merchant_id"]))


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
