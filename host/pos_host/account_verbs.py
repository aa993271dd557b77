"""`pos-host accounts`: the accounts merchants are paid to, what is done to them, and which of them gets what."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_host.change_verbs import FileArgument, MerchantArgument, StepVerb, add_steps, body_in, path_of
from pos_host.listing import Column, show, show_one
from pos_host.office_client import AdminOption, JsonOption, ReadyFileOption, TokenOption, WhyOption, office_at

accounts_app = typer.Typer(name="accounts", help="The accounts merchants are paid to.", no_args_is_help=True)

NeededWhyOption = Annotated[str, typer.Option("--why", help="The reason, in words.")]
VersionArgument = Annotated[str, typer.Argument(metavar="VERSION", help="The version, as usage-rules lists it.")]

COLLECTION = "settlement-accounts"
RULES = ("settlement-account", "usage-rules")
"""Parts of the API's paths."""

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

_RULES: tuple[Column, ...] = (
    ("version", "version"),
    ("valid from", "valid_from"),
    ("rules", "rules"),
    ("set by", "set_by"),
    ("set", "set_at"),
    ("restored from", "restored_from"),
)

add_steps(
    accounts_app,
    COLLECTION,
    (
        StepVerb("freeze", "Pay nothing to an account until it is released.", "why"),
        StepVerb("release", "Pay to a frozen account again; somebody else does it than froze it.", "why"),
        StepVerb("close", "Note that the bank closed an account: it never comes back.", "why"),
    ),
)


@accounts_app.command("list")
def list_command(
    merchant_id: MerchantArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a merchant's accounts, former ones too; their numbers are masked."""
    office = office_at(admin, token, ready_file)
    show(office.items(path_of(merchant_id, COLLECTION)), _ACCOUNTS, "accounts", as_json=as_json)


@accounts_app.command("record")
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
    show_one(office.post(path_of(merchant_id, COLLECTION), body_in(file)), as_json=as_json)


@accounts_app.command("report-loss")
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


@accounts_app.command("usage-rules")
def usage_rules_command(
    merchant_id: MerchantArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every version of which account gets what, the oldest first."""
    office = office_at(admin, token, ready_file)
    show(office.items(path_of(merchant_id, *RULES)), _RULES, "versions", as_json=as_json)


@accounts_app.command("set-usage-rules")
def set_usage_rules_command(
    merchant_id: MerchantArgument,
    file: FileArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have new usage rules hold from the day that the file says."""
    office = office_at(admin, token, ready_file)
    show_one(office.put(path_of(merchant_id, *RULES), body_in(file)), as_json=as_json)


@accounts_app.command("restore-usage-rules")
def restore_usage_rules_command(
    merchant_id: MerchantArgument,
    version: VersionArgument,
    valid_from: Annotated[str, typer.Option("--from", help="The first day, such as 2026-10-01.")],
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have an earlier version of the usage rules hold again, as a new one."""
    office = office_at(admin, token, ready_file)
    path = path_of(merchant_id, *RULES, version, "restore")
    show_one(office.post(path, {"valid_from": valid_from, "why": why}), as_json=as_json)
