"""`pos-host calendars`: on which days merchants are paid, as a running host has it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pos_host.agreement_verbs import VERSION_COLUMNS, MerchantOption, ValidFromOption, VersionOption, dated, read_values
from pos_host.listing import show, show_one
from pos_host.office_client import AdminOption, JsonOption, ReadyFileOption, TokenOption, WhyOption, office_at

calendars_app = typer.Typer(name="calendars", help="On which days merchants are paid.", no_args_is_help=True)


def _path(merchant_id: str | None) -> str:
    return "/calendars/acquirer" if merchant_id is None else "/calendars/merchant"


@calendars_app.command("show")
def show_calendar(
    merchant_id: MerchantOption = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what holds: a line for each key, what is inherited among them."""
    found = office_at(admin, token, ready_file).get(_path(merchant_id), merchant_id=merchant_id)
    if as_json:
        show_one(found, as_json=True)
        return
    lines = ({"key": key, "value": value, "own": key in found["values"]} for key, value in found["effective"].items())
    show(lines, (("key", "key"), ("value", "value"), ("its own", "own")), "keys", as_json=False)


@calendars_app.command("set")
def set_calendar(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A calendar (TOML): the keys that are its own.")],
    merchant_id: MerchantOption = None,
    valid_from: ValidFromOption = None,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give the acquirer or a merchant a calendar of its own, in place of the one it had."""
    body = dated({"values": read_values(file), "why": why}, valid_from)
    made = office_at(admin, token, ready_file).put(_path(merchant_id), body, merchant_id=merchant_id)
    show_one(made, as_json=as_json)


@calendars_app.command("history")
def calendar_history(
    merchant_id: MerchantOption = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every version, the latest first."""
    office = office_at(admin, token, ready_file)
    items = office.items(f"{_path(merchant_id)}/history", merchant_id=merchant_id)
    show(items, VERSION_COLUMNS, "versions", as_json=as_json)


@calendars_app.command("restore")
def restore_calendar(
    version: VersionOption,
    merchant_id: MerchantOption = None,
    valid_from: ValidFromOption = None,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring an earlier calendar back."""
    body = dated({"version": version, "why": why}, valid_from)
    office = office_at(admin, token, ready_file)
    show_one(office.post(f"{_path(merchant_id)}/restore", body, merchant_id=merchant_id), as_json=as_json)


@calendars_app.command("withdraw")
def withdraw_calendar(
    version: VersionOption,
    merchant_id: MerchantOption = None,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take back a version that has not begun."""
    office = office_at(admin, token, ready_file)
    body = {"version": version, "why": why}
    show_one(office.post(f"{_path(merchant_id)}/withdraw", body, merchant_id=merchant_id), as_json=as_json)
