"""What is written when the host judges a batch that its terminal did not settle: rows and entries of one commit."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from pos_host.ledger.book import Batch, Book
from pos_host.ledger.entry import SETTLED_BY_HOST, BatchRow, Entry, HostSettlementRow, Row
from pos_host.ledger.group_totals import has_money, sides
from pos_host.ledger.reconciliation import differences
from pos_host.ledger.rows import batch_row, closed_entry, opened_batch

JUDGED = "host_settlement"
"""Kind of the entry that says what became of a batch when the host judged it; the row of its name is made of it."""


class Judgement(NamedTuple):
    """What is made of a batch: `result` settled, dry_run, carried_over or held, `by` the schedule or an operator.

    `business_day` (ISO date) is done with it and `not_before_ms` when the terminal may be judged next; "" and 0
    where an operator asked, which leaves the schedule as it is.
    """

    result: str
    by: str
    business_day: str = ""
    not_before_ms: int = 0


def unsettled_batch(book: Book) -> Batch | None:
    """The oldest batch of the terminal that is not closed and holds money."""
    return next((batch for batch in book.batches if not batch.closed and has_money(batch)), None)


def written(book: Book, batch: Batch, judgement: Judgement, at_ms: int) -> tuple[tuple[Entry, ...], tuple[Row, ...]]:
    """The entries and rows of a judgement: settled, it closes the batch and opens the next one."""
    entries, rows = [_judged_entry(book, batch, judgement, at_ms)], list[Row]()
    if judgement.business_day:
        rows.append(host_settlement_row(entries[0]))
    if judgement.result != "settled":
        return tuple(entries), tuple(rows)
    found = differences(batch, complete=False) if batch.state == "uploading" else []
    rows.append(_closed_row(book, batch, found, at_ms))
    entries.append(closed_entry(book, batch, at_ms, SETTLED_BY_HOST, len(found), batch.terminal_totals))
    if batch is book.current:
        opened, told = opened_batch(book, batch.dialect.batch.after(batch.number), at_ms)
        rows.append(opened)
        entries.append(told)
    return tuple(entries), tuple(rows)


def host_settlement_row(entry: Entry) -> HostSettlementRow:
    """The row that an entry of a scheduled judgement makes."""
    told = json.loads(entry.detail)
    return HostSettlementRow(
        entry.terminal_no, entry.batch_id, told["business_day"], told["result"], entry.at_ms, told["not_before_ms"]
    )


def is_scheduled(entry: Entry) -> bool:
    """Whether the schedule judged, and not an operator."""
    return entry.kind == JUDGED and bool(json.loads(entry.detail)["business_day"])


def _judged_entry(book: Book, batch: Batch, judgement: Judgement, at_ms: int) -> Entry:
    debit, credit = sides(batch)
    detail: dict[str, Any] = {
        **judgement._asdict(),
        "batch_number": batch.number,
        "debit_amount_minor": debit.amount_minor,
        "credit_amount_minor": credit.amount_minor,
        "currency": batch.currency,
    }
    return Entry(JUDGED, book.terminal_no, batch.batch_id, at_ms, detail=json.dumps(detail))


def _closed_row(book: Book, batch: Batch, found: list[dict[str, Any]], at_ms: int) -> BatchRow:
    """Of an upload that the host ended only what was disputed is kept: its answer is no settlement's."""
    disputed = {"disputed": batch.settlement["disputed"]} if batch.settlement.get("disputed") else {}
    return batch_row(
        book,
        batch,
        state="settled",
        result=SETTLED_BY_HOST,
        closed_at_ms=at_ms,
        discrepancies=found,
        settlement=disputed,
    )
