"""Rebuilding the books from what a journal holds."""

from __future__ import annotations

from pos_host.journal import Snapshot
from pos_host.ledger.authorisations import forget_finished
from pos_host.ledger.book import BATCHES_PER_TERMINAL, Book
from pos_host.ledger.dialect_names import dialect_named
from pos_host.ledger.entry import AuthorisationRow, BatchRow, FlagRow, HostSettlementRow, KeyRow
from pos_host.ledger.posting import apply_entry, apply_row
from pos_host.ledger.registry import Registry


def recover(snapshot: Snapshot) -> Registry:
    """The registry as it stood at the last commit; raises BooksDamaged when the store contradicts itself."""
    registry = Registry()
    for terminal in snapshot.terminals:
        dialect = dialect_named(terminal.dialect)
        book = Book(terminal.terminal_no, terminal.merchant_id, terminal.terminal_id, dialect)
        apply_row(registry.add(book), terminal)
    batches = sorted(snapshot.batches, key=lambda batch: batch.batch_id)
    rows: list[BatchRow | FlagRow | KeyRow | AuthorisationRow | HostSettlementRow] = [
        *batches,
        *snapshot.flags,
        *snapshot.keys,
    ]
    rows += [*snapshot.authorisations, *snapshot.host_settlements]
    for row in rows:
        known = registry.of_no(_holder_no(row))
        if known is not None:
            apply_row(known, row)
    for sequence, entry in snapshot.entries:
        known = registry.of_no(entry.terminal_no)
        if known is not None:
            apply_entry(known, entry, sequence)
            if entry.mti:  # what the host noted of its own accord is no sign of life
                known.last_seen_at_ms = max(known.last_seen_at_ms, entry.at_ms)
    registry.apply((*snapshot.records, *snapshot.payouts))
    for book in registry:
        forget_finished(book)
        registry.touched(book)
    return registry


def _holder_no(row: BatchRow | FlagRow | KeyRow | AuthorisationRow | HostSettlementRow) -> int:
    """Whose book keeps the row: an authorisation that a replaced terminal handed over is kept by who used it last."""
    return row.batch_id // BATCHES_PER_TERMINAL if isinstance(row, AuthorisationRow) else row.terminal_no
