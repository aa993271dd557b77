"""`pos-host accounts`: the accounts merchants are paid to, what is done to them, and which of them gets what."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_host.verbs.asking import Asked, NeededWhyOption, WhyOption, asks_a_host
from pos_host.verbs.change import FileArgument, StepVerb, add_steps, body_in
from pos_host.verbs.listing import Column
from pos_host.verbs.whom import MerchantArgument, merchant_path

accounts_app = typer.Typer(name="accounts", help="The accounts merchants are paid to.", no_args_is_help=True)

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
@asks_a_host
def list_command(asked: Asked, merchant_id: MerchantArgument) -> None:
    """List a merchant's accounts, former ones too; their numbers are masked."""
    asked.show(asked.host.items(merchant_path(merchant_id, COLLECTION)), _ACCOUNTS, "accounts")


@accounts_app.command("record")
@asks_a_host
def record_command(asked: Asked, merchant_id: MerchantArgument, file: FileArgument) -> None:
    """Enter the account a merchant begins with."""
    asked.show_one(asked.host.post(merchant_path(merchant_id, COLLECTION), body_in(file)))


@accounts_app.command("report-loss")
@asks_a_host
def report_loss_command(asked: Asked, merchant_id: MerchantArgument, why: NeededWhyOption) -> None:
    """Freeze the active account at once: payouts go to the standby, or are held."""
    asked.show_one(asked.host.post(merchant_path(merchant_id, "settlement-account", "report-loss"), {"why": why}))


@accounts_app.command("usage-rules")
@asks_a_host
def usage_rules_command(asked: Asked, merchant_id: MerchantArgument) -> None:
    """List every version of which account gets what, the oldest first."""
    asked.show(asked.host.items(merchant_path(merchant_id, *RULES)), _RULES, "versions")


@accounts_app.command("set-usage-rules")
@asks_a_host
def set_usage_rules_command(asked: Asked, merchant_id: MerchantArgument, file: FileArgument) -> None:
    """Have new usage rules hold from the day that the file says."""
    asked.show_one(asked.host.put(merchant_path(merchant_id, *RULES), body_in(file)))


@accounts_app.command("restore-usage-rules")
@asks_a_host
def restore_usage_rules_command(
    asked: Asked,
    merchant_id: MerchantArgument,
    version: VersionArgument,
    valid_from: Annotated[str, typer.Option("--from", help="The first day, such as 2026-10-01.")],
    why: WhyOption = "",
) -> None:
    """Have an earlier version of the usage rules hold again, as a new one."""
    path = merchant_path(merchant_id, *RULES, version, "restore")
    asked.show_one(asked.host.post(path, {"valid_from": valid_from, "why": why}))
