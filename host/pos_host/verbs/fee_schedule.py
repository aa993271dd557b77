"""What `pos-host fees` does with a running host: the fee schedules that hold there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pos_host.verbs.agreed import (
    OfMerchantOption,
    OfTerminalOption,
    ValidFromOption,
    VersionOption,
    agreed_in,
    read_values,
)
from pos_host.verbs.asking import Asked, WhyOption, asks_a_host

SCHEDULES = "fee-schedules"
"""Their path in the API."""


@asks_a_host
def show_fees(asked: Asked, merchant_id: OfMerchantOption = None, terminal_id: OfTerminalOption = None) -> None:
    """Show the rules that a running host asks for a scope, in that order."""
    agreed = agreed_in(SCHEDULES, merchant_id, terminal_id)
    found = asked.host.get(agreed.path, **agreed.query)
    if asked.as_json:
        asked.show_one(found)
        return
    columns = (("rule", "name"), ("products", "products"), ("entries", "entries"), ("currency", "currency"))
    more = (("rate %", "rate_percent"), ("cap", "cap_minor"), ("from", "amount_from_minor"), ("to", "amount_to_minor"))
    asked.show(found["effective"]["rule"], (*columns, *more), "rules")


@asks_a_host
def set_fees(
    asked: Asked,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A fee schedule (TOML): what the scope has of its own.")],
    merchant_id: OfMerchantOption = None,
    terminal_id: OfTerminalOption = None,
    valid_from: ValidFromOption = None,
    why: WhyOption = "",
) -> None:
    """Give a scope a schedule of its own, in place of the one it had."""
    agreed_in(SCHEDULES, merchant_id, terminal_id).replace(asked, read_values(file), valid_from, why)


@asks_a_host
def fees_history(asked: Asked, merchant_id: OfMerchantOption = None, terminal_id: OfTerminalOption = None) -> None:
    """List every version of a scope's schedule, the latest first."""
    agreed_in(SCHEDULES, merchant_id, terminal_id).show_versions(asked)


@asks_a_host
def restore_fees(
    asked: Asked,
    version: VersionOption,
    merchant_id: OfMerchantOption = None,
    terminal_id: OfTerminalOption = None,
    valid_from: ValidFromOption = None,
    why: WhyOption = "",
) -> None:
    """Bring an earlier schedule back."""
    agreed_in(SCHEDULES, merchant_id, terminal_id).restore(asked, version, valid_from, why)


def add_schedule_verbs(fees_app: typer.Typer) -> None:
    """Give `pos-host fees` the verbs that ask a running host."""
    fees_app.command("show")(show_fees)
    fees_app.command("set")(set_fees)
    fees_app.command("history")(fees_history)
    fees_app.command("restore")(restore_fees)
