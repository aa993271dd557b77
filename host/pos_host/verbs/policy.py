"""`pos-host policies`: by which terms terminals settle, as a running host has it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pos_host.options import UsageError
from pos_host.verbs.agreed import (
    OfMerchantOption,
    OfTerminalOption,
    ValidFromOption,
    VersionOption,
    agreed_in,
    read_values,
)
from pos_host.verbs.asking import Asked, WhyOption, asks_a_host

policies_app = typer.Typer(name="policies", help="Settlement policies.", no_args_is_help=True)

POLICIES = "policies"
"""Their path in the API."""

FileOption = Annotated[
    Path | None, typer.Option("--file", help="TOML with all that the scope has of its own; without it, the settings.")
]
SettingArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]…", help="Keys to change; KEY= takes the scope's own away.")
]


@policies_app.command("show")
@asks_a_host
def show_policy(asked: Asked, merchant_id: OfMerchantOption = None, terminal_id: OfTerminalOption = None) -> None:
    """Show what holds: a line for each key, what is inherited among them."""
    agreed_in(POLICIES, merchant_id, terminal_id).show_keys(asked)


@policies_app.command("set")
@asks_a_host
def set_policy(
    asked: Asked,
    settings: SettingArgument = None,
    merchant_id: OfMerchantOption = None,
    terminal_id: OfTerminalOption = None,
    file: FileOption = None,
    valid_from: ValidFromOption = None,
    why: WhyOption = "",
) -> None:
    """Change keys of a scope's own; what is not named stays."""
    agreed = agreed_in(POLICIES, merchant_id, terminal_id)
    if file is not None:
        values = read_values(file)
    else:
        values = {**asked.host.get(agreed.path, **agreed.query)["values"], **_settings(settings or [])}
    agreed.replace(asked, {key: value for key, value in values.items() if value != ""}, valid_from, why)


@policies_app.command("history")
@asks_a_host
def policy_history(asked: Asked, merchant_id: OfMerchantOption = None, terminal_id: OfTerminalOption = None) -> None:
    """List every version of a scope, the latest first."""
    agreed_in(POLICIES, merchant_id, terminal_id).show_versions(asked)


@policies_app.command("restore")
@asks_a_host
def restore_policy(
    asked: Asked,
    version: VersionOption,
    merchant_id: OfMerchantOption = None,
    terminal_id: OfTerminalOption = None,
    valid_from: ValidFromOption = None,
    why: WhyOption = "",
) -> None:
    """Bring an earlier version back."""
    agreed_in(POLICIES, merchant_id, terminal_id).restore(asked, version, valid_from, why)


@policies_app.command("withdraw")
@asks_a_host
def withdraw_policy(
    asked: Asked,
    version: VersionOption,
    merchant_id: OfMerchantOption = None,
    terminal_id: OfTerminalOption = None,
    why: WhyOption = "",
) -> None:
    """Take back a version that has not begun."""
    agreed_in(POLICIES, merchant_id, terminal_id).withdraw(asked, version, why)


def _settings(settings: list[str]) -> dict[str, str | int]:
    """KEY=VALUE each; whole numbers as such."""
    found: dict[str, str | int] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise UsageError(f"{setting}: must be KEY=VALUE, such as cutoff=22:00")
        found[key] = int(value) if value.isascii() and value.isdigit() else value
    return found
