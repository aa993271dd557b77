"""The records of the merchant's side in memory: every one as its last commit left it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from pos_host.ledger.merchant_rows import RecordRow


class Records:
    """Records by kind and id. They change only after a commit, through `take`."""

    def __init__(self, rows: Iterable[RecordRow] = ()) -> None:
        self._by_kind: dict[str, dict[str, RecordRow]] = {}
        self._due: dict[tuple[str, str], int] = {}
        self._listeners: dict[str, list[Callable[[RecordRow], None]]] = {}
        for row in rows:
            self.take(row)

    def take(self, row: RecordRow) -> None:
        """Keep a row that was committed."""
        self._by_kind.setdefault(row.kind, {})[row.record_id] = row
        if row.due_at_ms:
            self._due[row.kind, row.record_id] = row.due_at_ms
        else:
            self._due.pop((row.kind, row.record_id), None)
        for told in self._listeners.get(row.kind, ()):
            told(row)

    def listen(self, kind: str, told: Callable[[RecordRow], None]) -> None:
        """Have `told` called with each row of a kind that is committed from now on."""
        self._listeners.setdefault(kind, []).append(told)

    def find(self, kind: str, record_id: str) -> RecordRow | None:
        return self._by_kind.get(kind, {}).get(record_id)

    def of_kind(self, kind: str, merchant_id: str | None = None) -> list[RecordRow]:
        """Records of a kind in the order they were made, those of one merchant where asked."""
        rows = self._by_kind.get(kind, {}).values()
        return [row for row in rows if merchant_id in (None, row.merchant_id)]

    def next_id(self, kind: str) -> str:
        """A number that no record of the kind has: they are counted and never deleted."""
        return str(len(self._by_kind.get(kind, {})) + 1)

    def next_due_ms(self) -> int | None:
        """When the first of them is due, UTC milliseconds."""
        return min(self._due.values(), default=None)

    def due(self, now_ms: int) -> list[RecordRow]:
        """Those that are due by now, the earliest first."""
        found = sorted((at_ms, kind, record_id) for (kind, record_id), at_ms in self._due.items() if at_ms <= now_ms)
        return [self._by_kind[kind][record_id] for _, kind, record_id in found]


def body_of(row: RecordRow) -> dict[str, Any]:
    """What only this kind of record has."""
    body: dict[str, Any] = json.loads(row.body)
    return body


def changed(row: RecordRow, state: str, now_ms: int, body: dict[str, Any] | None = None) -> RecordRow:
    """The record in another state, with `body` in place of its own where given; it is due no more."""
    kept = row.body if body is None else json.dumps(body, ensure_ascii=False)
    return row._replace(state=state, due_at_ms=0, changed_at_ms=now_ms, body=kept)


def record(
    kind: str, record_id: str, merchant_id: str, state: str, now_ms: int, body: dict[str, Any], due_at_ms: int = 0
) -> RecordRow:
    """A row to commit, changed at `now_ms`."""
    return RecordRow(kind, record_id, merchant_id, state, due_at_ms, now_ms, json.dumps(body, ensure_ascii=False))
