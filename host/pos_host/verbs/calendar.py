"""`pos-host calendars`: on which days merchants are paid, as a running host has it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pos_host.verbs.agreed import Agreed, OfMerchantOption, ValidFromOption, VersionOption, read_values
from pos_host.verbs.asking import Asked, WhyOption, asks_a_host

calendars_app = typer.Typer(name="calendars", help="On which days merchants are paid.", no_args_is_help=True)


@calendars_app.command("show")
@asks_a_host
def show_calendar(asked: Asked, merchant_id: OfMerchantOption = None) -> None:
    """Show what holds: a line for each key, what is inherited among them."""
    _calendar(merchant_id).show_keys(asked)


@calendars_app.command("set")
@asks_a_host
def set_calendar(
    asked: Asked,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A calendar (TOML): the keys that are its own.")],
    merchant_id: OfMerchantOption = None,
    valid_from: ValidFromOption = None,
    why: WhyOption = "",
) -> None:
    """Give the acquirer or a merchant a calendar of its own, in place of the one it had."""
    _calendar(merchant_id).replace(asked, read_values(file), valid_from, why)


@calendars_app.command("history")
@asks_a_host
def calendar_history(asked: Asked, merchant_id: OfMerchantOption = None) -> None:
    """List every version, the latest first."""
    _calendar(merchant_id).show_versions(asked)


@calendars_app.command("restore")
@asks_a_host
def restore_calendar(
    asked: Asked,
    version: VersionOption,
    merchant_id: OfMerchantOption = None,
    valid_from: ValidFromOption = None,
    why: WhyOption = "",
) -> None:
    """Bring an earlier calendar back."""
    _calendar(merchant_id).restore(asked, version, valid_from, why)


@calendars_app.command("withdraw")
@asks_a_host
def withdraw_calendar(
    asked: Asked, version: VersionOption, merchant_id: OfMerchantOption = None, why: WhyOption = ""
) -> None:
    """Take back a version that has not begun."""
    _calendar(merchant_id).withdraw(asked, version, why)


def _calendar(merchant_id: str | None) -> Agreed:
    return Agreed(f"/calendars/{'acquirer' if merchant_id is None else 'merchant'}", {"merchant_id": merchant_id})
