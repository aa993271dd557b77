"""Applications that were refused as they came, since something stood in the way: kept, so that one can complain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import Records, body_of, record
from pos_host.merchants.accounts.blockers import blocking_in_words
from pos_host.merchants.desk import Refused

REFUSED_APPLICATION = "refused_application"
"""Kind of the record; it never changes, and its one state is `refused`."""


def refuse_blocked(
    records: Records, about: str, merchant_id: str, asked: dict[str, Any], found: list[dict[str, Any]], now_ms: int
) -> None:
    """Raise Refused (`blocked`, with all `blockers`) where one of the reasons `found` blocks; it keeps the application.

    `about` is the kind of change; `asked` what was applied for, masked, with `submitted_by` and `applicant`. The same
    application refused again for the same reasons is kept once, however often a program tries.
    """
    codes = [blocker["code"] for blocker in found if blocker["blocks"]]
    if not codes:
        return
    body = {"about": about, **asked, "codes": codes, "blockers": found}
    rows = records.of_kind(REFUSED_APPLICATION, merchant_id)
    kept = next((row for row in rows if _same(body_of(row), body)), None)
    number = records.next_id(REFUSED_APPLICATION) if kept is None else kept.record_id
    made = () if kept is not None else (record(REFUSED_APPLICATION, number, merchant_id, "refused", now_ms, body),)
    what = "account" if about == "account_change" else "holder"
    text = f"the settlement {what} cannot be changed (refused application {number}): {blocking_in_words(found)}"
    raise Refused("blocked", text, rows=made, blockers=found, refused_application=number)


def refused_views(rows: Iterable[RecordRow]) -> list[dict[str, Any]]:
    """The applications as everybody may see them who may see the merchant."""
    return [_view(row, body_of(row)) for row in rows]


def _view(row: RecordRow, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "refused_application": row.record_id,
        "merchant_id": row.merchant_id,
        "state": row.state,
        "about": body["about"],
        "wanted": body["wanted"],
        "submitted_by": body["submitted_by"],
        "applicant": body["applicant"],
        "documents": body["documents"],
        "codes": body["codes"],
        "blockers": body["blockers"],
        "refused_at": iso_utc(row.changed_at_ms),
    }


def _same(kept: dict[str, Any], asked: dict[str, Any]) -> bool:
    """What a reason concerns in detail (how far a clock is off) may differ."""
    return {**kept, "blockers": []} == {**asked, "blockers": []}
