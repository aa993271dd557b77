"""`pos-host report look-back` and `report patterns`: what a day came to, and what the risk view was told."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_host.verbs.asking import Asked, asks_a_host
from pos_host.verbs.listing import Column
from pos_host.verbs.whom import MerchantOption

DateOption = Annotated[str | None, typer.Option("--date", help="The business day, YYYY-MM-DD; by default the latest.")]

_WAYS: tuple[Column, ...] = (
    ("settled by", "by"),
    ("result", "result"),
    ("batches", "batches"),
    ("net", "net_minor"),
    ("currency", "currency"),
)
_LATE: tuple[Column, ...] = (
    ("merchant", "merchant_id"),
    ("terminal", "terminal_id"),
    ("batch", "batch_number"),
    ("settled", "settled_at"),
    ("by", "by"),
    ("late", "late"),
    ("cause", "cause"),
    ("net", "net_minor"),
    ("currency", "currency"),
)
_OFFENDERS: tuple[Column, ...] = (
    ("merchant", "merchant_id"),
    ("terminal", "terminal_id"),
    ("times late", "times_late"),
)
_PATTERNS: tuple[Column, ...] = (
    ("id", "id"),
    ("state", "state"),
    ("merchant", "merchant_id"),
    ("terminal", "terminal_id"),
    ("pattern", "pattern"),
    ("sales", "count"),
    ("amount", "amount_minor"),
    ("currency", "currency"),
    ("cards", "cards"),
    ("last", "last_at"),
)


@asks_a_host
def look_back(asked: Asked, day: DateOption = None) -> None:
    """Show what a business day came to: settled how, late and why, beside payouts and dry runs."""
    report = asked.host.get("/reports/look-back", date=day)
    if asked.as_json:
        asked.show_one(report)
        return
    short = ("date", "made_at", "not_settled", "reminders", "causes", "payouts")
    asked.show_one({name: report[name] for name in short})
    asked.show(report["settled"], _WAYS, "ways of settling")
    asked.show(report["late"], _LATE, "late settlements")
    asked.show(report["repeat_offenders"], _OFFENDERS, "repeat offenders")


@asks_a_host
def patterns(asked: Asked, merchant_id: MerchantOption = None) -> None:
    """List the patterns of sales that the risk view was told of."""
    asked.show(asked.host.items("/reports/patterns", merchant_id=merchant_id), _PATTERNS, "patterns")
