"""`pos-host account-changes`: how the accounts that merchants are paid to change."""

from __future__ import annotations

import typer

from pos_host.verbs.asking import Asked, asks_a_host
from pos_host.verbs.change import FileArgument, StepVerb, add_change_verbs, body_in, show_blockers
from pos_host.verbs.whom import MerchantArgument, merchant_path

account_changes_app = typer.Typer(
    name="account-changes", help="How the accounts that merchants are paid to change.", no_args_is_help=True
)

add_change_verbs(
    account_changes_app,
    "settlement-account-changes",
    (
        StepVerb("approve", "Agree to a change that somebody else applied for.", "why", optional=True),
        StepVerb("reject", "Refuse a change, with reasons.", "reasons"),
        StepVerb("withdraw", "Take an application back before anything was changed.", "why", optional=True),
        StepVerb("activate", "Put the new account in place; the terminals take it over on their own wire."),
        StepVerb("complete", "End a change whose test transactions were paid to the new account."),
        StepVerb("roll-back", "Put the account before back in its place.", "why"),
        StepVerb("audit", "Note what was found in the first payouts to the new account.", "finding"),
    ),
)


@account_changes_app.command("check")
@asks_a_host
def check_command(asked: Asked, merchant_id: MerchantArgument, file: FileArgument) -> None:
    """Tell every reason against an application without handing it in; exit 1 where one of them blocks."""
    path = merchant_path(merchant_id, "settlement-account-changes", "check")
    show_blockers(asked, asked.host.post(path, body_in(file))["items"])
