"""The journals under contract, each opened, failed and opened again in its own way."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol

from pos_host.journal import Journal
from pos_host.ledger.entry import AuthorisationRow, BatchRow, Entry, FlagRow, HostSettlementRow, TerminalRow
from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.storage.memory import MemoryJournal
from pos_host.storage.sqlite import SqliteJournal

AT_MS = 1_772_452_800_000


class JournalUnderTest(Protocol):
    """A store of one kind."""

    def open(self) -> Journal: ...

    async def reopen(self, journal: Journal) -> Journal:
        """Close and open again what was kept."""

    def fail_commits(self, journal: Journal) -> Callable[[], None]:
        """Let commits fail until the function given back is called."""


class InMemory:
    """Keeps its entries as long as the test."""

    def open(self) -> Journal:
        return MemoryJournal()

    async def reopen(self, journal: Journal) -> Journal:
        await journal.close()
        return journal

    def fail_commits(self, journal: Journal) -> Callable[[], None]:
        assert isinstance(journal, MemoryJournal)
        journal.fail_next = 1_000_000

        def mend() -> None:
            journal.fail_next = 0

        return mend


class OnSqlite:
    """A file, whose commits a trigger makes fail."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> Journal:
        return SqliteJournal(self.path)

    async def reopen(self, journal: Journal) -> Journal:
        await journal.close()
        return SqliteJournal(self.path)

    def fail_commits(self, journal: Journal) -> Callable[[], None]:
        self._run("CREATE TRIGGER full BEFORE INSERT ON entry BEGIN SELECT RAISE(FAIL, 'disk full'); END")
        return lambda: self._run("DROP TRIGGER full")

    def _run(self, statement: str) -> None:
        with closing(sqlite3.connect(self.path, isolation_level=None, timeout=5)) as connection:
            connection.execute(statement)


def terminal_row(terminal_no: int = 1, terminal_id: str = "T0000001", *, number_known: int = 1) -> TerminalRow:
    return TerminalRow(terminal_no, "898310000000001", terminal_id, "unionpay", "active", AT_MS, number_known)


def batch_row(ordinal: int = 1, terminal_no: int = 1, *, state: str = "open", number: str = "") -> BatchRow:
    return BatchRow(
        batch_id=terminal_no * 100_000 + ordinal,
        terminal_no=terminal_no,
        number=number or f"{ordinal:06d}",
        state=state,
        result="balanced" if state == "settled" else "",
        dialect="unionpay",
        currency="156",
        opened_at_ms=AT_MS + ordinal,
        closed_at_ms=AT_MS + ordinal + 1 if state == "settled" else 0,
        after_sequence=0,
        rrn_base=0,
        host_totals="{}",
        terminal_totals="",
        discrepancies="",
        settlement="",
    )


def flag_row(terminal_no: int = 1, severity: str = "due") -> FlagRow:
    return FlagRow(terminal_no, severity, AT_MS, AT_MS + 1, '["past_cutoff"]', "settle the batch")


def host_settlement_row(terminal_no: int = 1, *, result: str = "settled") -> HostSettlementRow:
    return HostSettlementRow(terminal_no, terminal_no * 100_000 + 1, "2026-03-02", result, AT_MS, AT_MS + 1)


def authorisation_row(count: int = 1, *, state: str = "open", batch: int = 100_004) -> AuthorisationRow:
    """One that was made in batch 000001 and changed last in `batch`."""
    return AuthorisationRow(
        authorisation_no=100_001_000_000 + count,
        terminal_no=1,
        state=state,
        batch_id=batch,
        named=f"000001{count:06d}",
        approval_code=f"{count:06d}",
        rrn=f"000001{count:06d}",
        card="622848******4134",
        card_print="a1b2c3d4e5f6",
        currency="156",
        amount_minor=100_00,
        completed_minor=0,
        authorised_at_ms=AT_MS,
        expires_at_ms=AT_MS + 1_000,
    )


def purchase(stan: int, *, batch: int = 100_001, terminal_no: int = 1, **columns: object) -> Entry:
    """A purchase with every column filled."""
    text = f"{stan:06d}"
    entry = Entry(
        kind="purchase",
        terminal_no=terminal_no,
        batch_id=batch,
        at_ms=AT_MS + stan,
        outcome="approved",
        mti="0200",
        stan=text,
        key=f"2{text}",
        amount_minor=100 * stan,
        currency="156",
        card="622848******4134",
        card_print="a1b2c3d4e5f6",
        organisation="CUP",
        account="00",
        rrn=f"{terminal_no:06d}{stan:06d}",
        approval_code=text,
        invoice=text,
        original="",
        detail="",
    )
    return entry._replace(**columns)  # type: ignore[arg-type]


def payout_row(payout_id: int, *, state: str) -> PayoutRow:
    days, amounts = ("2026-03-02", "2026-03-03", AT_MS), (10_000, 0, 60, 0, 9_940)
    return PayoutRow(payout_id, 1, "M1", state, "156", *days, *amounts, "", AT_MS, "[]", "[]")
