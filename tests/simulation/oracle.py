"""What must be true when a simulated day is over, worked out from the journal's entries and the terminals' logs."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import blake2b
from typing import Any, NamedTuple

from tests.simulation.simulated_terminal import SimulatedTerminal

from pos_host.ledger.book import Batch, Book, Transaction
from pos_host.ledger.entry import FINANCIAL, SETTLED_BY_HOST, BatchRow, Entry, FlagRow, TerminalRow
from pos_host.ledger.recovery import recover
from pos_host.ledger.registry import Registry
from pos_host.storage.memory import MemoryJournal
from pos_host.verifying import Verifier
from pos_terminal.transaction import Transaction as Logged

Captured = dict[str, tuple[str, int, bool]]
"""By STAN what stands: function, amount in minor units, and whether it was voided."""


class HostBatch(NamedTuple):
    """A batch as its entries tell it."""

    number: str
    captured: Captured
    closed: bool
    result: str


def differences(journal: MemoryJournal, registry: Registry, terminals: list[SimulatedTerminal]) -> list[str]:
    """Everything that is wrong; [] after a good day."""
    found = [*_posted_twice(journal), *_reversed_twice(journal), *_changed_after_close(journal)]
    batches = _batches_by_terminal(journal)
    for terminal in terminals:
        found += _against_terminal(terminal, batches.get(terminal.name, []))
    found += [f"verify: {detail}" for detail in verified(journal)]
    return found + recovery_differences(registry, journal)


def verified(journal: MemoryJournal) -> list[dict[str, Any]]:
    """What `pos-host verify` finds."""
    verifier = Verifier(journal.all_rows)
    for stored in journal.entries:
        verifier.take(stored)
    details: list[dict[str, Any]] = verifier.finish()["details"]
    return details


def digest(journal: MemoryJournal) -> str:
    """Equal for equal journals, whatever the process."""
    rows = [sorted(journal.rows[table].items()) for table in (TerminalRow, BatchRow, FlagRow)]
    return blake2b(repr((journal.entries, rows)).encode(), digest_size=12).hexdigest()


def settled_by_host(journal: MemoryJournal) -> int:
    """How many batches the host settled of its own accord."""
    return sum(row.result == SETTLED_BY_HOST for row in journal.all_rows(BatchRow))


# -- the entries alone


def _posted_twice(journal: MemoryJournal) -> list[str]:
    keys = Counter((entry.batch_id, entry.key) for _, entry in journal.entries if entry.key and entry.kind in FINANCIAL)
    return [
        f"batch {batch_id}: {key} was decided {times} times" for (batch_id, key), times in keys.items() if times > 1
    ]


def _reversed_twice(journal: MemoryJournal) -> list[str]:
    """Each 0400 has one effect: one entry of its identity, and no original is taken back by two of them."""
    reversals = [entry for _, entry in journal.entries if entry.kind == "reversal" and entry.outcome == "approved"]
    identities = Counter((entry.batch_id, entry.key) for entry in reversals)
    originals = Counter((entry.batch_id, entry.original) for entry in reversals if entry.original)
    return [
        f"batch {where[0]}: reversal {where[1]} had {times} effects" for where, times in identities.items() if times > 1
    ] + [f"batch {where[0]}: {where[1]} was reversed {times} times" for where, times in originals.items() if times > 1]


def _changed_after_close(journal: MemoryJournal) -> list[str]:
    closed: set[int] = set()
    found = []
    for sequence, entry in journal.entries:
        if entry.batch_id in closed and entry.outcome == "approved" and entry.kind in FINANCIAL | {"reversal"}:
            found.append(f"entry {sequence}: {entry.kind} in batch {entry.batch_id}, which was closed")
        if entry.kind == "batch_closed":
            closed.add(entry.batch_id)
    return found


def _batches_by_terminal(journal: MemoryJournal) -> dict[str, list[HostBatch]]:
    """Each terminal's batches in the order they were opened."""
    captured: dict[int, dict[str, Entry]] = {}
    results: dict[int, str] = {}
    for _, entry in journal.entries:
        mine = captured.setdefault(entry.batch_id, {})
        if entry.kind == "batch_closed":
            results[entry.batch_id] = json.loads(entry.detail)["result"]
        elif entry.outcome == "approved" and entry.kind in FINANCIAL:
            mine[entry.key] = entry
        elif entry.outcome == "approved" and entry.kind == "reversal" and entry.original:
            mine.pop(entry.original, None)
    found: dict[str, list[HostBatch]] = {}
    for batch_id, row in sorted(journal.table(BatchRow).items()):
        terminal = journal.table(TerminalRow)[row.terminal_no]
        standing = _standing(captured.get(batch_id, {}))
        batch = HostBatch(row.number, standing, batch_id in results, results.get(batch_id, ""))
        found.setdefault(f"{terminal.merchant_id}/{terminal.terminal_id}", []).append(batch)
    return found


def _standing(entries: dict[str, Entry]) -> Captured:
    voided = {entry.original for entry in entries.values() if entry.kind == "purchase_void"}
    return {entry.stan: (entry.kind, entry.amount_minor, key in voided) for key, entry in entries.items()}


# -- against the terminals


def _against_terminal(terminal: SimulatedTerminal, batches: list[HostBatch]) -> list[str]:
    memory = terminal.terminal.memory
    found = [f"{terminal.name}: {told}" for told in terminal.declined if not _excusable(told, terminal)]
    if memory.unfinished is not None or memory.settlement is not None:
        found.append(f"{terminal.name}: something is still pending")
    if not batches and not terminal.settled and not memory.log:
        return found  # it did nothing but test the line
    if len(batches) > 1 and batches[-2].result == SETTLED_BY_HOST and not batches[-1].captured:
        batches = batches[:-1]  # the host ended what the terminal left open, which knows nothing of it yet
    if len(batches) != len(terminal.settled) + 1:
        return [*found, f"{terminal.name}: settled {len(terminal.settled)} batches, the host has {len(batches)}"]
    for settled, host in zip(terminal.settled, batches, strict=False):
        where = f"{terminal.name}, batch {settled.number}"
        found += _compare(where, settled.log, host, terminal.given_up)
        if not host.closed or host.number != settled.number:
            found.append(f"{where}: at the host {host.number}, closed {host.closed}")
        if not terminal.given_up and host.result != _expected(terminal, settled.disagreed):
            found.append(f"{where}: {host.result} at the host, {settled.result} here, disagreed {settled.disagreed}")
    return found + _compare(f"{terminal.name}, open batch", memory.log, batches[-1], terminal.given_up)


def _expected(terminal: SimulatedTerminal, disagreed: bool) -> str:
    if not disagreed:
        return "balanced"
    return "balanced_after_upload" if terminal.terminal.application.uploads else "out_of_balance"


def _compare(where: str, log: list[Logged], host: HostBatch, given_up: set[str]) -> list[str]:
    """By STAN; a reversal the host refused too often leaves the terminal in the dark about that one."""
    mine: Captured = {t.stan: (t.function, t.amount_minor, t.voided) for t in log if t.stands}
    stans = sorted(mine.keys() | host.captured.keys())
    return [
        f"{where}: STAN {stan} is {mine.get(stan)} here, {host.captured.get(stan)} at the host"
        for stan in stans
        if mine.get(stan) != host.captured.get(stan) and stan not in given_up
    ]


def _excusable(declined: str, terminal: SimulatedTerminal) -> bool:
    """A terminal that does everything right is declined only where a commit failed, and its batch is out of
    balance only where a reversal was given up."""
    return declined.endswith(": 96") or (declined.startswith("batch_upload_end") and bool(terminal.given_up))


# -- recovery


def recovery_differences(registry: Registry, journal: MemoryJournal) -> list[str]:
    """Where the books in memory and those rebuilt from the journal differ."""
    rebuilt = recover(journal.load())
    found = []
    for book in registry:
        other = rebuilt.of_no(book.terminal_no)
        if not book.enrolled:
            continue
        if other is None:
            found.append(f"{book.terminal_id}: not there after recovery")
            continue
        live, again = _book(book), _book(other)
        found += [
            f"{book.terminal_id}: {name} is {again.get(name)} after recovery, was {live.get(name)}"
            for name in live.keys() | again.keys()
            if live.get(name) != again.get(name)
        ]
    return sorted(found)


def _book(book: Book) -> dict[str, Any]:
    names = ("merchant_id", "status", "enrolled_at_ms", "number_known", "ordinal", "rrn_sequence", "flag")
    plain = {name: getattr(book, name) for name in names}
    for batch in book.batches:
        plain |= {f"batch {batch.number} {name}": value for name, value in _batch(batch).items()}
    return plain


def _batch(batch: Batch) -> dict[str, Any]:
    plain = {name: getattr(batch, name) for name in Batch.__slots__ if name not in ("dialect", *_INDEXES)}
    plain["tombstones"] = {stan: (t.amount_minor, t.card_print) for stan, t in batch.tombstones.items()}
    plain["groups"] = {name: side for name, side in batch.groups.items() if any(side)}
    for index in _INDEXES[:-1]:
        plain[index] = {key: _transaction(one) for key, one in getattr(batch, index).items()}
    return plain


_INDEXES = ("answers", "reversals", "by_rrn", "by_stan", "by_invoice", "tombstones")


def _transaction(transaction: Transaction) -> tuple[Any, ...]:
    return tuple(getattr(transaction, name) for name in Transaction.__slots__)
