"""`pos-host report look-back` and `report patterns`: what a day came to, and what the risk view was told."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_host.application_verbs import MerchantOption
from pos_host.listing import Column, show, show_one
from pos_host.office_client import AdminOption, JsonOption, ReadyFileOption, TokenOption, office_at

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
    ("cards", "cards"),
    ("last", "last_at"),
)


def look_back(
    day: DateOption = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a business day came to: settled how, late and why, beside payouts and dry runs."""
    report = office_at(admin, token, ready_file).get("/reports/look-back", date=day)
    if as_json:
        show_one(report, as_json=True)
        return
    short = ("date", "made_at", "not_settled", "reminders", "causes", "payouts")
    show_one({name: report[name] for name in short}, as_json=False)
    show(report["settled"], _WAYS, "ways of settling", as_json=False)
    show(report["late"], _LATE, "late settlements", as_json=False)
    show(report["repeat_offenders"], _OFFENDERS, "repeat offenders", as_json=False)


def patterns(
    merchant_id: MerchantOption = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the patterns of sales that the risk view was told of."""
    office = office_at(admin, token, ready_file)
    show(office.items("/reports/patterns", merchant_id=merchant_id), _PATTERNS, "patterns", as_json=as_json)
