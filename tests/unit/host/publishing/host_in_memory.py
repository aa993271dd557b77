"""The rest of the host as publishing sees it, in memory."""

from __future__ import annotations

import asyncio
from typing import Any

from pos_host.publishing.events import Event

AT_MS = 1_772_449_200_000  # 2026-03-02 19:00 in Shanghai


class EventLogInMemory:
    """Events that were committed, and the cursors that were saved."""

    source_id = "host-7"

    def __init__(self, published_through: int = 0) -> None:
        self.wake = asyncio.Event()
        self.events: list[Event] = []
        self.saved: list[int] = []
        self.looks = 0
        self._published_through = published_through

    def commit(self, number: int = 1, event_type: str = "transaction.approved", **data: Any) -> None:
        for _ in range(number):
            sequence = len(self.events) + 1
            self.events.append(Event(sequence, event_type, "M1", "T1", AT_MS, {"stan": sequence, **data}))
        self.wake.set()

    async def events_after(self, sequence: int, limit: int) -> list[Event]:
        self.looks += 1
        return self.events[sequence : sequence + limit]

    async def published_through(self) -> int:
        return self._published_through

    async def save_published(self, sequence: int) -> None:
        self.saved.append(sequence)
        self._published_through = sequence


class StateBoardInMemory:
    """Terminals with their batches and flags."""

    def __init__(self) -> None:
        self.batches: dict[tuple[str, str], dict[str, Any] | None] = {}
        self.flags: dict[tuple[str, str], dict[str, Any] | None] = {}
        self.changed: set[tuple[str, str]] = set()

    def set_batch(self, merchant_id: str, terminal_id: str, **batch: Any) -> None:
        self.batches[merchant_id, terminal_id] = batch
        self.changed.add((merchant_id, terminal_id))

    def set_flag(self, merchant_id: str, terminal_id: str, flag: dict[str, Any] | None) -> None:
        self.flags[merchant_id, terminal_id] = flag
        self.changed.add((merchant_id, terminal_id))

    def take_changed(self) -> set[tuple[str, str]]:
        changed, self.changed = self.changed, set()
        return changed

    def all_terminals(self) -> list[tuple[str, str]]:
        return list(self.batches)

    def batch_state(self, merchant_id: str, terminal_id: str) -> dict[str, Any] | None:
        return self.batches.get((merchant_id, terminal_id))

    def unsettled_state(self, merchant_id: str, terminal_id: str) -> dict[str, Any] | None:
        return self.flags.get((merchant_id, terminal_id))
