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

Differences = list[dict[str, Any]]
"""A batch's discrepancies, as its row has them."""


def late_difference(book: Book, batch: Batch, changed: BatchRow, at_ms: int) -> RecordRow | None:
    """The record that a change of a closed batch calls for: `found` where its terminal disagrees and did not before, or
    disagrees on more; `cleared` where it agrees after all and has taken nothing back; None for everything else.

    What was taken back late is no matter of totals or records: these agree with a host that keeps it.
    """
    if batch.result != SETTLED_BY_HOST:
        return None
    discrepancies: Differences = json.loads(changed.discrepancies or "[]")
    before = _disagrees(batch, batch.discrepancies, batch.settlement)
    after = _disagrees(batch, discrepancies, json.loads(changed.settlement or "{}"))
    more = len(discrepancies) > len(batch.discrepancies)
    if before == after and not more:
        return None
    taken_back = _taken_back_late(batch)
    if taken_back and not after:
        return None
    return _record(book, batch, "found" if after else "cleared", discrepancies, taken_back, at_ms)


def reversed_late(book: Book, batch: Batch, stan: str, moved_minor: int, at_ms: int) -> RecordRow | None:
    """The record that a reversal of what is in a closed batch calls for; None where the host did not settle the batch,
    nothing of the transaction stands (`moved_minor` 0), or it was taken back late before."""
    taken_back = _taken_back_late(batch)
    if batch.result != SETTLED_BY_HOST or not moved_minor or stan in taken_back:
        return None
    return _record(book, batch, "found", batch.discrepancies, {**taken_back, stan: moved_minor}, at_ms)


def _record(
    book: Book, batch: Batch, state: str, discrepancies: Differences, taken_back: dict[str, int], at_ms: int
) -> RecordRow:
    body: dict[str, Any] = {"terminal_no": book.terminal_no, "batch_number": batch.number}
    if discrepancies or taken_back:
        body["difference_minor"] = _difference_minor(discrepancies, taken_back)
    return record(LATE_DIFFERENCE, str(batch.batch_id), book.merchant_id, state, at_ms, body, at_ms)


def _difference_minor(discrepancies: Differences, taken_back: dict[str, int]) -> int:
    """Terminal − host over records and reversals; a sale that was not uploaded because it was taken back counts once,
    as in the report of discrepancies."""
    once = [one for one in discrepancies if one["kind"] != "not_uploaded" or one["stan"] not in taken_back]
    return sum(_minor(one["terminal"]) - _minor(one["host"]) for one in once) - sum(taken_back.values())


def _taken_back_late(batch: Batch) -> dict[str, int]:
    """By their STANs the transactions of a closed batch that were reversed since, each with what stands of it in the
    host's books (minor units); a reversal of before the batch was closed says nothing of it."""
    told = [json.loads(reversal.entry.detail) for reversal in batch.reversals.values() if reversal.entry.detail]
    late = [detail for detail in told if detail.get("settled_batch_id") == batch.batch_id]
    return {detail["original_stan"]: detail["moved_minor"] for detail in late if detail["moved_minor"]}


def _disagrees(batch: Batch, discrepancies: Differences, settlement: dict[str, Any]) -> bool:
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
