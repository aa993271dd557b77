"""What became of a change, step by step: written into its record, told in its view and its events."""

from __future__ import annotations

from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import Records, body_of, record
from pos_host.merchants.desk import Refused
from pos_host.merchants.free_text import plain_text
from pos_host.merchants.lives import Life

MOST_DIGITS = 7
"""Of a change's number in an error: a longer one may be anything, an account number too."""

REASONS_MOST = 20
"""Reasons of one refusal: more than a page tells."""


def stepped(
    life: Life, row: RecordRow, way: str, by: str, now_ms: int, extra: dict[str, Any], *, due_at_ms: int = 0
) -> RecordRow:
    """The change after a step of its life, with the step in its history; raises NotNow where there is none such."""
    state = life.after(row.state, way)
    body = {**body_of(row), **extra}
    body["history"] = [*body["history"], step(way, by, state, now_ms, str(extra.get("why", "")))]
    return record(row.kind, row.record_id, row.merchant_id, state, now_ms, body, due_at_ms)


def step(way: str, by: str, state: str, now_ms: int, why: str = "") -> dict[str, Any]:
    """One line of a history: what was done by whom, and where it led."""
    return {"at_ms": now_ms, "action": way, "by": by, "state": state, "why": why}


def history_view(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The history with its times as text."""
    return [
        {**{k: v for k, v in line.items() if k != "at_ms"}, "at": iso_utc(line["at_ms"])} for line in body["history"]
    ]


def refusal_reasons(reasons: list[str]) -> list[str]:
    """The reasons of a refusal; raises Refused (422) without any."""
    if not 1 <= len(reasons) <= REASONS_MOST:
        raise Refused("no_reasons", f"reasons: a refusal has 1 to {REASONS_MOST} reasons", status=422)
    return [plain_text(f"reasons.{place}", reason) for place, reason in enumerate(reasons)]


def find_change(records: Records, kind: str, merchant_id: str, change_id: str) -> RecordRow:
    """A merchant's change; raises Refused (404) where the merchant has none of that number."""
    row = records.find(kind, change_id)
    if row is None or row.merchant_id != merchant_id:
        named = change_id if change_id.isdecimal() and len(change_id) <= MOST_DIGITS else "of that number"
        text = f"merchant {merchant_id} has no {kind.replace('_', ' ')} {named}"
        raise Refused(f"no_such_{kind}", text, status=404)
    return row
