"""Totals of ISO 1987 that differ: no record says where, so the totals of both sides are told, once for all batches that
a terminal settled by them."""

from __future__ import annotations

import json
from typing import Any

from pos_host.journal import Journal
from pos_host.ledger.dialect_names import dialect_named
from pos_host.ledger.entry import SETTLED_BY_HOST, BatchRow
from pos_host.reports.late_reversals import LateReversal

BATCHES_AT_ONCE = 10
"""Batches that are read in one go: a terminal that was away for longer is rare."""


async def settled_span(journal: Journal, row: BatchRow) -> list[BatchRow]:
    """`row` behind those before it that the host settled and whose terminal sent the same totals for all of them; of a
    settlement whose totals cannot differ, `row` alone."""
    span = [row]
    if not _totals_may_differ(row):
        return span
    while True:
        page = await journal.batches_of(row.terminal_no, span[0].batch_id, BATCHES_AT_ONCE)
        for before in page:
            if not _is_one_settlement(before, row):
                return span
            span.insert(0, before)
        if len(page) < BATCHES_AT_ONCE:
            return span


def totals_differ(span: list[BatchRow], reversed_late: list[LateReversal]) -> dict[str, Any] | None:
    """The line of a settlement of ISO 1987 that was out of balance, with the totals of both sides; None for any other.

    Amounts are sales less refunds, each net of its reversals, in minor units. `reversed_late` came before it and has
    lines of its own, so the host's amount is without it; where that explains all there is no line.
    """
    last = span[-1]
    if not _totals_may_differ(last):
        return None
    sent = json.loads(last.settlement or "{}").get("sent") or json.loads(last.terminal_totals or "{}")
    host: dict[str, list[int]] = {}
    for row in span:
        for name, side in json.loads(row.host_totals).items():
            host[name] = [before + more for before, more in zip(host.get(name, [0, 0]), side, strict=True)]
    host_minor = _net_minor(host) - sum(one.moved_minor for one in reversed_late)
    difference_minor = _net_minor(sent) - host_minor
    if reversed_late and not difference_minor:
        return None
    currency = next((row.currency for row in reversed(span) if row.currency), "")
    amounts = {"terminal_minor": _net_minor(sent), "host_minor": host_minor, "difference_minor": difference_minor}
    totals = {"terminal_totals": sent, "host_totals": host}
    return {"kind": "totals_differ", "stan": "", "currency": currency, **amounts, **totals}


def _totals_may_differ(row: BatchRow) -> bool:
    return row.result == "out_of_balance" and dialect_named(row.dialect).totals_kind == "iso87"


def _is_one_settlement(before: BatchRow, row: BatchRow) -> bool:
    if before.result != SETTLED_BY_HOST:
        return False
    told, mine = (json.loads(one.settlement or "{}") for one in (before, row))
    return "sent" in told and (told["key"], told["sent"]) == (mine.get("key"), mine.get("sent"))


def _net_minor(totals: dict[str, list[int]]) -> int:
    amount = {name: side[1] for name, side in totals.items()}
    sales_minor = amount.get("debits", 0) - amount.get("debits_reversal", 0)
    return sales_minor - amount.get("credits", 0) + amount.get("credits_reversal", 0)
