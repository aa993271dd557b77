"""`pos-host complaints`: what was refused, what was complained of, and how it was answered."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_host.verbs.asking import Asked, asks_a_host
from pos_host.verbs.change import NumberArgument, StepVerb, add_steps
from pos_host.verbs.listing import Column
from pos_host.verbs.whom import MerchantArgument, merchant_path

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
@asks_a_host
def list_command(asked: Asked, merchant_id: MerchantArgument) -> None:
    """List a merchant's complaints, the oldest first."""
    asked.show(asked.host.items(merchant_path(merchant_id, COLLECTION)), _COMPLAINTS, "complaints")


@complaints_app.command("open")
@asks_a_host
def open_command(
    asked: Asked,
    merchant_id: MerchantArgument,
    about: AboutArgument,
    number: NumberArgument,
    text: Annotated[str, typer.Option("--text", help="What is wrong with the refusal.")],
) -> None:
    """Complain about a change that was rejected, or an application that was refused; NUMBER is its number."""
    body = {"about": about, "change_id": number, "text": text}
    asked.show_one(asked.host.post(merchant_path(merchant_id, COLLECTION), body))


@complaints_app.command("refused")
@asks_a_host
def refused_command(asked: Asked, merchant_id: MerchantArgument) -> None:
    """List the applications that were refused as they came, with all that stood against them."""
    found = asked.host.items(merchant_path(merchant_id, "refused-applications"))
    asked.show(found, _REFUSED, "refused applications")
