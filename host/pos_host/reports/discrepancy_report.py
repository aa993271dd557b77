"""The report of discrepancies: each record, reversal or total on which a terminal and the host differ, by how much."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from pos_host.clock import iso_utc
from pos_host.ledger.book import Book
from pos_host.ledger.entry import BatchRow
from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.reports.late_reversals import LateReversal
from pos_host.settlement.business_day import business_date

COLUMNS = (
    *(
        "day",
        "merchant_id",
        "terminal_id",
        "batch_id",
        "batch_number",
        "result",
        "closed_at",
        "currency",
        "kind",
        "stan",
    ),
    *("terminal_minor", "host_minor", "difference_minor", "payout_state", "paid_minor"),
)


class Disputed(NamedTuple):
    """A closed batch on which there is something to tell; `payouts` are its own and those of what was told late beside
    it, `span_payouts` those of all batches that its terminal settled by the same totals."""

    row: BatchRow
    book: Book
    payouts: list[PayoutRow]
    span_payouts: list[PayoutRow]


def discrepancies_of(
    disputed: Disputed, reversed_late: list[LateReversal], totals: dict[str, Any] | None
) -> list[dict[str, Any]]:
    """The differences of a closed batch; amounts in minor units, 0 where one side has no such record.

    `difference_minor` is terminal − host; `payout_state` how what the batch pays stands, `paid_minor` what of it has
    gone out already. A sale that was reversed late was not uploaded for that reason, so it is told once.
    """
    row = disputed.row
    where = _where(disputed)
    paid = _paid(disputed.payouts)
    stans = {one.stan for one in reversed_late}
    found = json.loads(row.discrepancies) if row.discrepancies else []
    lines = [
        {**where, "kind": item["kind"], "stan": item["stan"], **_amounts(item), **paid}
        for item in found
        if item["kind"] != "not_uploaded" or item["stan"] not in stans
    ]
    lines += [{**where, **one.line(), **paid} for one in reversed_late]
    if totals is not None:
        lines.append({**where, **totals, **_paid(disputed.span_payouts)})
    return lines


def _where(disputed: Disputed) -> dict[str, Any]:
    row, book = disputed.row, disputed.book
    return {
        "day": day_of(row, book).isoformat(),
        "merchant_id": book.merchant_id,
        "terminal_id": book.terminal_id,
        "batch_id": row.batch_id,
        "batch_number": row.number,
        "result": row.result,
        "closed_at": iso_utc(row.closed_at_ms),
        "currency": row.currency,
    }


def _paid(payouts: list[PayoutRow]) -> dict[str, Any]:
    return {
        "payout_state": payouts[0].state if payouts else None,
        "paid_minor": sum(payout.net_minor for payout in payouts if payout.state == "made"),
    }


def day_of(row: BatchRow, book: Book) -> date:
    """The business day on which a batch was closed."""
    return business_date(book.policy, row.closed_at_ms)


def totals_of(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """By currency: how many records differ, and the sums of their amounts."""
    totals: dict[str, dict[str, Any]] = {}
    for item in items:
        nothing = {"currency": item["currency"], "records": 0, "terminal_minor": 0, "host_minor": 0}
        sums = totals.setdefault(item["currency"], {**nothing, "difference_minor": 0})
        sums["records"] += 1
        for name in ("terminal_minor", "host_minor", "difference_minor"):
            sums[name] += item[name]
    return [totals[currency] for currency in sorted(totals)]


def _amounts(item: dict[str, Any]) -> dict[str, int]:
    terminal_minor, host_minor = (side["amount_minor"] if (side := item[of]) else 0 for of in ("terminal", "host"))
    return {
        "terminal_minor": terminal_minor,
        "host_minor": host_minor,
        "difference_minor": terminal_minor - host_minor,
    }
