"""A batch the host settled, and a terminal that says otherwise later: the record that has somebody look at its payout.

It is written in the commit of what the terminal sent, with a due time, and acted on over the desk.
"""

from __future__ import annotations

import json
from typing import Any

from pos_host.ledger.book import Batch, Book
from pos_host.ledger.entry import SETTLED_BY_HOST, BatchRow
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import record

LATE_DIFFERENCE = "late_difference"
"""Kind of the records; the id is the batch's."""


def late_difference(book: Book, batch: Batch, changed: BatchRow, at_ms: int) -> RecordRow | None:
    """The record that a change of a closed batch calls for: `found` where its terminal disagrees and did not before, or
    disagrees on more; `cleared` where it agrees after all; None for everything else."""
    if batch.result != SETTLED_BY_HOST:
        return None
    discrepancies = json.loads(changed.discrepancies or "[]")
    before = _disagrees(batch, batch.discrepancies, batch.settlement)
    after = _disagrees(batch, discrepancies, json.loads(changed.settlement or "{}"))
    more = len(discrepancies) > len(batch.discrepancies)
    if before == after and not more:
        return None
    body: dict[str, Any] = {"terminal_no": book.terminal_no, "batch_number": batch.number}
    if discrepancies:
        body["difference_minor"] = sum(_minor(one["terminal"]) - _minor(one["host"]) for one in discrepancies)
    state = "found" if after else "cleared"
    return record(LATE_DIFFERENCE, str(batch.batch_id), book.merchant_id, state, at_ms, body, at_ms)


def reversed_late(book: Book, batch: Batch, moved_minor: int, at_ms: int) -> RecordRow | None:
    """The record that a reversal of what is in a closed batch calls for; None where the host did not settle the batch,
    or nothing of the transaction stands (`moved_minor` 0)."""
    if batch.result != SETTLED_BY_HOST or not moved_minor:
        return None
    before = sum(_minor(one["terminal"]) - _minor(one["host"]) for one in batch.discrepancies)
    body = {"terminal_no": book.terminal_no, "batch_number": batch.number, "difference_minor": before - moved_minor}
    return record(LATE_DIFFERENCE, str(batch.batch_id), book.merchant_id, "found", at_ms, body, at_ms)


def _disagrees(batch: Batch, discrepancies: list[dict[str, Any]], settlement: dict[str, Any]) -> bool:
    """Whether a record differs, or totals do that no record explains yet.

    Hypercom's trailer is answered for all batches at once: of those whose records agree it says nothing. A UnionPay
    upload that has ended has said what there was to say; ISO 1987 has none.
    """
    if discrepancies:
        return True
    if settlement.get("outcome") != "out_of_balance" or batch.dialect.totals_kind == "hypercom63":
        return False
    return "ended" not in settlement


def _minor(side: dict[str, Any] | None) -> int:
    return 0 if side is None else int(side["amount_minor"])
