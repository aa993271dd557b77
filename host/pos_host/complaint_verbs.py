"""`pos-host complaints`: what was refused, what was complained of, and how it was answered."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_host.change_verbs import MerchantArgument, NumberArgument, StepVerb, add_steps, path_of
from pos_host.listing import Column, show, show_one
from pos_host.office_client import AdminOption, JsonOption, ReadyFileOption, TokenOption, office_at

complaints_app = typer.Typer(
    name="complaints", help="What was refused, complaints about it, and their answers.", no_args_is_help=True
)

AboutArgument = Annotated[
    str, typer.Argument(metavar="ABOUT", help="account_change, holder_change or refused_application.")
]

COLLECTION = "complaints"

_COMPLAINTS: tuple[Column, ...] = (
    ("no", "complaint_id"),
    ("state", "state"),
    ("about", "about"),
    ("its no", "change_id"),
    ("text", "text"),
    ("by", "opened_by"),
    ("answer", "answer"),
    ("answered by", "answered_by"),
)

_REFUSED: tuple[Column, ...] = (
    ("no", "refused_application"),
    ("about", "about"),
    ("wanted", "wanted"),
    ("by", "submitted_by"),
    ("because of", "codes"),
    ("refused", "refused_at"),
)

add_steps(
    complaints_app,
    COLLECTION,
    (
        StepVerb("uphold", "Agree with a complaint; a change that was rejected is reviewed again.", "answer"),
        StepVerb("dismiss", "Answer that the refusal stands.", "answer"),
        StepVerb("withdraw", "Take a complaint back."),
    ),
)


@complaints_app.command("list")
def list_command(
    merchant_id: MerchantArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a merchant's complaints, the oldest first."""
    office = office_at(admin, token, ready_file)
    show(office.items(path_of(merchant_id, COLLECTION)), _COMPLAINTS, "complaints", as_json=as_json)


@complaints_app.command("open")
def open_command(
    merchant_id: MerchantArgument,
    about: AboutArgument,
    number: NumberArgument,
    text: Annotated[str, typer.Option("--text", help="What is wrong with the refusal.")],
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Complain about a change that was rejected, or an application that was refused; NUMBER is its number."""
    office = office_at(admin, token, ready_file)
    body = {"about": about, "change_id": number, "text": text}
    show_one(office.post(path_of(merchant_id, COLLECTION), body), as_json=as_json)


@complaints_app.command("refused")
def refused_command(
    merchant_id: MerchantArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the applications that were refused as they came, with all that stood against them."""
    office = office_at(admin, token, ready_file)
    show(office.items(path_of(merchant_id, "refused-applications")), _REFUSED, "refused applications", as_json=as_json)
