"""The books from what a journal holds. Each conversation of the handlers' tests is recovered too: see proofs."""

from __future__ import annotations

import pytest
from tests.contracts.journals import batch_row, flag_row, purchase, terminal_row

from pos_host.journal import Snapshot, StoredEntry
from pos_host.ledger.posting import BooksDamaged
from pos_host.ledger.recovery import recover
from pos_specs.totals import Side


def test_an_empty_store_is_an_empty_registry() -> None:
    assert 0 == len(recover(Snapshot([], [], [], [])))


def test_terminals_batches_flags_and_money_are_there_again() -> None:
    snapshot = Snapshot([terminal_row()], [batch_row()], [flag_row()], [StoredEntry(5, purchase(7))])

    book = recover(snapshot).of_terminal("T0000001")[0]

    assert (True, True, 7, 5, "due") == (
        book.enrolled,
        book.number_known,
        book.rrn_sequence,
        book.last_sequence,
        book.flag.severity,
    )
    assert {"domestic_debit": Side(1, 7_00)} == book.batches[0].groups
    assert purchase(7).at_ms == book.last_seen_at_ms


def test_new_terminals_get_numbers_after_the_stored_ones() -> None:
    registry = recover(Snapshot([terminal_row(7)], [batch_row(terminal_no=7)], [], []))
    book = registry.of_terminal("T0000001")[0]

    assert 8 == registry.create("M", "T", book.dialect).terminal_no


def test_every_recovered_terminal_is_looked_at_by_the_watch_and_shown_to_mqtt() -> None:
    registry = recover(Snapshot([terminal_row()], [batch_row()], [], []))

    assert 1 == len(registry.changed) == len(registry.changed_for_watch)


def test_an_entry_of_a_batch_the_store_does_not_have_is_damage() -> None:
    with pytest.raises(BooksDamaged):
        recover(Snapshot([terminal_row()], [batch_row()], [], [StoredEntry(1, purchase(7, batch=100_077))]))


def test_rows_of_terminals_that_are_gone_are_left_alone() -> None:
    entries = [StoredEntry(1, purchase(7, terminal_no=9, batch=900_001))]

    assert 1 == len(recover(Snapshot([terminal_row()], [batch_row(), batch_row(terminal_no=9)], [], entries)))
