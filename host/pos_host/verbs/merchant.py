"""`pos-host merchants`: who the merchants are, and their terminals."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pos_host.verbs.asking import Asked, WhyOption, asks_a_host
from pos_host.verbs.listing import Column
from pos_host.verbs.whom import MerchantArgument, merchant_path

merchants_app = typer.Typer(name="merchants", help="Who the merchants are.", no_args_is_help=True)

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
@asks_a_host
def list_command(asked: Asked) -> None:
    """List the merchants in the order they came."""
    asked.show(asked.host.items("/merchants"), _COLUMNS, "merchants")


@merchants_app.command("show")
@asks_a_host
def show_command(asked: Asked, merchant_id: MerchantArgument) -> None:
    """Show one merchant."""
    asked.show_one(asked.host.get(merchant_path(merchant_id)))


@merchants_app.command("terminals")
@asks_a_host
def terminals_command(asked: Asked, merchant_id: MerchantArgument) -> None:
    """List a merchant's terminals, those that have not spoken yet among them."""
    asked.show(asked.host.items(merchant_path(merchant_id, "terminals")), _TERMINALS, "terminals")


@asks_a_host
def add_terminal_command(
    asked: Asked,
    merchant_id: MerchantArgument,
    terminal_id: Annotated[str, typer.Argument(metavar="TERMINAL", help="The terminal's number.")],
    why: WhyOption = "",
) -> None:
    """Let a terminal enrol at its first message, also under --enrol strict."""
    body = {"terminal_id": terminal_id, "why": why}
    asked.show_one(asked.host.post(merchant_path(merchant_id, "terminals"), body))


@merchants_app.command("create")
@asks_a_host
def create_command(
    asked: Asked,
    merchant_id: MerchantArgument,
    name: NameOption = None,
    legal_name: LegalNameOption = None,
    licence: LicenceOption = None,
    category: CategoryOption = None,
    contact: ContactOption = None,
) -> None:
    """Put a merchant on record; its terminals are added after it."""
    body = {"merchant_id": merchant_id, **_particulars(name, legal_name, licence, category, contact)}
    asked.show_one(asked.host.post("/merchants", body))


@merchants_app.command("change")
@asks_a_host
def change_command(
    asked: Asked,
    merchant_id: MerchantArgument,
    name: NameOption = None,
    legal_name: LegalNameOption = None,
    licence: LicenceOption = None,
    category: CategoryOption = None,
    contact: ContactOption = None,
    why: WhyOption = "",
) -> None:
    """Change what is said of a merchant; what is not named stays."""
    body = {**_particulars(name, legal_name, licence, category, contact), "why": why}
    asked.show_one(asked.host.patch(merchant_path(merchant_id), body))


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
