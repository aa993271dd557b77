"""`pos-host merchants`: who the merchants are, and their terminals."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pos_host.listing import Column, show, show_one
from pos_host.office_client import (
    AdminOption,
    JsonOption,
    ReadyFileOption,
    TokenOption,
    WhyOption,
    office_at,
    part,
)

merchants_app = typer.Typer(name="merchants", help="Who the merchants are.", no_args_is_help=True)

MerchantArgument = Annotated[str, typer.Argument(metavar="MERCHANT", help="The merchant's number.")]
NameOption = Annotated[str | None, typer.Option("--name", help="As it stands over the shop's door.")]
LegalNameOption = Annotated[str | None, typer.Option("--legal-name", help="As it stands in the licence.")]
LicenceOption = Annotated[str | None, typer.Option("--licence", help="Number of the business licence.")]
CategoryOption = Annotated[str | None, typer.Option("--category", help="Merchant category code, four digits.")]
ContactOption = Annotated[str | None, typer.Option("--contact", help="Where notices go.")]

_COLUMNS: tuple[Column, ...] = (
    ("merchant", "merchant_id"),
    ("name", "name"),
    ("category", "category_code"),
    ("status", "status"),
    ("terminals", "terminals"),
    ("since", "created_at"),
)
_TERMINALS: tuple[Column, ...] = (
    ("terminal", "terminal_id"),
    ("enrolled", "enrolled"),
    ("status", "status"),
    ("added", "added_at"),
    ("by", "added_by"),
)


@merchants_app.command("list")
def list_command(
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the merchants in the order they came."""
    office = office_at(admin, token, ready_file)
    show(office.items("/merchants"), _COLUMNS, "merchants", as_json=as_json)


@merchants_app.command("show")
def show_command(
    merchant_id: MerchantArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one merchant."""
    show_one(office_at(admin, token, ready_file).get(f"/merchants/{part(merchant_id)}"), as_json=as_json)


@merchants_app.command("terminals")
def terminals_command(
    merchant_id: MerchantArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a merchant's terminals, those that have not spoken yet among them."""
    office = office_at(admin, token, ready_file)
    show(office.items(f"/merchants/{part(merchant_id)}/terminals"), _TERMINALS, "terminals", as_json=as_json)


def add_terminal_command(
    merchant_id: MerchantArgument,
    terminal_id: Annotated[str, typer.Argument(metavar="TERMINAL", help="The terminal's number.")],
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a terminal enrol at its first message, also under --enrol strict."""
    body = {"terminal_id": terminal_id, "why": why}
    office = office_at(admin, token, ready_file)
    show_one(office.post(f"/merchants/{part(merchant_id)}/terminals", body), as_json=as_json)


@merchants_app.command("create")
def create_command(
    merchant_id: MerchantArgument,
    name: NameOption = None,
    legal_name: LegalNameOption = None,
    licence: LicenceOption = None,
    category: CategoryOption = None,
    contact: ContactOption = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a merchant on record; its terminals are added after it."""
    body = {"merchant_id": merchant_id, **_particulars(name, legal_name, licence, category, contact)}
    show_one(office_at(admin, token, ready_file).post("/merchants", body), as_json=as_json)


@merchants_app.command("change")
def change_command(
    merchant_id: MerchantArgument,
    name: NameOption = None,
    legal_name: LegalNameOption = None,
    licence: LicenceOption = None,
    category: CategoryOption = None,
    contact: ContactOption = None,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change what is said of a merchant; what is not named stays."""
    body = {**_particulars(name, legal_name, licence, category, contact), "why": why}
    office = office_at(admin, token, ready_file)
    show_one(office.patch(f"/merchants/{part(merchant_id)}", body), as_json=as_json)


def _particulars(
    name: str | None, legal_name: str | None, licence: str | None, category: str | None, contact: str | None
) -> dict[str, Any]:
    """What was given of them, under the names of the API."""
    named = {
        "name": name,
        "legal_name": legal_name,
        "licence_number": licence,
        "category_code": category,
        "contact": contact,
    }
    return {key: value for key, value in named.items() if value is not None}
