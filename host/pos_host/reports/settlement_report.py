"""The settlement report: captured, refunded, fees, net and what became of it, by day, merchant, terminal or product."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from pos_host.ledger.book import Book
from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.money.payout_steps import BELOW_ZERO, reasons_of

BY = ("day", "merchant", "terminal", "product")
"""What a report can be divided by; every division of the same payouts has the same totals."""

KEYS = {
    "day": ("day",),
    "merchant": ("merchant_id",),
    "terminal": ("merchant_id", "terminal_id"),
    "product": ("product",),
}
"""What names a line of each division, beside the currency."""

AMOUNTS = ("captured_minor", "refunded_minor", "gross_minor", "fees_minor", "charges_minor", "net_minor")
ENDS = ("paid_minor", "pending_minor", "held_minor", "carried_over_minor", "returned_minor")
"""What became of the net: every payout stands in one of them, so that together they are `net_minor`."""

_ENDS = {"made": "paid_minor", "pending": "pending_minor", "released": "pending_minor", "held": "held_minor"}

BookOf = Callable[[int], Book | None]


class _Share(NamedTuple):
    """A payout, or one product's part of it."""

    product: str
    captured_minor: int
    refunded_minor: int
    fees_minor: int
    charges_minor: int

    @property
    def net_minor(self) -> int:
        return self.captured_minor - self.refunded_minor - self.fees_minor - self.charges_minor


def settlement_report(rows: Iterable[PayoutRow], by: str, book_of: BookOf) -> dict[str, Any]:
    """Lines and, by currency, totals of `rows`, divided by one of BY; amounts in minor units.

    `payouts` counts the payouts with money in the line, so that divided by product one payout can count several times.
    """
    lines: dict[tuple[str, ...], dict[str, Any]] = {}
    totals: dict[str, dict[str, Any]] = {}
    for row in rows:
        _add(totals.setdefault(row.currency, _nothing({"currency": row.currency})), row, _whole(row))
        for share in _by_product(row) if by == "product" else (_whole(row),):
            named = _named(row, by, share.product, book_of)
            key = (*named.values(), row.currency)
            _add(lines.setdefault(key, _nothing({**named, "currency": row.currency})), row, share)
    items = [lines[key] for key in sorted(lines)]
    return {"by": by, "items": items, "totals": [totals[key] for key in sorted(totals)]}


def _named(row: PayoutRow, by: str, product: str, book_of: BookOf) -> dict[str, str]:
    book = book_of(row.terminal_no)
    values = {
        "day": row.business_day,
        "merchant_id": row.merchant_id,
        "terminal_id": "" if book is None else book.terminal_id,
        "product": product,
    }
    return {name: values[name] for name in KEYS[by]}


def _nothing(named: dict[str, str]) -> dict[str, Any]:
    return {**named, "payouts": 0, **dict.fromkeys((*AMOUNTS, *ENDS), 0)}


def _add(line: dict[str, Any], row: PayoutRow, share: _Share) -> None:
    line["payouts"] += 1
    line["captured_minor"] += share.captured_minor
    line["refunded_minor"] += share.refunded_minor
    line["gross_minor"] += share.captured_minor - share.refunded_minor
    line["fees_minor"] += share.fees_minor
    line["charges_minor"] += share.charges_minor
    line["net_minor"] += share.net_minor
    line[end_of(row)] += share.net_minor


def end_of(row: PayoutRow) -> str:
    """In which of ENDS the net of a payout stands now."""
    if row.state in ("pending", "released") and BELOW_ZERO in reasons_of(row):
        return "carried_over_minor"
    return _ENDS.get(row.state, "returned_minor")


def _whole(row: PayoutRow) -> _Share:
    return _Share("", row.captured_minor, row.refunded_minor, row.fees_minor, row.charges_minor)


def _by_product(row: PayoutRow) -> Iterator[_Share]:
    for line in json.loads(row.lines):
        sums = (line.get(name, 0) for name in ("captured_minor", "refunded_minor", "fees_minor", "charges_minor"))
        yield _Share(line["product"], *sums)
