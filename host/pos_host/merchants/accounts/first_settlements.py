"""Whether a merchant's settlements since a change of holder are unlike those before it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

from pos_host.journal import ROWS_AT_ONCE, Journal, Question
from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.merchants.accounts.change_rules import ChangeRules
from pos_host.money.payout_numbers import is_of_batch

LEAST_BEFORE = 3
"""Settlements that have to be there to be compared with: fewer have no pattern."""


async def first_settlements(
    journal: Journal, merchant_id: str, since: date, rules: ChangeRules
) -> list[dict[str, Any]]:
    """What is unlike in each settlement from the business day `since` on: `{payout_id, what, is, mean_before}`."""
    payouts = await _payouts_of(journal, merchant_id)
    first, begins = since.isoformat(), (since - timedelta(milliseconds=rules.compare_ms)).isoformat()
    before = [payout for payout in payouts if begins <= payout.business_day < first]
    return unlike(before, [payout for payout in payouts if payout.business_day >= first], rules.unlike_times)


def unlike(before: list[PayoutRow], since: Iterable[PayoutRow], times: int) -> list[dict[str, Any]]:
    """Of the payouts `since`, what is so many times more, or less, than the mean of those `before`."""
    found: list[dict[str, Any]] = []
    if len(before) < LEAST_BEFORE:
        return found
    for payout in since:
        for what, measure in _MEASURES.items():
            total, value = sum(map(measure, before)), measure(payout)
            too_much = value * len(before) > total * times
            too_little = what != "refunded" and value * len(before) * times < total
            if too_much or too_little:
                mean = total // len(before)
                found.append({"payout_id": payout.payout_id, "what": what, "is": value, "mean_before": mean})
    return found


async def _payouts_of(journal: Journal, merchant_id: str) -> list[PayoutRow]:
    payouts: list[PayoutRow] = []
    after: int | None = None
    while True:
        page = await journal.select(Question(PayoutRow, {"merchant_id": merchant_id}, after=after))
        payouts += [payout for payout in page if is_of_batch(payout.payout_id)]  # a rent is no settlement
        if len(page) < ROWS_AT_ONCE:
            return payouts
        after = page[-1].payout_id


def _sales(payout: PayoutRow) -> int:
    return sum(int(line["sales"]) for line in json.loads(payout.lines))


_MEASURES: dict[str, Callable[[PayoutRow], int]] = {
    "captured": lambda payout: payout.captured_minor,
    "sales": _sales,
    "refunded": lambda payout: payout.refunded_minor,
}
"""What is compared. Few refunds are nothing to wonder at, so only many are told."""
