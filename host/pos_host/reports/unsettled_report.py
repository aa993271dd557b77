"""The report of what was left unsettled: what still is, and how each of the others ended, with its payout."""

from __future__ import annotations

from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.book import Book
from pos_host.ledger.entry import BatchRow
from pos_host.ledger.group_totals import sides
from pos_host.ledger.host_settlement import unsettled_batch
from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.merchants.forgotten.look_back_reading import Closing, Flagged

COLUMNS = (
    *("merchant_id", "terminal_id", "batch_id", "batch_number", "severity", "since", "reasons", "ended", "ended_at"),
    *("result", "cause", "currency", "gross_minor", "payout_state", "net_minor"),
)


def ended_view(closing: Closing, row: BatchRow, book: Book, payouts: list[PayoutRow]) -> dict[str, Any]:
    """A batch that was settled late: `ended` says by whom (terminal, schedule, operator, application).

    `payouts` are the batch's own and those of what was told late; the amounts are of all of them, `payout_state` is
    that of the first.
    """
    return {
        "merchant_id": book.merchant_id,
        "terminal_id": book.terminal_id,
        "batch_id": closing.batch_id,
        "batch_number": closing.number,
        "severity": closing.late,
        "since": None,
        "reasons": [],
        "ended": closing.by,
        "ended_at": iso_utc(closing.at_ms),
        "result": closing.result,
        "cause": closing.cause or None,
        "currency": row.currency,
        "gross_minor": sum(payout.captured_minor - payout.refunded_minor for payout in payouts),
        "payout_state": payouts[0].state if payouts else None,
        "net_minor": sum(payout.net_minor for payout in payouts) if payouts else None,
    }


def open_view(flag: Flagged, book: Book) -> dict[str, Any] | None:
    """A batch that is unsettled now; None where the terminal has none with money any more."""
    batch = unsettled_batch(book)
    if batch is None:
        return None
    debit, credit = sides(batch)
    return {
        "merchant_id": book.merchant_id,
        "terminal_id": book.terminal_id,
        "batch_id": batch.batch_id,
        "batch_number": batch.number,
        "severity": flag.severity,
        "since": flag.since,
        "reasons": list(flag.reasons),
        "ended": None,
        "ended_at": None,
        "result": None,
        "cause": None,
        "currency": batch.currency,
        "gross_minor": debit.amount_minor - credit.amount_minor,
        "payout_state": None,
        "net_minor": None,
    }
