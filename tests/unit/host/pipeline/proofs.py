"""What must be true of a host after any conversation: its books survive a restart, verify, and hold no card."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from structlog.testing import capture_logs
from tests.unit.host.pipeline.host_in_process import HostInProcess, Line
from tests.unit.host.pipeline.terminals import CARDS, TRACK_TAIL, WRONG_CARD

from pos_host.event_log import event_of
from pos_host.journal import Snapshot, StoredEntry
from pos_host.ledger.book import Batch, Book, Transaction
from pos_host.ledger.entry import AuthorisationRow, BatchRow, FlagRow, TerminalRow
from pos_host.ledger.registry import Registry
from pos_host.ledger.rows import batch_row
from pos_host.verifying import RowsOf, Verifier
from pos_host.views import batch_view, terminal_view

_OF_THE_PROCESS = {"session", "busy", "waiting", "flag_pending", "last_seen_at_ms", "last_sequence"}
"""What of a book belongs to the running process and not to the books."""

FAILURES_FORGOTTEN_MS = 600_000
"""After this a host that answered 96 takes the same request as new, like one that was started since."""

REPLAYED = 80
"""Requests of a conversation that are sent once more, to the host and to its twin."""

Logs = list[Any]


@asynccontextmanager
async def proven(host: HostInProcess) -> AsyncIterator[Logs]:
    """Run a conversation with `host`, then prove what must be true after any; gives the log lines."""
    with capture_logs() as logs:
        yield logs
        await host.quiet()
        assert [] == [line for line in logs if line.get("exc_info")]
        assert 0 == (report := verified(host))["differences"], report["details"]
        host.clock.move_to(host.clock.now_ms() + FAILURES_FORGOTTEN_MS)
        twin = host.twin()
        assert books(host.registry) == books(twin.registry)
        await assert_same_answers(host, twin)
        assert books(host.registry) == books(twin.registry)
        assert_no_card(told_by(host, logs))


def books(registry: Registry) -> dict[str, Any]:
    """Everything the host knows, as plain values that can be compared."""
    return {f"{book.merchant_id}/{book.terminal_id}": _plain(book) for book in registry if book.enrolled}


def _plain(value: Any) -> Any:
    if isinstance(value, Book | Batch | Transaction) or (hasattr(value, "__slots__") and not isinstance(value, tuple)):
        if type(value).__name__ == "Dialect":
            return value.name
        names = [name for name in type(value).__slots__ if name not in _OF_THE_PROCESS]
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def verified(host: HostInProcess) -> dict[str, Any]:
    """The verifier's report on what the host's memory journal holds."""
    memory = host.memory
    return verify(memory.all_rows, memory.entries)


def verify(rows_of: RowsOf, entries: Iterable[StoredEntry]) -> dict[str, Any]:
    verifier = Verifier(rows_of)
    for stored in entries:
        verifier.take(stored)
    return verifier.finish()


async def assert_same_answers(host: HostInProcess, twin: HostInProcess) -> None:
    """Everything that was asked is asked again, of the host and of its twin: the answers are the same bytes."""
    asked = host.asked[:REPLAYED]
    lines: dict[str, tuple[Line, Line]] = {}
    for dialect, data in asked:
        pair = lines.get(dialect)
        if pair is None or pair[0].closed:
            pair = lines[dialect] = (host.connect(dialect), twin.connect(dialect))
        got = [await _answers(one, line, data) for one, line in zip((host, twin), pair, strict=True)]
        assert got[0] == got[1], f"another answer after a restart ({dialect})"


async def _answers(host: HostInProcess, line: Line, data: bytes) -> bytes:
    before = len(line.writes)
    line.feed(data)
    await host.quiet()
    await asyncio.sleep(0)
    return b"".join(line.writes[before:])


def told_by(host: HostInProcess, logs: Logs) -> str:
    """All that the host writes down or shows: journal, rows, events, views and log lines."""
    memory = host.memory
    kept: list[Any] = [
        memory.entries,
        memory.table(TerminalRow),
        memory.table(BatchRow),
        memory.table(FlagRow),
        memory.table(AuthorisationRow),
    ]
    events = [event_of(stored, host.registry) for stored in memory.entries]
    views = [terminal_view(book) for book in host.registry if book.enrolled]
    batches = [
        batch_view(batch_row(book, batch), book.merchant_id, book.terminal_id)
        for book in host.registry
        for batch in book.batches
        if not batch.closed
    ]
    return repr(kept) + repr(events) + json.dumps(views + batches) + repr(logs)


def assert_no_card(text: str) -> None:
    """No card number of the tests in full, nor the middle digits that a mask must hide."""
    for pan in (*CARDS, WRONG_CARD):
        assert pan not in text
        assert pan[6:-4] not in text, "digits of a card that a mask should hide"
    assert TRACK_TAIL not in text


def snapshot_of(host: HostInProcess) -> Snapshot:
    return host.memory.load()
