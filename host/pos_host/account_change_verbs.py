"""`pos-host account-changes`: the accounts merchants are paid to, and how they change."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_host.change_verbs import BLOCKERS, FileArgument, MerchantArgument, StepVerb, add_steps, body_in, path_of
from pos_host.listing import Column, show, show_one
from pos_host.office_client import AdminOption, JsonOption, ReadyFileOption, TokenOption, office_at

account_changes_app = typer.Typer(
    name="account-changes", help="The accounts merchants are paid to, and their changes.", no_args_is_help=True
)

NeededWhyOption = Annotated[str, typer.Option("--why", help="The reason, in words.")]

_ACCOUNTS: tuple[Column, ...] = (
    ("no", "account_id"),
    ("state", "state"),
    ("number", "number"),
    ("bank", "bank_name"),
    ("type", "account_type"),
    ("holder", "holder"),
    ("expires", "expires_on"),
    ("frozen because", "frozen_because"),
)

add_steps(
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


@account_changes_app.command("accounts")
def accounts_command(
    merchant_id: MerchantArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a merchant's accounts, former ones too; their numbers are masked."""
    office = office_at(admin, token, ready_file)
    show(office.items(path_of(merchant_id, "settlement-accounts")), _ACCOUNTS, "accounts", as_json=as_json)


@account_changes_app.command("record")
def record_command(
    merchant_id: MerchantArgument,
    file: FileArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enter the account a merchant begins with."""
    office = office_at(admin, token, ready_file)
    show_one(office.post(path_of(merchant_id, "settlement-accounts"), body_in(file)), as_json=as_json)


@account_changes_app.command("report-loss")
def report_loss_command(
    merchant_id: MerchantArgument,
    why: NeededWhyOption,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Freeze the active account at once: payouts go to the standby, or are held."""
    office = office_at(admin, token, ready_file)
    show_one(office.post(path_of(merchant_id, "settlement-account", "report-loss"), {"why": why}), as_json=as_json)
