"""`pos-host users`: who may ask this host, and their tokens; and `pos-host audit`, what they did or tried."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_host.listing import Column, show, show_one
from pos_host.office_client import (
    AdminOption,
    JsonOption,
    LimitOption,
    ReadyFileOption,
    TokenOption,
    WhyOption,
    office_at,
    part,
)

users_app = typer.Typer(name="users", help="Who may ask this host, under which role.", no_args_is_help=True)

ExpiresOption = Annotated[str | None, typer.Option("--expires", help="When the token ends; ISO 8601 with an offset.")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]

_USERS: tuple[Column, ...] = (
    ("name", "name"),
    ("role", "role"),
    ("merchant", "merchant_id"),
    ("state", "state"),
    ("token of", "token_issued_at"),
    ("ends", "expires_at"),
    ("last used", "last_used_at"),
)
_TRAIL: tuple[Column, ...] = (
    ("no", "audit_no"),
    ("at", "at"),
    ("who", "actor"),
    ("role", "role"),
    ("what", "action"),
    ("about", "subject"),
    ("result", "result"),
    ("why", "reason"),
)


@users_app.command("list")
def list_command(
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the users, revoked ones among them."""
    show(office_at(admin, token, ready_file).items("/users"), _USERS, "users", as_json=as_json)


@users_app.command("create")
def create_command(
    name: NameArgument,
    role: Annotated[str, typer.Option("--role", help="merchant, viewer, operator, reviewer or admin.")],
    merchant_id: Annotated[str | None, typer.Option("--merchant-id", help="For the role merchant.")] = None,
    expires: ExpiresOption = None,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a user on record; the token is shown this once."""
    body = {"name": name, "role": role, "merchant_id": merchant_id, "expires_at": expires, "why": why}
    show_one(office_at(admin, token, ready_file).post("/users", body), as_json=as_json)


@users_app.command("rotate")
def rotate_command(
    name: NameArgument,
    expires: ExpiresOption = None,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a user a new token, shown this once; the old one ends."""
    body = {"expires_at": expires, "why": why}
    made = office_at(admin, token, ready_file).post(f"/users/{part(name)}/rotate", body)
    show_one(made, as_json=as_json)


@users_app.command("revoke")
def revoke_command(
    name: NameArgument,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a user and its token for good."""
    gone = office_at(admin, token, ready_file).post(f"/users/{part(name)}/revoke", {"why": why})
    show_one(gone, as_json=as_json)


def audit_command(
    actor: Annotated[str | None, typer.Option("--actor", help="Only what this user did or tried.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="Only this, such as terminal.settle.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Only about this: 'terminal T0000001'.")] = None,
    merchant_id: Annotated[str | None, typer.Option("--merchant-id", help="Only about this merchant.")] = None,
    result: Annotated[str | None, typer.Option("--result", help="done or refused.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Not before; ISO 8601 with an offset.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Not after; ISO 8601 with an offset.")] = None,
    limit: LimitOption = 100,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who did or tried what, the latest first."""
    wanted = {"actor": actor, "action": action, "subject": subject, "merchant": merchant_id, "result": result}
    office = office_at(admin, token, ready_file)
    rows = office.items("/audit", limit, **wanted, since=since, until=until)
    show(rows, _TRAIL, "audit rows", as_json=as_json)
