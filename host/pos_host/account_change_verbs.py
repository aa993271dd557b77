"""`pos-host account-changes`: how the accounts that merchants are paid to change."""

from __future__ import annotations

import typer

from pos_host.change_verbs import BLOCKERS, FileArgument, MerchantArgument, StepVerb, add_change_verbs, body_in, path_of
from pos_host.listing import show
from pos_host.office_client import AdminOption, JsonOption, ReadyFileOption, TokenOption, office_at

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
def check_command(
    merchant_id: MerchantArgument,
    file: FileArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell every reason against an application without handing it in; exit 1 where one of them blocks."""
    office = office_at(admin, token, ready_file)
    found = office.post(path_of(merchant_id, "settlement-account-changes", "check"), body_in(file))["items"]
    show(found, BLOCKERS, "reasons", as_json=as_json)
    if any(blocker["blocks"] for blocker in found):
        raise typer.Exit(1)
