"""A payout as the API, the verbs, the events and the audit trail show it."""

from __future__ import annotations

import json
from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.book import Book
from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.money.payout_numbers import batch_of_payout


def payout_view(row: PayoutRow, book: Book | None) -> dict[str, Any]:
    """The payout as JSON; `book` is its terminal's, None for a fixed charge of the merchant."""
    return {
        "id": row.payout_id,
        "merchant_id": row.merchant_id,
        "terminal_id": None if book is None else book.terminal_id,
        "batch_id": batch_of_payout(row.payout_id),
        "state": row.state,
        "reasons": json.loads(row.reasons),
        "currency": row.currency,
        "business_day": row.business_day,
        "due_day": row.due_day,
        "due_at": iso_utc(row.due_at_ms),
        "captured_minor": row.captured_minor,
        "refunded_minor": row.refunded_minor,
        "gross_minor": row.captured_minor - row.refunded_minor,
        "fees_minor": row.fees_minor,
        "charges_minor": row.charges_minor,
        "net_minor": row.net_minor,
        "account_id": row.account_id or None,
        "changed_at": iso_utc(row.changed_at_ms),
        "lines": json.loads(row.lines),
    }
