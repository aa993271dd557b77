"""The settlements of a look-back as CSV: a row for each, under the names of the JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

COLUMNS = (
    "date",
    "merchant_id",
    "terminal_id",
    "batch_id",
    "batch_number",
    "settled_at",
    "by",
    "result",
    "differences",
    "debit_count",
    "debit_minor",
    "credit_count",
    "credit_minor",
    "net_minor",
    "currency",
    "late",
    "cause",
)


def settlements_csv(day: str, settlements: Iterable[dict[str, Any]]) -> str:
    """RFC 4180 text with a heading line; amounts in minor units."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in settlements:
        debit, credit = row["debit"], row["credit"]
        flat = {
            **row,
            "date": day,
            "debit_count": debit["count"],
            "debit_minor": debit["amount_minor"],
            "credit_count": credit["count"],
            "credit_minor": credit["amount_minor"],
        }
        writer.writerow([_safe(flat[name]) for name in COLUMNS])
    return text.getvalue()


def _safe(value: Any) -> Any:
    """A terminal may call itself anything: what a spreadsheet would take for a formula is kept from being one."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
