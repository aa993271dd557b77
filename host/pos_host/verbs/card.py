"""`pos-host cards`: the test cards, what a terminal needs to use one, and what their issuer says.

The numbers are public and nobody's, so they are shown whole; a card's number appears whole nowhere else.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from pos_host.clock import Instant, SystemClock
from pos_host.handlers.issuer import has_expired
from pos_host.settlement.policy import load_policy
from pos_specs.test_cards import TestCard, shipped_test_cards

cards_app = typer.Typer(name="cards", help="Test cards and what their issuer says.", no_args_is_help=True)

HEADS = ("name", "number", "scheme", "product", "expiry", "PIN", "what the issuer says")


@cards_app.callback()
def cards() -> None:
    """Keeps `list` a verb of its own: a command with a single verb would swallow its name."""


@cards_app.command("list")
def list_command(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per line.")] = False,
) -> None:
    """List the test cards. Amounts are in minor units of whatever currency is asked."""
    cards = shipped_test_cards().values()
    if as_json:
        for card in cards:
            typer.echo(json.dumps(asdict(card)))
        return
    now = SystemClock(load_policy(None)).now()
    rows = [HEADS, *(_row(card, now) for card in cards)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    for row in rows:
        typer.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _row(card: TestCard, now: Instant) -> tuple[str, ...]:
    return card.name, card.pan, card.organisation, card.product, card.expiry, card.pin, issuer_says(card, now)


def issuer_says(card: TestCard, now: Instant) -> str:
    """In words what `handlers.issuer` makes of the card's row when the PIN is right."""
    if card.outcome != "approved":
        return card.outcome
    if has_expired(card.expiry, now):
        return "expired_card"
    if card.available_minor is not None:
        return f"approved up to {card.available_minor}, beyond it that part (or insufficient_funds)"
    if card.limit_minor is not None:
        return f"approved up to {card.limit_minor}, beyond it over_limit"
    return f"approved up to {card.balance_minor}, beyond it insufficient_funds"
