"""The port between the books and wherever they are kept: what the pipeline asks of a journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from pos_host.ledger.book import StoredTransaction
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
from pos_host.ledger.merchant_rows import AuditRow, PayoutRow, RecordRow

RowType = TypeVar("RowType", bound=Row)

ROWS_AT_ONCE = 1_000
"""Rows that one question answers at most unless it says otherwise: a page, in memory at once."""


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
    STAN; "" for what is not known. `predecessors` are the numbers of terminals whose place it took: their history is
    its own."""

    functions: frozenset[str]
    batch_number: str
    stan: str
    rrn: str
    predecessors: tuple[int, ...] = ()


class Found(NamedTuple):
    """A stored transaction and what became of it: its amount after adjusts, what of it was refunded, and by which fee
    schedules its batch was charged (`Batch.charged`)."""

    stored: StoredEntry
    amount_minor: int
    refunded_minor: int
    voided: bool
    reversed: bool
    charged: tuple[Any, ...] = ()

    def transaction(self) -> StoredTransaction:
        """The same as the books keep it."""
        made = StoredTransaction(*self.stored, list(self.charged))
        made.amount_minor, made.refunded_minor = self.amount_minor, self.refunded_minor
        made.voided, made.reversed = self.voided, self.reversed
        return made


@dataclass(frozen=True)
class Question(Generic[RowType]):
    """Rows of `table` whose columns equal `where`, in the order of its key column (`key_column`, a place), those after
    a key that was seen; at most `limit`."""

    table: type[RowType]
    where: Mapping[str, str | int]
    after: str | int | None = None
    limit: int = ROWS_AT_ONCE
    newest_first: bool = False
    key_column: int = 0


class EntryQuestion(NamedTuple):
    """Which entries are looked for: those whose columns (by name) hold one of the values given, and whose time lies in
    the range (UTC milliseconds, both included). The journal has no index of entries, so a question is asked of a range
    of sequences: entry_walk.py goes over one after the other of those in which an answer may be."""

    among: Mapping[str, tuple[str | int, ...]]
    since_ms: int | None = None
    until_ms: int | None = None


class Snapshot(NamedTuple):
    """What a host needs to begin: all terminals, remembered batches and their entries, flags, sealed keys, the
    authorisations that are open or changed in a remembered batch, how the host's own settlements stand, the records of
    the merchant's side, the payouts that are still open, and the last row of the audit trail."""

    terminals: list[TerminalRow]
    batches: list[BatchRow]
    flags: list[FlagRow]
    entries: list[StoredEntry]
    keys: Sequence[KeyRow] = ()
    authorisations: Sequence[AuthorisationRow] = ()
    host_settlements: Sequence[HostSettlementRow] = ()
    records: Sequence[RecordRow] = ()
    payouts: Sequence[PayoutRow] = ()
    audited: AuditRow | None = None


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

    async def entries_among(
        self, question: EntryQuestion, first: int, last: int, limit: int, *, newest_first: bool = False
    ) -> list[StoredEntry]:
        """The entries from the sequence `first` through `last` that answer a question, in order or the newest first."""

    async def ranges_among(self, question: EntryQuestion) -> list[tuple[int, int]]:
        """Ranges of sequences, in order and apart, outside which no entry committed answers a question of a time or of
        kinds; a thousand entries more or less."""

    async def last_sequence(self) -> int:
        """The sequence of the last entry committed; 0 where there is none."""

    async def find_original(self, terminal_no: int, sought: Sought) -> Found | None:
        """The latest transaction of the terminal, in whatever batch, that fits."""

    async def batches_of(self, terminal_no: int, after_id: int, limit: int) -> list[BatchRow]:
        """The batches of a terminal, newest first, those below `after_id` when that is not 0."""

    async def batch(self, batch_id: int) -> BatchRow | None: ...

    async def select(self, question: Question[RowType]) -> list[RowType]:
        """The rows that answer a question."""

    async def get_mark(self, name: str) -> int:
        """A number kept under a name (the publisher's cursor); 0 at first."""

    async def set_mark(self, name: str, value: int) -> None: ...

    async def close(self) -> None:
        """Commit what waits, call every `done`, and end."""
