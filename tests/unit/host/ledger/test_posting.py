"""Applying entries and rows: what a book becomes, and which contradictions it refuses."""

from __future__ import annotations

import json

import pytest
from tests.contracts.journals import batch_row, flag_row, purchase, terminal_row

from pos_host.ledger.book import Book
from pos_host.ledger.entry import BatchRow, Entry
from pos_host.ledger.posting import CLOSED_BATCHES_KEPT, BooksDamaged, apply_entry, apply_row
from pos_specs.language import open_language
from pos_specs.totals import Side


@pytest.fixture
def book() -> Book:
    """An enrolled UnionPay terminal with an open batch."""
    return opened_book("unionpay")


def opened_book(dialect: str) -> Book:
    made = Book(1, "898310000000001", "T0000001", open_language(dialect).dialect)
    apply_row(made, terminal_row()._replace(dialect=dialect))
    apply_row(made, batch_row()._replace(dialect=dialect, currency=""))
    return made


def void_of(sale: Entry, stan: int) -> Entry:
    return purchase(stan, kind="purchase_void", amount_minor=sale.amount_minor, original=sale.key)


def reversal_of(entry: Entry) -> Entry:
    return entry._replace(kind="reversal", mti="0400", key=f"4{entry.stan}", original=entry.key)


def apply(book: Book, *entries: Entry) -> None:
    for sequence, entry in enumerate(entries, book.last_sequence + 1):
        apply_entry(book, entry, sequence)


def test_an_approved_purchase_counts_and_is_found_by_all_its_names(book: Book) -> None:
    apply(book, purchase(7))

    batch = book.batches[0]
    transaction = batch.answers["2000007"]
    assert {"domestic_debit": Side(1, 7_00)} == batch.groups
    assert transaction is batch.by_stan["000007"]
    assert transaction is batch.by_rrn["000001000007"]
    assert transaction is batch.by_invoice["000007"]
    assert (7, "156") == (book.rrn_sequence, batch.currency)


def test_a_declined_purchase_is_remembered_and_counts_nowhere(book: Book) -> None:
    apply(book, purchase(7, outcome="invalid_card"))

    batch = book.batches[0]
    assert ({}, "", 0) == (batch.groups, batch.currency, batch.first_money_at_ms)
    assert "2000007" in batch.answers


@pytest.mark.parametrize(
    ("dialect", "voided"),
    [
        ("unionpay", {"domestic_debit": Side(1, 7_00), "domestic_credit": Side(1, 7_00)}),
        ("hypercom", {"sales": Side(0, 0)}),
        ("iso87-ascii", {"debits": Side(1, 7_00), "debits_reversal": Side(1, 7_00)}),
    ],
)
def test_a_void_and_its_reversal_leave_the_sale_as_it_was(dialect: str, voided: dict[str, Side]) -> None:
    book = opened_book(dialect)
    sale = purchase(7)
    apply(book, sale)
    before = dict(book.batches[0].groups)
    void = void_of(sale, 8)

    apply(book, void)
    assert voided == book.batches[0].groups

    apply(book, reversal_of(void))
    assert before == {name: side for name, side in book.batches[0].groups.items() if side.count}


def test_a_reversal_twice_takes_back_once(book: Book) -> None:
    sale = purchase(7)
    apply(book, sale, purchase(9), reversal_of(sale), reversal_of(sale)._replace(key="4000008"))

    assert {"domestic_debit": Side(1, 9_00)} == book.batches[0].groups


def test_an_entry_of_a_batch_that_is_not_there_is_damage(book: Book) -> None:
    for entry in (purchase(7, batch=100_099), reversal_of(purchase(7, batch=100_099))):
        with pytest.raises(BooksDamaged, match="batch 100099"):
            apply_entry(book, entry, 1)


def test_the_void_of_nothing_is_damage(book: Book) -> None:
    with pytest.raises(BooksDamaged, match="void of 2000007"):
        apply_entry(book, void_of(purchase(7), 8), 1)


def test_the_reversal_of_nothing_it_names_is_damage(book: Book) -> None:
    with pytest.raises(BooksDamaged, match="reversal of 2000007"):
        apply_entry(book, reversal_of(purchase(7)), 1)


def test_an_unknown_reversal_leaves_a_tombstone_where_it_says_so(book: Book) -> None:
    for stan, waits in ((7, True), (8, False)):
        detail = json.dumps({"reason": "no such transaction", "tombstone": waits})
        apply(book, reversal_of(purchase(stan))._replace(original="", detail=detail))

    assert ["000007"] == list(book.batches[0].tombstones)


def test_a_refused_upload_leaves_no_record(book: Book) -> None:
    refused = purchase(7, kind="batch_upload", outcome="format_error", detail=json.dumps({"reason": "no count"}))

    apply(book, refused)

    assert {} == book.batches[0].uploads


def test_the_money_of_a_batch_begins_with_its_first_and_again_after_all_of_it_went(book: Book) -> None:
    sale = purchase(7)
    apply(book, sale)
    assert sale.at_ms == book.batches[0].first_money_at_ms

    apply(book, reversal_of(sale))
    assert 0 == book.batches[0].first_money_at_ms

    apply(book, purchase(9))
    assert purchase(9).at_ms == book.batches[0].first_money_at_ms


def test_a_hypercom_void_taken_back_gives_the_sale_its_own_time() -> None:
    book = opened_book("hypercom")
    sale = purchase(7)
    void = void_of(sale, 8)
    apply(book, sale, void)
    assert 0 == book.batches[0].first_money_at_ms

    apply(book, reversal_of(void))

    assert sale.at_ms == book.batches[0].first_money_at_ms


def test_a_book_remembers_the_last_closed_batches_and_every_open_one(book: Book) -> None:
    apply_row(book, batch_row(1, state="uploading"))
    for ordinal in range(2, 7):
        apply_row(book, batch_row(ordinal, state="settled"))
    apply_row(book, batch_row(7))

    states = [(batch.batch_id, batch.state) for batch in book.batches]
    closed = [(100_000 + ordinal, "settled") for ordinal in range(7 - CLOSED_BATCHES_KEPT, 7)]
    assert [(100_001, "uploading"), *closed, (100_007, "open")] == states
    assert 100_008 == book.next_batch_id()


def test_a_row_tells_what_a_batch_became(book: Book) -> None:
    row: BatchRow = batch_row(state="settled")._replace(
        terminal_totals='{"domestic_debit": [1, 700]}',
        discrepancies='[{"stan": "000007", "kind": "not_uploaded"}]',
        settlement='{"outcome": "approved"}',
    )

    apply_row(book, row)

    batch = book.batches[0]
    assert ("settled", "balanced", {"domestic_debit": Side(1, 7_00)}, {"outcome": "approved"}) == (
        batch.state,
        batch.result,
        batch.terminal_totals,
        batch.settlement,
    )
    assert [{"stan": "000007", "kind": "not_uploaded"}] == batch.discrepancies


def test_a_flag_without_severity_is_none(book: Book) -> None:
    apply_row(book, flag_row())
    assert "due" == book.flag.severity

    apply_row(book, flag_row(severity=""))
    assert book.flag is None
