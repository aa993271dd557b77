"""Questions to the audit trail: who did or tried what, about whom, when; the latest first."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from pos_host.clock import iso_utc
from pos_host.journal import ROWS_AT_ONCE, Journal, Question
from pos_host.ledger.merchant_rows import AuditRow


class Wanted(NamedTuple):
    """Which rows: those that equal every text that is not None, and whose time lies in the range (UTC milliseconds,
    both included)."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    merchant_id: str | None = None
    result: str | None = None
    since_ms: int = 0
    until_ms: int | None = None

    def columns(self) -> dict[str, str | int]:
        """What the store can look for itself."""
        named = self._asdict()
        return {name: named[name] for name in _COLUMNS if named[name] is not None}

    def fits(self, row: AuditRow) -> bool:
        """Whether the row's time does."""
        return self.since_ms <= row.at_ms and (self.until_ms is None or row.at_ms <= self.until_ms)


_COLUMNS = ("actor", "action", "subject", "merchant_id", "result")


async def audit_rows(journal: Journal, wanted: Wanted, limit: int, cursor: int) -> list[AuditRow]:
    """At most `limit` rows below the number `cursor` (0: from the latest on)."""
    found: list[AuditRow] = []
    after = cursor or None
    while len(found) < limit:
        question = Question(AuditRow, wanted.columns(), after=after, limit=ROWS_AT_ONCE, newest_first=True)
        rows = await journal.select(question)
        found += [row for row in rows if wanted.fits(row)]
        if len(rows) < ROWS_AT_ONCE:
            break
        after = rows[-1].audit_no
    return found[:limit]


def audit_view(row: AuditRow) -> dict[str, Any]:
    """A row as others see it."""
    return {
        "audit_no": row.audit_no,
        "at": iso_utc(row.at_ms),
        "actor": row.actor,
        "role": row.role,
        "action": row.action,
        "subject": row.subject,
        "merchant_id": row.merchant_id or None,
        "result": row.result,
        "reason": row.reason,
        "before": json.loads(row.before) if row.before else None,
        "after": json.loads(row.after) if row.after else None,
        "digest": row.digest,
    }
