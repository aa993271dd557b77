from __future__ import annotations

from pos_host.ledger.book import approval_code_of
from pos_host.ledger.registry import Registry
from pos_specs.language import open_language

DIALECT = open_language("hypercom").dialect


def test_terminals_of_one_id_are_apart_by_merchant() -> None:
    registry = Registry()
    one, other = (registry.create(merchant, "T1", DIALECT) for merchant in ("M1", "M2"))

    assert (one, other, None) == tuple(registry.find(merchant, "T1") for merchant in ("M1", "M2", "M3"))
    assert (1, 2, 2) == (one.terminal_no, other.terminal_no, len(registry))


def test_without_a_merchant_only_an_id_that_is_unique_is_found() -> None:
    registry = Registry()
    first = registry.create("M1", "T1", DIALECT)
    assert first is registry.find("", "T1")

    registry.create("M2", "T1", DIALECT)
    assert None is registry.find("", "T1")


def test_a_terminal_counts_once_it_is_enrolled() -> None:
    registry = Registry()
    book = registry.create("M1", "T1", DIALECT)
    assert [] == registry.of_terminal("T1")

    book.enrolled = True
    assert [book] == registry.of_terminal("T1")


def test_rrns_and_batch_ids_of_two_terminals_never_meet() -> None:
    registry = Registry()
    one, other = registry.create("M1", "T1", DIALECT), registry.create("M1", "T2", DIALECT)

    assert ("000001000001", "000002000001") == (one.next_rrn(), other.next_rrn())
    assert (100_001, 200_001) == (one.next_batch_id(), other.next_batch_id())


def test_counts_of_a_terminal_wrap_and_an_approval_code_is_never_zero() -> None:
    book = Registry().create("M1", "T1", DIALECT)
    book.rrn_sequence = 999_999

    assert ("000001000000", "000001") == (book.next_rrn(), approval_code_of(book.next_rrn()))

    book.rrn_sequence = 999_998
    assert ("000001999999", "999999") == (book.next_rrn(), approval_code_of(book.next_rrn()))
