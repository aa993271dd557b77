from __future__ import annotations

import pytest
from tests.contracts.journals import purchase
from tests.unit.host.ledger.test_posting import apply, opened_book, reversal_of, void_of

from pos_host.ledger.book import Batch
from pos_host.ledger.group_totals import has_money, sides, totals_of
from pos_host.ledger.reconciliation import (
    differences,
    hypercom_balanced,
    iso87_balanced,
    unionpay_codes,
    with_records,
)
from pos_specs.totals import NOTHING, Side


def batch_with(dialect: str, *amounts: tuple[int, str]) -> Batch:
    """A batch of purchases: (amount, organisation)."""
    book = opened_book(dialect)
    for stan, (amount, organisation) in enumerate(amounts, 1):
        apply(book, purchase(stan, amount_minor=amount, organisation=organisation))
    return book.batches[0]


@pytest.mark.parametrize(
    ("domestic", "foreign", "codes"),
    [
        (Side(1, 10), Side(1, 20), ("1", "1")),
        (Side(1, 11), Side(1, 20), ("2", "1")),
        (Side(1, 10), Side(1, 21), ("1", "2")),
        (Side(2, 10), Side(2, 20), ("2", "2")),
        (Side(2, 30), NOTHING, ("1", "1")),
        (Side(1, 10), NOTHING, ("2", "2")),
        (Side(2, 30), Side(0, 1), ("2", "2")),
    ],
)
def test_unionpay_halves_are_judged_apart_unless_the_foreign_one_is_all_zeros(
    domestic: Side, foreign: Side, codes: tuple[str, str]
) -> None:
    batch = batch_with("unionpay", (10, "CUP"), (20, "VIS"))
    sent = {"domestic_debit": domestic, "domestic_credit": NOTHING, "foreign_debit": foreign, "foreign_credit": NOTHING}

    assert codes == unionpay_codes(batch, sent)


def test_without_foreign_cards_at_the_host_the_foreign_half_is_never_disputed() -> None:
    batch = batch_with("unionpay", (10, "CUP"))

    assert ("2", "1") == unionpay_codes(batch, {"domestic_debit": Side(2, 20), "domestic_credit": NOTHING})


def test_hypercom_compares_the_groups_that_were_sent() -> None:
    batch = batch_with("hypercom", (10, "CUP"))

    assert hypercom_balanced(batch, {"sales": Side(1, 10)})
    assert hypercom_balanced(batch, {"sales": Side(1, 10), "refunds": NOTHING, "debit_sales": NOTHING})
    assert not hypercom_balanced(batch, {"sales": Side(1, 10), "refunds": Side(1, 1)})


def test_iso87_compares_each_side_net_of_its_reversals() -> None:
    book = opened_book("iso87-ascii")
    sale = purchase(1, amount_minor=10)
    apply(book, sale, purchase(2, amount_minor=5), reversal_of(sale))
    batch = book.batches[0]
    nothing = {"credits": NOTHING, "credits_reversal": NOTHING}

    assert iso87_balanced(batch, {"debits": Side(2, 15), "debits_reversal": Side(1, 10), **nothing})
    assert iso87_balanced(batch, {"debits": Side(1, 5), "debits_reversal": NOTHING, **nothing})
    assert not iso87_balanced(batch, {"debits": Side(2, 15), "debits_reversal": NOTHING, **nothing})


def test_every_group_of_the_dialect_is_in_the_totals() -> None:
    assert {
        "sales": Side(1, 10),
        "refunds": NOTHING,
        "debit_sales": NOTHING,
        "debit_refunds": NOTHING,
        "authorised_sales": NOTHING,
        "authorised_refunds": NOTHING,
    } == totals_of(batch_with("hypercom", (10, "CUP")))


def test_the_apis_debit_is_sales_and_its_credit_refunds() -> None:
    for dialect in ("unionpay", "hypercom", "iso87-ascii"):
        book = opened_book(dialect)
        apply(book, purchase(1, amount_minor=10), purchase(2, kind="refund", amount_minor=4))
        assert (Side(1, 10), Side(1, 4)) == sides(book.batches[0])


def test_a_batch_whose_only_sale_was_reversed_has_no_money() -> None:
    for dialect in ("unionpay", "hypercom", "iso87-ascii"):
        book = opened_book(dialect)
        sale = purchase(1)
        apply(book, sale)
        assert has_money(book.batches[0])
        apply(book, reversal_of(sale))
        assert not has_money(book.batches[0])


def test_a_voided_sale_leaves_money_only_where_the_void_is_a_credit() -> None:
    for dialect, left in (("unionpay", True), ("hypercom", False), ("iso87-ascii", False)):
        book = opened_book(dialect)
        sale = purchase(1)
        apply(book, sale, void_of(sale, 2))
        assert left is has_money(book.batches[0])


def record(stan: str, amount_minor: int, **more: object) -> dict[str, object]:
    return {"stan": stan, "amount_minor": amount_minor, "card": "", "card_print": "", **more}


def test_records_replace_themselves_by_stan() -> None:
    kept = with_records({}, [record("000001", 10), record("000001", 11)])

    assert {"000001": record("000001", 11)} == kept


def test_a_failed_record_replaces_none_that_moved_money() -> None:
    failed, sale = record("000001", 10, failed=True), record("000001", 10)

    assert {"000001": sale} == with_records({"000001": sale}, [failed])
    assert {"000001": sale} == with_records({"000001": failed}, [sale])


def test_differences_are_told_in_the_order_of_stans() -> None:
    batch = batch_with("unionpay", (10, "CUP"), (20, "CUP"), (30, "CUP"))
    uploads = with_records({}, [record("000009", 1), record("000002", 21), record("000001", 10)])

    complete = differences(batch, complete=True, uploads=uploads)

    assert [("000002", "amount_differs"), ("000003", "not_uploaded"), ("000009", "unknown_to_host")] == [
        (item["stan"], item["kind"]) for item in complete
    ]
    assert ["000002", "000009"] == [item["stan"] for item in differences(batch, complete=False, uploads=uploads)]


def test_a_difference_shows_both_sides() -> None:
    batch = batch_with("unionpay", (10, "CUP"))

    (found,) = differences(batch, complete=True, uploads=with_records({}, [record("000001", 11)]))

    assert {"amount_minor": 11, "card": ""} == found["terminal"]
    assert {
        "function": "purchase",
        "amount_minor": 10,
        "card": "622848******4134",
        "rrn": "000001000001",
        "outcome": "approved",
        "reversed": False,
        "voided": False,
    } == found["host"]
