"""The trail of records: a digest of every version of a record, chained, so that a change behind the host's back shows.

Beside the audit trail and not in it, because terminals and due times write records too, over which nobody acts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from pos_host.ledger.merchant_rows import RecordChangeRow, RecordRow

WRITTEN, FOUND = "written", "found"
"""How a version came into the trail: with the commit that wrote it, or found in a store of before there was a trail."""

NO_CHANGE = RecordChangeRow(0, "", "", "", "", "")
"""What stands before the first row of a trail."""

Key = tuple[str, str]
"""Kind and id of a record."""


def version_digest(row: RecordRow) -> str:
    """SHA-256 (hex) over every column of a record."""
    return _sha256(list(row))


def followed_by(before: RecordChangeRow, row: RecordRow, origin: str = WRITTEN) -> RecordChangeRow:
    """The row of the trail that comes after `before` and speaks of a record's new version."""
    made = RecordChangeRow(before.change_no + 1, row.kind, row.record_id, origin, version_digest(row), "")
    return made._replace(digest=_digest(before.digest, made))


def trail_of(before: RecordChangeRow, rows: Iterable[RecordRow], origin: str = WRITTEN) -> list[RecordChangeRow]:
    """The rows that come after `before`, one for each of `rows` in their order."""
    made: list[RecordChangeRow] = []
    for row in rows:
        before = followed_by(before, row, origin)
        made.append(before)
    return made


class TrailFindings(NamedTuple):
    """What does not agree: records by kind and id with what is wrong, and places where the trail itself was changed;
    `not_covered` counts the records that were only found, not written, since there is a trail."""

    records: list[tuple[Key, str]]
    trail: list[dict[str, Any]]
    not_covered: int


def compared(records: Iterable[RecordRow], changes: Iterable[RecordChangeRow]) -> TrailFindings:
    """Records as they stand against their trail, which is in order; each is read once."""
    last: dict[Key, RecordChangeRow] = {}
    broken: list[dict[str, Any]] = []
    before = NO_CHANGE
    for row in changes:
        if row.change_no != before.change_no + 1:
            broken.append({"kind": "record_change_missing", "change_no": before.change_no + 1, "next": row.change_no})
        elif row.digest != _digest(before.digest, row):
            broken.append({"kind": "record_change_altered", "change_no": row.change_no})
        last[row.kind, row.record_id] = before = row
    wrong: list[tuple[Key, str]] = []
    not_covered = 0
    for record in records:
        key = record.kind, record.record_id
        known = last.pop(key, None)
        if known is None:
            wrong.append((key, "was never written"))
        elif known.version != version_digest(record):
            wrong.append((key, "is not what was written last"))
        elif known.origin == FOUND:
            not_covered += 1
    return TrailFindings(wrong + [(key, "is missing") for key in last], broken, not_covered)


def _digest(digest_before: str, row: RecordChangeRow) -> str:
    """SHA-256 (hex) over the digest before and every column of `row` but its own digest."""
    return _sha256([digest_before, *row[:-1]])


def _sha256(values: list[str | int]) -> str:
    content = json.dumps(values, separators=(",", ":"), default=repr)  # repr: somebody may have put bytes there
    return hashlib.sha256(content.encode()).hexdigest()
