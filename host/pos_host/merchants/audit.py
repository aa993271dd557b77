"""The audit trail: every row carries a digest over itself and the row before, so that a change shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from pos_host.ledger.merchant_rows import AuditRow

NO_ROW = AuditRow(0, 0, "", "", "", "", "", "", "", "", "", "")
"""What stands before the first row of a trail."""


def linked(before: AuditRow, row: AuditRow) -> AuditRow:
    """`row` with the number and the digest that follow `before`."""
    numbered = row._replace(audit_no=before.audit_no + 1, digest="")
    return numbered._replace(digest=digest_of(before.digest, numbered))


def digest_of(digest_before: str, row: AuditRow) -> str:
    """SHA-256 (hex) over the digest before and every column of `row` but its own digest."""
    content = json.dumps([digest_before, *row[:-1]], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def broken_links(rows: Iterable[AuditRow], told: dict[int, str]) -> list[dict[str, Any]]:
    """Where a trail was altered; `rows` in order, `told` the digests that the journal's entries name by audit number.

    A row taken out shows in the number that is missing and in the digest of the next; rows taken off the end show in
    the journal, which names them.
    """
    found: list[dict[str, Any]] = []
    before, seen = NO_ROW, set[int]()
    for row in rows:
        seen.add(row.audit_no)
        if row.audit_no != before.audit_no + 1:
            found.append({"kind": "audit_row_missing", "audit_no": before.audit_no + 1, "next": row.audit_no})
        elif row.digest != digest_of(before.digest, row) or told.get(row.audit_no, row.digest) != row.digest:
            found.append({"kind": "audit_row_altered", "audit_no": row.audit_no})
        before = row
    missing = sorted(no for no in told if no not in seen and no > before.audit_no)
    return found + [{"kind": "audit_row_missing", "audit_no": no} for no in missing]
