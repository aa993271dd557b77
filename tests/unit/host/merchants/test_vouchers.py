"""Slips beside the books."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import OTHER_CARD, Exchange, HypercomTerminal, UnionPayTerminal

from pos_host.ledger.book import Batch
from pos_host.merchants.desk import Refused
from pos_host.merchants.forgotten.vouchers import SLIP_MOST_CHARACTERS, Comparison, compare, read_slip, read_vouchers
from pos_specs.masking import mask_pan
from pos_terminal.memory import Memory
from pos_terminal.receipt import slip
from pos_terminal.transaction import Transaction

DAY = "2026-03-02"


def voucher(sale: Exchange, **changes: Any) -> dict[str, Any]:
    given = {"receipt": sale.stan, "rrn": sale.rrn, "amount_minor": sale.amount_minor, "date": DAY}
    return {**given, **changes}


def batch_of(host: HostInProcess, terminal_id: str) -> Batch:
    current = host.book(terminal_id).current
    assert current is not None
    return current


def compared(host: HostInProcess, terminal_id: str, *given: dict[str, Any]) -> Comparison:
    batch = batch_of(host, terminal_id)
    return compare(read_vouchers(given, "156"), batch, host.policy)


def printed(sale: Exchange, amount_minor: int) -> str:
    """The slip that a real terminal would print of the sale."""
    transaction = Transaction(
        function="purchase",
        stan=sale.stan,
        amount_minor=amount_minor,
        currency="156",
        pan=OTHER_CARD,
        expiry="3012",
        entry_mode="02",
        batch_number="000001",
        invoice="",
        sent_at="0302200000",
        rrn=sale.rrn,
    )
    return slip(transaction, Memory("unionpay", "T0000001", "898310000000001"), "00", "Approved")


async def test_all_slips_of_a_batch_fit() -> None:
    host = HostInProcess()
    terminal = UnionPayTerminal(host)
    sales = [await terminal.purchase(amount) for amount in (1_00, 2_00)]
    back = await terminal.refund(sales[0], 50)

    found = compared(host, "T0000001", *(voucher(done) for done in (*sales, back)))

    assert (3, (), ()) == found
    assert found.complete


async def test_the_text_of_a_printed_slip_is_understood() -> None:
    host = HostInProcess()
    terminal = UnionPayTerminal(host)
    sale = await terminal.purchase(1_234_56, OTHER_CARD)

    text = printed(sale, 1_234_56)

    assert mask_pan(OTHER_CARD) in text
    assert (sale.stan, "", sale.rrn, 1_234_56, "03-02") == read_slip(text, "156")
    assert compared(host, "T0000001", {"slip": text}).complete


async def test_each_thing_that_does_not_fit_is_named() -> None:
    host = HostInProcess()
    terminal = UnionPayTerminal(host)
    sale, undone = await terminal.purchase(1_00), await terminal.purchase(2_00)
    await terminal.reverse(undone.request)

    found = compared(
        host,
        "T0000001",
        voucher(sale, amount_minor=99),
        voucher(sale, date="2026-02-20"),
        voucher(sale, receipt="999999"),
        voucher(undone),
        voucher(sale, rrn="000009000009"),
        voucher(sale),
        voucher(sale),
    )

    assert [
        (1, ["amount_differs"]),
        (2, ["date_differs"]),
        (3, ["receipt_differs"]),
        (4, ["reversed"]),
        (5, ["unknown_to_host"]),
        (7, ["handed_in_twice"]),
    ] == [(wrong["voucher"], wrong["reasons"]) for wrong in found.mismatched]
    assert 1 == found.matched


async def test_a_transaction_without_its_slip_is_missing_and_one_that_moves_no_money_is_not() -> None:
    host = HostInProcess()
    terminal = HypercomTerminal(host)
    kept, voided = await terminal.purchase(1_00), await terminal.purchase(2_00)
    await terminal.void(voided)

    found = compared(host, "H0000001", voucher(kept, amount_minor=1))

    assert [kept.rrn] == [transaction["rrn"] for transaction in found.missing]


async def test_a_date_may_be_a_day_off_and_cross_the_year() -> None:
    host = HostInProcess(at_ms=1_767_196_800_000)  # 2026-01-01 00:00 in Shanghai
    terminal = UnionPayTerminal(host)
    sale = await terminal.purchase(1_00)

    assert compared(host, "T0000001", voucher(sale, date="2025-12-31")).complete
    assert not compared(host, "T0000001", voucher(sale, date="2025-12-30")).complete


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"receipt": "1", "amount_minor": 0, "date": DAY}, "amount_minor must be above zero"),
        ({"amount_minor": 1, "date": DAY}, "needs a receipt number or an rrn"),
        ({"receipt": "1", "amount_minor": 1, "date": "02-30"}, "date must be a date"),
        ({"receipt": "1", "amount_minor": 1}, "date must be a date"),
        ({"receipt": "one", "amount_minor": 1, "date": DAY}, "receipt must be at most 6 digits"),
        ({"rrn": "6228480000000000000", "amount_minor": 1, "date": DAY}, "rrn must be at most twelve"),
        ({"slip": "SALE\nTrace 000001\nDate 03-02"}, "the slip has no row Amount"),
        ({"slip": "Trace 000001\nDate 03-02\nAmount USD 1.00"}, "not in the currency of the batch"),
        ({"slip": "Trace 000001\nDate 03-02\nAmount 1.00"}, "not a currency and an amount"),
        ({"slip": "x" * (SLIP_MOST_CHARACTERS + 1)}, "a slip has at most"),
    ],
)
def test_a_voucher_that_cannot_be_read_is_refused_with_its_place_and_without_its_content(
    given: dict[str, Any], said: str
) -> None:
    good = {"receipt": "000001", "amount_minor": 100, "date": DAY}

    with pytest.raises(Refused, match=f"voucher 2: .*{said}") as refused:
        read_vouchers([good, given], "156")

    assert 422 == refused.value.status
    assert 2 == refused.value.more["voucher"]
    assert "622848" not in str(refused.value)


def test_an_application_without_vouchers_is_refused() -> None:
    with pytest.raises(Refused, match="needs 1 to"):
        read_vouchers([], "156")


async def test_a_slip_without_reference_is_found_by_its_trace_or_invoice() -> None:
    host = HostInProcess()
    terminal = HypercomTerminal(host)
    sale = await terminal.purchase(1_00)
    transaction = batch_of(host, "H0000001").by_rrn[sale.rrn]

    by_trace = {"stan": sale.stan, "amount_minor": 1_00, "date": DAY}
    by_invoice = {"invoice": transaction.entry.invoice, "amount_minor": 1_00, "date": DAY}

    assert compared(host, "H0000001", by_trace).complete
    assert compared(host, "H0000001", by_invoice).complete
