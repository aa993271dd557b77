"""The port between the books and wherever they are kept: what the pipeline asks of a journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from pos_host.ledger.book import Transaction
from pos_host.ledger.entry import (
    AuthorisationRow,
    BatchRow,
    Entry,
    FlagRow,
    HostSettlementRow,
    KeyRow,
    Row,
    TerminalRow,
)


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


class Sought(NamedTuple):
    """What of a terminal's history is looked for: a transaction of one of `functions`, by RRN, or by batch number and
    STAN; "" for what is not known."""

    functions: frozenset[str]
    batch_number: str
    stan: str
    rrn: str


class Found(NamedTuple):
    """A stored transaction and what became of it: its amount after adjusts, what of it was refunded."""

    stored: StoredEntry
    amount_minor: int
    refunded_minor: int
    voided: bool
    reversed: bool

    def transaction(self) -> Transaction:
        """The same as the books keep it."""
        made = Transaction(*self.stored)
        made.amount_minor, made.refunded_minor = self.amount_minor, self.refunded_minor
        made.voided, made.reversed = self.voided, self.reversed
        return made


class Snapshot(NamedTuple):
    """What a host needs to begin: all terminals, remembered batches and their entries, flags, sealed keys, the
    authorisations that are open or changed in a remembered batch, and how the host's own settlements stand."""

    terminals: list[TerminalRow]
    batches: list[BatchRow]
    flags: list[FlagRow]
    entries: list[StoredEntry]
    keys: Sequence[KeyRow] = ()
    authorisations: Sequence[AuthorisationRow] = ()
    host_settlements: Sequence[HostSettlementRow] = ()


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

    async def find_original(self, terminal_no: int, sought: Sought) -> Found | None:
        """The latest transaction of the terminal, in whatever batch, that fits."""

    async def batches_of(self, terminal_no: int, after_id: int, limit: int) -> list[BatchRow]:
        """The batches of a terminal, newest first, those below `after_id` when that is not 0."""

    async def batch(self, batch_id: int) -> BatchRow | None: ...

    async def get_mark(self, name: str) -> int:
        """A number kept under a name (the publisher's cursor); 0 at first."""

    async def set_mark(self, name: str, value: int) -> None: ...

    async def close(self) -> None:
        """Commit what waits, call every `done`, and end."""
