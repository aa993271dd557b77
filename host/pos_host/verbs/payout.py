"""`pos-host payouts`: what settled batches pay, and what is held of it."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_host.verbs.asking import Asked, LimitOption, asks_a_host
from pos_host.verbs.listing import Column

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
@asks_a_host
def list_command(
    asked: Asked,
    merchant_id: Annotated[str | None, typer.Option("--merchant-id", help="Only this merchant's.")] = None,
    terminal_id: Annotated[str | None, typer.Option("--terminal-id", help="Only this terminal's.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="pending, held, released, made or returned.")] = None,
    day: Annotated[str | None, typer.Option("--date", help="Only this business day's: YYYY-MM-DD, or today.")] = None,
    limit: LimitOption = 1000,
) -> None:
    """List payouts by number."""
    wanted = {"merchant_id": merchant_id, "terminal_id": terminal_id, "state": state, "date": day}
    asked.show(asked.host.items("/payouts", limit, **wanted), _COLUMNS, "payouts")


@payouts_app.command("show")
@asks_a_host
def show_command(asked: Asked, payout_id: PayoutArgument) -> None:
    """Show one payout."""
    asked.show_one(asked.host.get(f"/payouts/{payout_id}"))


@payouts_app.command("hold")
@asks_a_host
def hold_command(asked: Asked, payout_id: PayoutArgument, why: WhyNeeded) -> None:
    """Keep a payout back until somebody releases it."""
    asked.show_one(asked.host.post(f"/payouts/{payout_id}/hold", {"why": why}))


@payouts_app.command("release")
@asks_a_host
def release_command(asked: Asked, payout_id: PayoutArgument, why: WhyNeeded) -> None:
    """Let a held payout go on, as after a review."""
    asked.show_one(asked.host.post(f"/payouts/{payout_id}/release", {"why": why}))


@payouts_app.command("return")
@asks_a_host
def return_command(asked: Asked, payout_id: PayoutArgument, why: WhyNeeded) -> None:
    """End a held payout that its merchant does not get."""
    asked.show_one(asked.host.post(f"/payouts/{payout_id}/return", {"why": why}))
