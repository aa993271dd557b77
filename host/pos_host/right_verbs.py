"""`pos-host rights`: rights that somebody lacks, asked for and granted for a limited time."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_host.change_verbs import MerchantArgument, StepVerb, add_steps, path_of
from pos_host.listing import Column, show, show_one
from pos_host.office_client import AdminOption, JsonOption, ReadyFileOption, TokenOption, office_at

rights_app = typer.Typer(name="rights", help="Rights for a limited time: asked for, granted.", no_args_is_help=True)

COLLECTION = "right-requests"

_REQUESTS: tuple[Column, ...] = (
    ("no", "request_id"),
    ("state", "state"),
    ("right", "action"),
    ("by", "requested_by"),
    ("reason", "reason"),
    ("decided by", "decided_by"),
    ("until", "until"),
)

add_steps(
    rights_app,
    COLLECTION,
    (
        StepVerb("grant", "Give somebody else the right that they asked for.", "why", optional=True),
        StepVerb("refuse", "Refuse a right that was asked for.", "why", optional=True),
        StepVerb("revoke", "Take a right back before its time is over.", "why", optional=True),
        StepVerb("withdraw", "Take your own request back.", "why", optional=True),
    ),
)


@rights_app.command("list")
def list_command(
    merchant_id: MerchantArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the rights that were asked for, the oldest first."""
    office = office_at(admin, token, ready_file)
    show(office.items(path_of(merchant_id, COLLECTION)), _REQUESTS, "requests", as_json=as_json)


@rights_app.command("request")
def request_command(
    merchant_id: MerchantArgument,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="What you lack, such as account_change.apply.")],
    lasting: Annotated[str, typer.Option("--for", help="For how long: an ISO 8601 duration such as PT4H.")],
    reason: Annotated[str, typer.Option("--reason", help="Why you need it, in words.")],
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for the right to an action for one merchant; somebody else who has it grants it."""
    office = office_at(admin, token, ready_file)
    body = {"action": action, "lasting": lasting, "reason": reason}
    show_one(office.post(path_of(merchant_id, COLLECTION), body), as_json=as_json)
