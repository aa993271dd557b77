"""The terminal settles after the host did: its totals and records are compared, and nothing counts twice."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.host.pipeline.conftest import Terminal
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import (
    Exchange,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
    debit_credit,
)

from pos_host.event_log import event_of
from pos_host.ledger.entry import BatchRow
from pos_specs.totals import Side


def batches(host: HostInProcess, terminal: Terminal) -> list[tuple[str, str, str]]:
    return [(batch.number, batch.state, batch.result) for batch in host.book(terminal.ids[41]).batches]


def differences(host: HostInProcess, terminal: Terminal, place: int = 0) -> list[tuple[str, str]]:
    batch = host.book(terminal.ids[41]).batches[place]
    return [(item["stan"], item["kind"]) for item in batch.discrepancies]


def sold(host: HostInProcess) -> int:
    """What all closed batches of the store hold together."""
    rows = [row for row in host.memory.table(BatchRow).values() if row.state == "settled"]
    views = [host.office.batch(row.batch_id) for row in rows]
    total = 0
    for view in views:
        try:
            view.send(None)
        except StopIteration as done:
            total += done.value["debit"]["amount_minor"]
    return total


async def by_host(host: HostInProcess, terminal: Terminal) -> None:
    assert "settled_by_host" == (await host.office.settle(terminal.ids[41], None))["result"]


async def test_an_original_whose_reversal_came_before_the_hosts_settlement_is_refused_after_it(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    await hypercom.purchase(10_00)
    late = hypercom.purchase_message(5_00)
    assert "00" == (await hypercom.reverse(late)).code
    await by_host(host, hypercom)

    assert "12" == (await hypercom.line.ask(late.mti, late.fields)).fields[39]


# -- UnionPay


@pytest.fixture
async def forgotten(unionpay: UnionPayTerminal, host: HostInProcess) -> list[Exchange]:
    """Two sales of batch 000001, which the host has settled."""
    made = [await unionpay.purchase(amount) for amount in (10_00, 20_00)]
    await by_host(host, unionpay)
    return made


async def test_a_sale_under_the_old_number_is_answered_77_until_the_sign_in_gives_the_new_one(
    unionpay: UnionPayTerminal, forgotten: list[Exchange], host: HostInProcess
) -> None:
    assert "77" == (await unionpay.purchase(5_00)).code
    assert "000002" == (await unionpay.sign_in()).answer.fields[60][2:8]
    assert "00" == (await unionpay.purchase(5_00)).code
    assert 30_00 == sold(host)


async def test_a_copy_of_a_settled_sale_gets_its_first_answer_again(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(10_00)
    await by_host(host, terminal)

    again = await terminal.again(sale)

    assert (sale.code, sale.rrn) == (again.code, again.rrn)
    assert {} == host.groups(terminal.ids[41])


async def test_a_reversal_of_what_the_host_settled_is_kept_for_review(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(10_00)
    await by_host(host, terminal)

    await terminal.reverse(sale.request)
    await terminal.reverse(sale.request)

    assert ["reversal_of_closed"] == [
        stored.entry.kind for stored in host.memory.entries if stored.entry.kind.startswith("reversal")
    ][:1]
    assert 10_00 == sold(host)


async def test_right_totals_of_a_batch_the_host_settled_are_answered_code_1(
    unionpay: UnionPayTerminal, forgotten: list[Exchange], host: HostInProcess
) -> None:
    totals = debit_credit((2, 30_00))

    settled = await unionpay.settle(totals)
    again = await unionpay.settle(totals)

    assert "11" == settled.answer.fields[48][30::31]
    assert (settled.rrn, settled.answer.fields[48]) == (again.rrn, again.answer.fields[48])
    assert [("000001", "settled", "settled_by_host"), ("000002", "open", "")] == batches(host, unionpay)
    kinds = [event_of(stored, host.registry).type for stored in host.memory.entries]
    assert 1 == kinds.count("batch.late_totals_received")
    assert 2 == (await host.office.batch(100_001))["terminal_debit"]["count"]


async def test_a_terminal_that_kept_its_log_may_settle_both_under_the_new_number(
    unionpay: UnionPayTerminal, forgotten: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.sign_in()
    await unionpay.purchase(5_00)
    totals = debit_credit((3, 35_00))

    settled = await unionpay.settle(totals)
    again = await unionpay.settle(totals)

    assert "11" == settled.answer.fields[48][30::31]
    assert (settled.rrn, settled.answer.fields[48]) == (again.rrn, again.answer.fields[48])
    results = [("000001", "settled", "settled_by_host"), ("000002", "settled", "balanced"), ("000003", "open", "")]
    assert (results, 35_00) == (batches(host, unionpay), sold(host))


async def test_wrong_totals_are_answered_code_2_and_the_upload_becomes_differences(
    unionpay: UnionPayTerminal, forgotten: list[Exchange], host: HostInProcess
) -> None:
    settled = await unionpay.settle(debit_credit((2, 35_00)))
    assert "21" == settled.answer.fields[48][30::31]
    card = forgotten[0].request.fields[2]

    assert "00" == (await unionpay.upload((forgotten[0].stan, card, 15_00), ("000077", card, 20_00))).code
    ended = await unionpay.end_upload(2)
    again = await unionpay.again(ended)

    assert ("00", ended.rrn) == (again.code, again.rrn)
    assert [
        (forgotten[0].stan, "amount_differs"),
        ("000077", "unknown_to_host"),
        (forgotten[1].stan, "not_uploaded"),
    ] == (differences(host, unionpay))
    assert [("000001", "settled", "settled_by_host"), ("000002", "open", "")] == batches(host, unionpay)
    assert 30_00 == sold(host)


async def test_totals_that_fit_neither_alone_nor_together_are_disputed_as_the_open_batch(
    unionpay: UnionPayTerminal, forgotten: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.sign_in()
    await unionpay.purchase(5_00)

    assert "2" == (await unionpay.settle(debit_credit((3, 35_01)))).answer.fields[48][30]
    assert ("000002", "uploading", "") == batches(host, unionpay)[-1]


async def test_after_its_late_upload_a_batch_is_settled_no_more(
    unionpay: UnionPayTerminal, forgotten: list[Exchange]
) -> None:
    await unionpay.settle(debit_credit((2, 35_00)))
    assert "11" == (await unionpay.settle(debit_credit((2, 30_00)))).answer.fields[48][30::31]

    assert "77" == (await unionpay.settle(debit_credit((9, 9_00)))).code


# -- Hypercom


@pytest.fixture
async def known(hypercom: HypercomTerminal) -> HypercomTerminal:
    """A terminal that has settled batch 000001 and counts in 000002, as the host knows."""
    assert "00" == (await hypercom.settle({})).code
    hypercom.batch = "000002"
    return hypercom


async def test_a_hypercom_terminal_that_sold_nothing_since_settles_what_the_host_did(
    known: HypercomTerminal, host: HostInProcess
) -> None:
    await known.purchase(10_00)
    await by_host(host, known)

    settled = await known.settle({"sales": Side(1, 10_00)})
    again = await known.settle({"sales": Side(1, 10_00)})

    assert (("00", settled.rrn)) == (again.code, again.rrn)
    assert [("000002", "settled", "settled_by_host"), ("000003", "open", "")] == batches(host, known)[-2:]
    known.batch = "000003"
    await known.purchase(5_00)
    assert "00" == (await known.settle({"sales": Side(1, 5_00)})).code
    assert 15_00 == sold(host)


async def test_what_came_since_is_settled_with_it_and_the_numbers_meet(
    known: HypercomTerminal, host: HostInProcess
) -> None:
    """The host has 000003 with the sales since, the terminal counts all in 000002 and goes on in 000003."""
    await known.purchase(10_00)
    await by_host(host, known)
    await known.purchase(5_00)

    settled = await known.settle({"sales": Side(2, 15_00)})
    again = await known.settle({"sales": Side(2, 15_00)})

    assert ("00", "00", settled.rrn) == (settled.code, again.code, again.rrn)
    assert [
        ("000002", "settled", "settled_by_host"),
        ("000003", "settled", "balanced"),
        ("000003", "open", ""),
    ] == batches(host, known)[-3:]
    assert 15_00 == sold(host)
    known.batch = "000003"
    await known.purchase(7_00)
    assert "00" == (await known.settle({"sales": Side(1, 7_00)})).code
    assert 22_00 == sold(host)


async def test_three_forgotten_batches_are_settled_by_one_0500(known: HypercomTerminal, host: HostInProcess) -> None:
    for _ in range(3):
        await known.purchase(10_00)
        await by_host(host, known)
    await known.purchase(5_00)

    assert "00" == (await known.settle({"sales": Side(4, 35_00)})).code

    assert ["settled_by_host"] * 3 + ["balanced", ""] == [result for _, _, result in batches(host, known)[-5:]]
    assert ("000003", "open", "") == batches(host, known)[-5:][-1]
    assert 35_00 == sold(host)


@pytest.fixture
async def disputed(known: HypercomTerminal, host: HostInProcess) -> list[Exchange]:
    """A sale the host settled, one since, and totals that leave the second out."""
    first = await known.purchase(10_00)
    await by_host(host, known)
    second = await known.purchase(5_00)
    assert "95" == (await known.settle({"sales": Side(2, 14_00)})).code
    return [first, second]


async def test_after_95_a_complete_upload_and_right_totals_are_answered_00(
    known: HypercomTerminal, disputed: list[Exchange], host: HostInProcess
) -> None:
    for sale in disputed:
        assert "00" == (await known.upload(sale)).code

    trailer = await known.settle({"sales": Side(2, 15_00)}, trailer=True)
    again = await known.again(trailer)

    assert ("00", "00", trailer.rrn) == (trailer.code, again.code, again.rrn)
    assert [
        ("000002", "settled", "settled_by_host"),
        ("000003", "settled", "balanced_after_upload"),
        ("000003", "open", ""),
    ] == batches(host, known)[-3:]
    assert [] == differences(host, known, -3) + differences(host, known, -2)
    assert 15_00 == sold(host)


async def test_after_95_what_differs_is_told_with_its_own_batch_and_answered_77(
    known: HypercomTerminal, disputed: list[Exchange], host: HostInProcess
) -> None:
    await known.upload(disputed[0], f4=f"{11_00:012d}")

    trailer = await known.settle({"sales": Side(2, 14_00)}, trailer=True)
    again = await known.again(trailer)

    assert ("77", "77", trailer.rrn) == (trailer.code, again.code, again.rrn)
    assert [(disputed[0].stan, "amount_differs")] == differences(host, known, -3)
    assert [(disputed[1].stan, "not_uploaded")] == differences(host, known, -2)
    assert ["settled_by_host", "out_of_balance", ""] == [result for _, _, result in batches(host, known)[-3:]]
    assert 15_00 == sold(host)


async def test_a_settled_refund_that_is_uploaded_again_gives_nothing_back_twice(
    known: HypercomTerminal, host: HostInProcess
) -> None:
    sale = await known.purchase(10_00)
    refund = await known.refund(None, 4_00)
    await by_host(host, known)
    assert "95" == (await known.settle({"sales": Side(1, 10_00)})).code

    await known.upload(sale)
    await known.upload(refund)
    trailer = await known.settle({"sales": Side(1, 10_00), "refunds": Side(1, 4_00)}, trailer=True)

    assert "00" == trailer.code
    refunds = [stored.entry for stored in host.memory.entries if stored.entry.kind == "refund"]
    assert 1 == len(refunds)


async def test_a_first_settlement_whose_number_the_host_did_not_know_spans_what_it_settled(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    await hypercom.purchase(10_00)
    await by_host(host, hypercom)
    await hypercom.purchase(5_00)
    hypercom.batch = "000123"

    assert "00" == (await hypercom.settle({"sales": Side(2, 15_00)})).code

    assert ("000124", "open", "") == batches(host, hypercom)[-1]
    assert 15_00 == sold(host)


# -- ISO 1987


async def test_iso87_totals_span_what_the_host_settled(iso87: Iso87Terminal, host: HostInProcess) -> None:
    await iso87.purchase(10_00)
    await by_host(host, iso87)
    await iso87.purchase(5_00)

    settled = await iso87.settle({"debits": Side(2, 15_00)})
    again = await iso87.settle({"debits": Side(2, 15_00)})

    assert ("00", "1", "0000000000001500") == (settled.code, settled.answer.fields[66], settled.answer.fields[88])
    assert settled.answer.fields[76] == again.answer.fields[76] == "0000000002"
    assert 1 == sum(stored.entry.kind == "settlement" for stored in host.memory.entries)
    assert ["settled_by_host", "balanced", ""] == [result for _, _, result in batches(host, iso87)]
    assert 15_00 == sold(host)


async def test_an_iso87_terminal_that_was_told_counts_the_open_batch_alone(
    iso87: Iso87Terminal, host: HostInProcess
) -> None:
    await iso87.purchase(10_00)
    await by_host(host, iso87)
    await iso87.purchase(5_00)

    assert "1" == (await iso87.settle({"debits": Side(1, 5_00)})).answer.fields[66]
    assert 15_00 == sold(host)


async def test_other_iso87_totals_are_out_of_balance_with_all_the_host_has(
    iso87: Iso87Terminal, host: HostInProcess
) -> None:
    await iso87.purchase(10_00)
    await by_host(host, iso87)
    await iso87.purchase(5_00)

    settled = await iso87.settle({"debits": Side(9, 99_00)})

    assert ("2", "0000000000001500") == (settled.answer.fields[66], settled.answer.fields[88])
    assert ["settled_by_host", "out_of_balance", ""] == [result for _, _, result in batches(host, iso87)]


async def test_a_restart_between_changes_nothing(hypercom: HypercomTerminal, host: HostInProcess) -> None:
    for _ in range(3):
        await hypercom.purchase(10_00)
        await by_host(host, hypercom)
    twin = host.twin()
    other: Any = HypercomTerminal(twin)
    other.stan = hypercom.stan

    assert "00" == (await other.settle({"sales": Side(3, 30_00)})).code
    assert ("000002", "open", "") == batches(twin, other)[-1]
