"""Rows and host entries made from a book: enrolment, and the turns of a batch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pos_host.ledger.book import Batch, Book
from pos_host.ledger.entry import BatchRow, Entry, TerminalRow
from pos_host.ledger.group_totals import totals_of
from pos_specs.totals import Side, Totals


def terminal_row(book: Book, at_ms: int, *, number_known: bool | None = None) -> TerminalRow:
    """The terminal as it stands, with `number_known` changed where given."""
    known = book.number_known if number_known is None else number_known
    return TerminalRow(
        book.terminal_no,
        book.merchant_id,
        book.terminal_id,
        book.dialect.name,
        book.status,
        book.enrolled_at_ms or at_ms,
        int(known),
    )


def opened_batch(book: Book, number: str, at_ms: int) -> tuple[BatchRow, Entry]:
    """The next batch of the terminal under `number`, and the entry that tells of it."""
    row = BatchRow(
        batch_id=book.next_batch_id(),
        terminal_no=book.terminal_no,
        number=number,
        state="open",
        result="",
        dialect=book.dialect.name,
        currency="",
        opened_at_ms=at_ms,
        closed_at_ms=0,
        after_sequence=book.last_sequence,
        rrn_base=book.rrn_sequence,
        host_totals="",
        terminal_totals="",
        discrepancies="",
        settlement="",
    )
    detail = json.dumps({"number": number})
    return row, Entry("batch_opened", book.terminal_no, row.batch_id, at_ms, detail=detail)


def batch_row(book: Book, batch: Batch, **changes: Any) -> BatchRow:
    """The batch as it stands with `changes` made; totals and lists are given as Python values."""
    row = BatchRow(
        batch_id=batch.batch_id,
        terminal_no=book.terminal_no,
        number=batch.number,
        state=batch.state,
        result=batch.result,
        dialect=batch.dialect.name,
        currency=batch.currency,
        opened_at_ms=batch.opened_at_ms,
        closed_at_ms=batch.closed_at_ms,
        after_sequence=batch.after_sequence,
        rrn_base=batch.rrn_base,
        host_totals=totals_json(totals_of(batch)),
        terminal_totals=totals_json(batch.terminal_totals) if batch.terminal_totals else "",
        discrepancies=json.dumps(batch.discrepancies) if batch.discrepancies else "",
        settlement=json.dumps(batch.settlement) if batch.settlement else "",
    )
    for name in ("terminal_totals", "host_totals"):
        if name in changes:
            changes[name] = totals_json(changes[name])
    for name in ("discrepancies", "settlement"):
        if name in changes:
            changes[name] = json.dumps(changes[name])
    return row._replace(**changes)


def closed_entry(book: Book, batch: Batch, at_ms: int, result: str, differences: int, sent: Totals) -> Entry:
    """The entry that tells of a closed batch: its result, the host's totals and those the terminal sent."""
    detail = {
        "number": batch.number,
        "result": result,
        "differences": differences,
        "totals": {name: list(side) for name, side in totals_of(batch).items() if side.count},
        "sent": {name: list(side) for name, side in sent.items()},
    }
    return Entry("batch_closed", book.terminal_no, batch.batch_id, at_ms, detail=json.dumps(detail))


def totals_json(totals: Mapping[str, Side]) -> str:
    return json.dumps({name: list(side) for name, side in totals.items()})
