"""`pos-host holder-changes`: who a merchant's money goes to, and how that changes."""

from __future__ import annotations

import typer

from pos_host.verbs.asking import Asked, asks_a_host
from pos_host.verbs.change import FileArgument, StepVerb, add_change_verbs, body_in
from pos_host.verbs.listing import Column
from pos_host.verbs.whom import MerchantArgument, merchant_path

holder_changes_app = typer.Typer(
    name="holder-changes", help="Who merchants' money goes to, and how that changes.", no_args_is_help=True
)

_HOLDERS: tuple[Column, ...] = (
    ("no", "holder_id"),
    ("state", "state"),
    ("name", "name"),
    ("operator", "operator_number"),
    ("user", "user"),
    ("changed", "changed_at"),
)

add_change_verbs(
    holder_changes_app,
    "settlement-holder-changes",
    (
        StepVerb("approve", "Agree to a change, and give the outgoing holder notice.", "why", optional=True),
        StepVerb("reject", "Refuse a change, with reasons.", "reasons"),
        StepVerb("withdraw", "Take an application back before it takes effect.", "why", optional=True),
        StepVerb("confirm-training", "Note that the incoming holder was trained."),
        StepVerb("issue-token", "Make the incoming holder's user; its token is told this once."),
        StepVerb("evaluate", "Say how a change went once its watch is over; it is archived.", "evaluation"),
        StepVerb("roll-back", "Put the holder before back.", "why"),
    ),
)


@holder_changes_app.command("holders")
@asks_a_host
def holders_command(asked: Asked, merchant_id: MerchantArgument) -> None:
    """List a merchant's settlement holders, former ones too."""
    asked.show(asked.host.items(merchant_path(merchant_id, "settlement-holders")), _HOLDERS, "holders")


@holder_changes_app.command("record")
@asks_a_host
def record_command(asked: Asked, merchant_id: MerchantArgument, file: FileArgument) -> None:
    """Enter the holder a merchant begins with."""
    asked.show_one(asked.host.post(merchant_path(merchant_id, "settlement-holders"), body_in(file)))
