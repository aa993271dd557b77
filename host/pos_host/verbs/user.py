"""`pos-host users`: who may ask this host, and their tokens; and `pos-host audit`, what they did or tried."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_host.verbs.asking import Asked, LimitOption, WhyOption, asks_a_host
from pos_host.verbs.listing import Column
from pos_host.verbs.office_client import part

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
@asks_a_host
def list_command(asked: Asked) -> None:
    """List the users, revoked ones among them."""
    asked.show(asked.host.items("/users"), _USERS, "users")


@users_app.command("create")
@asks_a_host
def create_command(
    asked: Asked,
    name: NameArgument,
    role: Annotated[str, typer.Option("--role", help="merchant, viewer, operator, reviewer or admin.")],
    merchant_id: Annotated[str | None, typer.Option("--merchant-id", help="For the role merchant.")] = None,
    expires: ExpiresOption = None,
    why: WhyOption = "",
) -> None:
    """Put a user on record; the token is shown this once."""
    body = {"name": name, "role": role, "merchant_id": merchant_id, "expires_at": expires, "why": why}
    asked.show_one(asked.host.post("/users", body))


@users_app.command("rotate")
@asks_a_host
def rotate_command(asked: Asked, name: NameArgument, expires: ExpiresOption = None, why: WhyOption = "") -> None:
    """Give a user a new token, shown this once; the old one ends."""
    body = {"expires_at": expires, "why": why}
    asked.show_one(asked.host.post(f"/users/{part(name)}/rotate", body))


@users_app.command("revoke")
@asks_a_host
def revoke_command(asked: Asked, name: NameArgument, why: WhyOption = "") -> None:
    """End a user and its token for good."""
    asked.show_one(asked.host.post(f"/users/{part(name)}/revoke", {"why": why}))


@asks_a_host
def audit_command(
    asked: Asked,
    actor: Annotated[str | None, typer.Option("--actor", help="Only what this user did or tried.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="Only this, such as terminal.settle.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Only about this: 'terminal T0000001'.")] = None,
    merchant_id: Annotated[str | None, typer.Option("--merchant-id", help="Only about this merchant.")] = None,
    result: Annotated[str | None, typer.Option("--result", help="done or refused.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Not before; ISO 8601 with an offset.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Not after; ISO 8601 with an offset.")] = None,
    limit: LimitOption = 100,
) -> None:
    """Show who did or tried what, the latest first."""
    wanted = {"actor": actor, "action": action, "subject": subject, "merchant": merchant_id, "result": result}
    rows = asked.host.items("/audit", limit, **wanted, since=since, until=until)
    asked.show(rows, _TRAIL, "audit rows")
