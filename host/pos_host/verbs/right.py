"""`pos-host rights`: rights that somebody lacks, asked for and granted for a limited time."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_host.verbs.asking import Asked, asks_a_host
from pos_host.verbs.change import StepVerb, add_steps
from pos_host.verbs.listing import Column
from pos_host.verbs.whom import MerchantArgument, merchant_path

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
@asks_a_host
def list_command(asked: Asked, merchant_id: MerchantArgument) -> None:
    """List the rights that were asked for, the oldest first."""
    asked.show(asked.host.items(merchant_path(merchant_id, COLLECTION)), _REQUESTS, "requests")


@rights_app.command("request")
@asks_a_host
def request_command(
    asked: Asked,
    merchant_id: MerchantArgument,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="What you lack, such as account_change.apply.")],
    lasting: Annotated[str, typer.Option("--for", help="For how long: an ISO 8601 duration such as PT4H.")],
    reason: Annotated[str, typer.Option("--reason", help="Why you need it, in words.")],
) -> None:
    """Ask for the right to an action for one merchant; somebody else who has it grants it."""
    body = {"action": action, "lasting": lasting, "reason": reason}
    asked.show_one(asked.host.post(merchant_path(merchant_id, COLLECTION), body))
