"""`pos-host payouts`: what settled batches pay, and what is held of it."""

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
    office_at,
)

payouts_app = typer.Typer(name="payouts", help="What settled batches pay their merchants.", no_args_is_help=True)

PayoutArgument = Annotated[int, typer.Argument(metavar="PAYOUT", min=1, help="Its number, as `list` shows it.")]
WhyNeeded = Annotated[str, typer.Option("--why", help="The reason, for the audit trail.")]

_COLUMNS: tuple[Column, ...] = (
    ("payout", "id"),
    ("merchant", "merchant_id"),
    ("terminal", "terminal_id"),
    ("day", "business_day"),
    ("state", "state"),
    ("due", "due_day"),
    ("gross", "gross_minor"),
    ("fees", "fees_minor"),
    ("charges", "charges_minor"),
    ("net", "net_minor"),
    ("currency", "currency"),
    ("account", "account_id"),
    ("reasons", "reasons"),
)


@payouts_app.command("list")
def list_command(
    merchant_id: Annotated[str | None, typer.Option("--merchant-id", help="Only this merchant's.")] = None,
    terminal_id: Annotated[str | None, typer.Option("--terminal-id", help="Only this terminal's.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="pending, held, released, made or returned.")] = None,
    day: Annotated[str | None, typer.Option("--date", help="Only this business day's: YYYY-MM-DD, or today.")] = None,
    limit: LimitOption = 1000,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List payouts by number."""
    wanted = {"merchant_id": merchant_id, "terminal_id": terminal_id, "state": state, "date": day}
    items = office_at(admin, token, ready_file).items("/payouts", limit, **wanted)
    show(items, _COLUMNS, "payouts", as_json=as_json)


@payouts_app.command("show")
def show_command(
    payout_id: PayoutArgument,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one payout."""
    show_one(office_at(admin, token, ready_file).get(f"/payouts/{payout_id}"), as_json=as_json)


@payouts_app.command("hold")
def hold_command(
    payout_id: PayoutArgument,
    why: WhyNeeded,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a payout back until somebody releases it."""
    show_one(office_at(admin, token, ready_file).post(f"/payouts/{payout_id}/hold", {"why": why}), as_json=as_json)


@payouts_app.command("release")
def release_command(
    payout_id: PayoutArgument,
    why: WhyNeeded,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a held payout go on, as after a review."""
    show_one(office_at(admin, token, ready_file).post(f"/payouts/{payout_id}/release", {"why": why}), as_json=as_json)


@payouts_app.command("return")
def return_command(
    payout_id: PayoutArgument,
    why: WhyNeeded,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a held payout that its merchant does not get."""
    show_one(office_at(admin, token, ready_file).post(f"/payouts/{payout_id}/return", {"why": why}), as_json=as_json)
