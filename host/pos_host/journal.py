"""The port between the books and wherever they are kept: what the pipeline asks of a journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from pos_host.ledger.entry import BatchRow, Entry, FlagRow, Row, TerminalRow


class Posting(NamedTuple):
    """What one commit must hold together. `done` is called on the loop, in the order of commits: with the
    sequence of the first entry once everything is durable, or with None when nothing was kept."""

    entries: tuple[Entry, ...]
    rows: tuple[Row, ...]
    done: Callable[[int | None], None]


class StoredEntry(NamedTuple):
    """An entry with its place in the journal."""

    sequence: int
    entry: Entry


class Snapshot(NamedTuple):
    """What a host needs to begin: all terminals, remembered batches, flags, and those batches' entries."""

    terminals: list[TerminalRow]
    batches: list[BatchRow]
    flags: list[FlagRow]
    entries: list[StoredEntry]


class Journal(Protocol):
    """An append-only journal with group commit."""

    store_id: str

    def post(self, posting: Posting) -> None:
        """Take a posting; its `done` is called after the commit that holds it."""

    def load(self) -> Snapshot:
        """Everything needed to rebuild the books; called once, before the first post."""

    def set_listener(self, committed: Callable[[], None]) -> None:
        """Have `committed` called on the loop after every commit."""

    async def entries_after(self, sequence: int, limit: int) -> list[StoredEntry]:
        """Committed entries after `sequence`, in order."""

    async def find_purchase(
        self, terminal_no: int, batch_number: str, stan: str, rrn: str
    ) -> tuple[StoredEntry, int, bool, bool] | None:
        """A purchase of any batch, what was refunded of it, and whether it was voided or reversed."""

    async def batches_of(self, terminal_no: int, after_id: int, limit: int) -> list[BatchRow]:
        """The batches of a terminal, newest first, those below `after_id` when that is not 0."""

    async def batch(self, batch_id: int) -> BatchRow | None: ...

    async def get_mark(self, name: str) -> int:
        """A number kept under a name (the publisher's cursor); 0 at first."""

    async def set_mark(self, name: str, value: int) -> None: ...

    async def close(self) -> None:
        """Commit what waits, call every `done`, and end."""
