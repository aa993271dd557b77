"""What entries make of an authorisation: the rule alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.contracts.journals import AT_MS, authorisation_row, batch_row, purchase, terminal_row

from pos_host.ledger.authorisations import after, after_reversal, authorisation_no_of, has_expired
from pos_host.ledger.book import Book
from pos_host.ledger.entry import Entry
from pos_host.ledger.posting import apply_row
from pos_specs.language import open_language

NUMBER = 100_001_000_007


def entry(kind: str, stan: int, amount_minor: int, **detail: Any) -> Entry:
    columns = {"original": detail.pop("original", ""), "batch": detail.pop("batch", 100_001)}
    text = json.dumps({"authorisation": NUMBER, "batch_number": "000001", **detail})
    return purchase(stan, kind=kind, amount_minor=amount_minor, detail=text, **columns)


AUTH = entry("auth", 7, 50_00, expires_at_ms=AT_MS + 1_000)


def test_an_auth_opens_it() -> None:
    row = after(None, AUTH)

    assert (NUMBER, "open", 50_00, "000001000007") == (row.authorisation_no, row.state, row.amount_minor, row.named)
    assert (AUTH.approval_code, AUTH.rrn, AUTH.card_print) == (row.approval_code, row.rrn, row.card_print)


def test_another_auth_raises_it_and_its_reversal_lowers_it() -> None:
    more = entry("auth", 8, 25_00, batch=100_002)
    raised = after(after(None, AUTH), more)

    assert (75_00, "000001000007 000001000008", 100_002) == (raised.amount_minor, raised.named, raised.batch_id)
    lowered = after_reversal(raised, more)
    assert ("open", 50_00) == (lowered.state, lowered.amount_minor)


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        (entry("auth_void", 9, 50_00), ("voided", 0)),
        (entry("completion", 9, 48_00), ("completed", 48_00)),
        (entry("completion_advice", 9, 48_00), ("completed", 48_00)),
        (entry("offline_purchase", 9, 48_00), ("completed", 48_00)),
    ],
)
def test_what_ends_it_and_the_reversal_of_that(ending: Entry, state: tuple[str, int]) -> None:
    ended = after(after(None, AUTH), ending)

    assert state == (ended.state, ended.completed_minor)
    assert ("open", 0) == (after_reversal(ended, ending).state, after_reversal(ended, ending).completed_minor)


def test_the_void_of_a_completion_opens_it_and_the_reversal_of_that_completes_it() -> None:
    completed = after(after(None, AUTH), entry("completion", 9, 48_00))
    void = entry("completion_void", 10, 48_00, original="2000009")

    opened = after(completed, void)

    assert ("open", 0) == (opened.state, opened.completed_minor)
    assert completed == after_reversal(opened, void)


def test_the_reversal_of_all_of_it_ends_it() -> None:
    row = after_reversal(after(None, AUTH), AUTH)

    assert ("reversed", 0) == (row.state, row.amount_minor)


def test_an_entry_that_speaks_of_none_has_no_number() -> None:
    assert [NUMBER, None, None] == [
        authorisation_no_of(one) for one in (AUTH, purchase(1), purchase(2, detail='{"reason": "late"}'))
    ]


def test_only_an_open_one_expires() -> None:
    row = authorisation_row()

    assert [False, True] == [has_expired(row, row.expires_at_ms - 1), has_expired(row, row.expires_at_ms)]
    assert not has_expired(row._replace(state="completed"), row.expires_at_ms)


def test_a_book_forgets_what_ended_long_ago_and_what_had_expired_when_a_batch_closed() -> None:
    book = Book(1, "898310000000001", "T0000001", open_language("hypercom").dialect)
    apply_row(book, terminal_row()._replace(dialect="hypercom"))
    rows = [
        authorisation_row(1, batch=100_001),
        authorisation_row(2, batch=100_001)._replace(expires_at_ms=AT_MS + 3),
        authorisation_row(3, batch=100_001, state="voided"),
        authorisation_row(4, batch=100_003, state="voided"),
    ]
    for ordinal in range(1, 5):
        apply_row(book, batch_row(ordinal)._replace(dialect="hypercom"))
    for row in rows:
        apply_row(book, row)

    for ordinal in range(1, 5):
        apply_row(book, batch_row(ordinal, state="settled")._replace(dialect="hypercom"))

    assert [rows[0].authorisation_no, rows[3].authorisation_no] == sorted(book.authorisations)
