"""`pos-host holder-changes`: who a merchant's money goes to, and how that changes."""

from __future__ import annotations

import typer

from pos_host.change_verbs import FileArgument, MerchantArgument, StepVerb, add_change_verbs, body_in, path_of
from pos_host.listing import Column, show, show_one
from pos_host.office_client import AdminOption, JsonOption, ReadyFileOption, TokenOption, office_at

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
def holders_command(
    merchant_id: MerchantArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a merchant's settlement holders, former ones too."""
    office = office_at(admin, token, ready_file)
    show(office.items(path_of(merchant_id, "settlement-holders")), _HOLDERS, "holders", as_json=as_json)


@holder_changes_app.command("record")
def record_command(
    merchant_id: MerchantArgument,
    file: FileArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enter the holder a merchant begins with."""
    office = office_at(admin, token, ready_file)
    show_one(office.post(path_of(merchant_id, "settlement-holders"), body_in(file)), as_json=as_json)
