"""Everything of a terminal, to be kept elsewhere before it is closed: transactions, settlements, vouchers.

The journal has no index by terminal, so an export asks it for the terminal's entries range by range, and lets the
host's other work go on in between.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from pos_host.clock import iso_utc
from pos_host.entry_walk import every
from pos_host.handlers.after_closing import AFTER_CLOSING
from pos_host.journal import EntryQuestion, Journal, StoredEntry
from pos_host.ledger.book import Book
from pos_host.ledger.registry import Registry
from pos_host.merchants.forgotten.applications import APPLICATION, application_view
from pos_host.views import batch_view, live_row, terminal_view, without_prints

BATCHES_AT_ONCE = 100

COLUMNS = (
    "record",
    "at",
    "sequence",
    "function",
    "outcome",
    "mti",
    "stan",
    "rrn",
    "approval_code",
    "batch_id",
    "batch_number",
    "amount_minor",
    "currency",
    "card",
    "result",
    "detail",
)
"""Of the CSV form; what a record has beside them stands in `detail`, as JSON."""


class TerminalExport:
    """Reads; nothing changes by it. Cards are masked as everywhere."""

    def __init__(self, registry: Registry, journal: Journal) -> None:
        self._registry = registry
        self._journal = journal

    async def records(self, book: Book) -> AsyncIterator[dict[str, Any]]:
        """The terminal, its settlements, the vouchers handed in for it, then each of its journal's entries in order."""
        yield {"record": "terminal", "at": iso_utc(book.enrolled_at_ms), **terminal_view(book)}
        after = 0
        while rows := await self._journal.batches_of(book.terminal_no, after, BATCHES_AT_ONCE):
            for row in rows:
                view = batch_view(live_row(book, row), book.merchant_id, book.terminal_id)
                yield {"record": "settlement", "at": view["closed_at"] or view["opened_at"], **view}
            after = rows[-1].batch_id
        for application in self._registry.records.of_kind(APPLICATION, book.merchant_id):
            view = application_view(application)
            if view["terminal_no"] == book.terminal_no:
                for voucher in view["vouchers"]:
                    told = {"application": view["id"], "state": view["state"], "batch_id": view["batch_id"]}
                    yield {"record": "voucher", "at": view["handed_in_at"], **told, **voucher}
        async for stored in every(self._journal, EntryQuestion({"terminal_no": (book.terminal_no,)})):
            yield {"record": "transaction", **entry_view(stored)}

    async def late_messages(self, book: Book) -> list[dict[str, Any]]:
        """What it sent while it was closed, in order: refused, kept, and nothing done about it."""
        late = EntryQuestion({"terminal_no": (book.terminal_no,), "kind": (AFTER_CLOSING,)})
        return [entry_view(stored) async for stored in every(self._journal, late)]


def entry_view(stored: StoredEntry) -> dict[str, Any]:
    """An entry of the journal as people may see it; of a late message the function that it was."""
    entry = stored.entry
    detail = without_prints(json.loads(entry.detail)) if entry.detail else {}
    return {
        "sequence": stored.sequence,
        "at": iso_utc(entry.at_ms),
        "kind": entry.kind,
        "function": detail.pop("function", entry.kind) if isinstance(detail, dict) else entry.kind,
        "outcome": entry.outcome,
        "mti": entry.mti,
        "stan": entry.stan,
        "rrn": entry.rrn,
        "approval_code": entry.approval_code,
        "batch_id": entry.batch_id,
        "amount_minor": entry.amount_minor,
        "currency": entry.currency,
        "card": entry.card,
        "detail": detail,
    }


async def as_json_lines(records: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    """One JSON document per line."""
    async for record in records:
        yield json.dumps(record, ensure_ascii=False) + "\n"


async def as_csv(records: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    """A heading and a line per record, in COLUMNS."""
    yield _csv_line(list(COLUMNS))
    async for record in records:
        detail = {name: value for name, value in record.items() if name not in COLUMNS}
        if record.get("detail"):
            detail["detail"] = record["detail"]
        shown = {**record, "batch_number": record.get("number", ""), "detail": json.dumps(detail, ensure_ascii=False)}
        yield _csv_line([_cell(shown.get(name)) for name in COLUMNS])


def _cell(value: Any) -> str:
    """A cell's text; one that a spreadsheet would take for a formula is marked as text."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") and not text[1:].isdigit() else text


def _csv_line(cells: list[str]) -> str:
    import csv  # a host that starts exports nothing
    import io

    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()
