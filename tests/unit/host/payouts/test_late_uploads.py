"""A terminal disagrees after the host settled its batch: the payout is held, and what only it knows of is paid for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.host.payouts.test_payout_proof import texts
from tests.unit.host.payouts.test_payouts import REVIEWER, at, payout_events, payouts_of, until
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import verified
from tests.unit.host.pipeline.terminals import (
    UNIONPAY_CARD,
    VISA_CARD,
    Exchange,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
    debit_credit,
)

from pos_host.event_log import event_of
from pos_host.journal import StoredEntry
from pos_host.ledger.merchant_rows import PayoutRow, RecordRow
from pos_host.transaction_search import transactions_of, wanted_of
from pos_specs.totals import Side


@pytest.fixture
async def sales(unionpay: UnionPayTerminal, host: HostInProcess) -> list[Exchange]:
    """Two sales of batch 000001, which the host has settled and will pay on the 3rd."""
    made = [await unionpay.purchase(amount) for amount in (10_00, 20_00)]
    await host.office.settle(unionpay.ids[41], None)
    return made


def standing(host: HostInProcess) -> list[tuple[str, list[str]]]:
    return [(row.state, json.loads(row.reasons)) for row in payouts_of(host)]


def told(host: HostInProcess, event: str) -> list[dict[str, Any]]:
    """What the events of a type say."""
    entries = [stored for stored in host.memory.entries if event_of(stored, host.registry).type == event]
    return [json.loads(stored.entry.detail) for stored in entries]


# -- held, or told where it is paid


async def test_late_totals_that_differ_hold_the_payout(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.settle(debit_credit((2, 35_00)))
    await host.watch.settle()
    assert [("held", ["out_of_balance"])] == standing(host)
    await until(host, "03 12:00")
    assert "held" == payouts_of(host)[0].state
    await host.parts.payouts.release(REVIEWER, payouts_of(host)[0].payout_id, "our records are right")
    await until(host, "03 12:01")

    assert "made" == payouts_of(host)[0].state


async def test_a_late_upload_that_agrees_lets_the_payout_go(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.settle(debit_credit((2, 35_00)))
    await host.watch.settle()
    await unionpay.upload((sales[0].stan, UNIONPAY_CARD, 10_00), (sales[1].stan, UNIONPAY_CARD, 20_00))
    await unionpay.end_upload(2)
    await host.watch.settle()

    assert [("released", [])] == standing(host)
    assert ["payout.pending", "payout.held", "payout.released"] == payout_events(host)


async def test_a_late_record_that_differs_holds_the_payout_and_says_by_how_much(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.upload((sales[0].stan, UNIONPAY_CARD, 15_00))
    await host.watch.settle()

    assert [("held", ["out_of_balance"])] == standing(host)
    assert [500] == [event["difference_minor"] for event in told(host, "batch.late_difference_held")]


async def test_what_was_paid_already_is_told_with_both_amounts(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await until(host, "03 12:00")
    await unionpay.upload((sales[0].stan, UNIONPAY_CARD, 15_00))
    await host.watch.settle()

    event = told(host, "batch.late_difference_reported")[0]
    assert (5_00, payouts_of(host)[0].net_minor) == (event["difference_minor"], event["paid_minor"])
    assert "made" == payouts_of(host)[0].state
    line = (await host.parts.reports.discrepancies(None, None))["items"][0]
    assert ("made", payouts_of(host)[0].net_minor) == (line["payout_state"], line["paid_minor"])


async def test_a_difference_that_comes_after_a_review_holds_the_payout_again(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.upload((sales[0].stan, UNIONPAY_CARD, 15_00))
    await host.watch.settle()
    await host.parts.payouts.release(REVIEWER, payouts_of(host)[0].payout_id, "reviewed")
    await unionpay.upload((sales[0].stan, UNIONPAY_CARD, 15_00))
    await host.watch.settle()
    assert "released" == payouts_of(host)[0].state
    await unionpay.upload((sales[1].stan, UNIONPAY_CARD, 25_00))
    await host.watch.settle()

    assert [("held", ["out_of_balance"])] == standing(host)


async def test_a_host_that_ended_before_it_held_the_payout_does_so_when_it_is_back(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.settle(debit_credit((2, 35_00)))
    await host.durable()
    twin = host.twin()
    twin.clock.move_to(at("05 10:00"))
    await twin.watch.settle()

    assert [("held", ["out_of_balance"])] == standing(twin)
    assert 0 == verified(twin)["differences"]


async def test_late_totals_of_iso87_that_differ_hold_what_the_host_settled(
    iso87: Iso87Terminal, host: HostInProcess
) -> None:
    await iso87.purchase(10_00)
    await host.office.settle(iso87.ids[41], None)
    await iso87.purchase(5_00)
    await iso87.settle({"debits": Side(2, 16_00)})
    await host.watch.settle()

    assert [("held", ["out_of_balance"])] * 2 == standing(host)


async def test_hypercom_holds_only_the_batch_whose_records_differ(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    await hypercom.settle({})
    hypercom.batch = "000002"
    first = await hypercom.purchase(10_00)
    await host.office.settle(hypercom.ids[41], None)
    await hypercom.purchase(5_00)
    await hypercom.settle({"sales": Side(2, 14_00)})
    await hypercom.upload(first)
    assert "77" == (await hypercom.settle({"sales": Side(2, 14_00)}, trailer=True)).code
    await host.watch.settle()

    assert [("pending", []), ("held", ["out_of_balance"])] == standing(host)


async def test_right_totals_that_come_late_hold_nothing(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.settle(debit_credit((2, 30_00)))
    await host.watch.settle()

    assert [("pending", [])] == standing(host)


# -- taken back late


async def test_two_sales_taken_back_late_are_told_with_the_sum_of_both(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    for sale in sales:
        await unionpay.reverse(sale.request)
        await host.watch.settle()
    await unionpay.reverse(sales[0].request)
    await host.watch.settle()

    held = told(host, "batch.late_difference_held")
    assert [-10_00, -30_00] == [event["difference_minor"] for event in held]
    assert [("held", ["out_of_balance"])] == standing(host)


async def test_a_record_that_differs_is_told_with_what_was_taken_back_before(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.reverse(sales[0].request)
    await host.watch.settle()
    await unionpay.upload((sales[1].stan, UNIONPAY_CARD, 25_00))
    await host.watch.settle()

    held = told(host, "batch.late_difference_held")
    assert [-10_00, -5_00] == [event["difference_minor"] for event in held]


async def test_a_sale_that_is_not_uploaded_because_it_was_taken_back_counts_once(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.reverse(sales[0].request)
    await unionpay.settle(debit_credit((1, 20_00)))
    await unionpay.upload((sales[1].stan, UNIONPAY_CARD, 20_00))
    await unionpay.end_upload(1)
    await host.watch.settle()

    assert [-10_00] == [event["difference_minor"] for event in told(host, "batch.late_difference_held")]


async def test_an_upload_that_agrees_does_not_let_go_what_a_late_reversal_holds(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.reverse(sales[0].request)
    await host.watch.settle()
    await unionpay.settle(debit_credit((2, 35_00)))
    await unionpay.upload((sales[0].stan, UNIONPAY_CARD, 10_00), (sales[1].stan, UNIONPAY_CARD, 20_00))
    await unionpay.end_upload(2)
    await host.watch.settle()
    assert [("held", ["out_of_balance"])] == standing(host)

    await host.parts.payouts.release(REVIEWER, payouts_of(host)[0].payout_id, "the sale stands")
    await until(host, "03 12:01")
    assert "made" == payouts_of(host)[0].state


# -- what only the upload tells of


async def settled_with_offline_sale(unionpay: UnionPayTerminal) -> None:
    """The totals of two sales and one offline, and the records of all."""
    await unionpay.settle(debit_credit((3, 37_00)))
    await unionpay.upload_advice("30", "000900", UNIONPAY_CARD, 7_00)


async def test_an_offline_sale_told_late_is_paid_by_a_payout_of_its_own(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    host.clock.move_to(at("03 10:00"))
    await settled_with_offline_sale(unionpay)
    await unionpay.upload((sales[0].stan, UNIONPAY_CARD, 10_00), (sales[1].stan, UNIONPAY_CARD, 20_00))
    assert "00" == (await unionpay.end_upload(3)).code

    batch = (await host.office.batch(100_001))["debit"]
    late = payouts_of(host)[1]
    assert (2, 30_00) == (batch["count"], batch["amount_minor"])
    assert ("pending", 7_00, "2026-03-03", "2026-03-04") == (
        late.state,
        late.captured_minor,
        late.business_day,
        late.due_day,
    )
    assert 100_001 == host.parts.payouts.view(late)["batch_id"]
    assert [] == host.book("T0000001").batches[0].discrepancies
    await until(host, "04 12:00")
    assert ["made", "made"] == [row.state for row in payouts_of(host)]


async def test_an_offline_sale_that_is_uploaded_twice_is_paid_once(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await settled_with_offline_sale(unionpay)
    await unionpay.upload_advice("30", "000900", UNIONPAY_CARD, 7_00)
    twin = host.twin()
    assert books_late(host) == books_late(twin) == ["000900"]
    assert 2 == len(payouts_of(host))
    assert 1 == len(told(host, "transaction.told_late"))


def books_late(host: HostInProcess) -> list[str]:
    return list(host.book("T0000001").batches[0].late)


async def test_an_offline_sale_told_late_is_shown_among_the_transactions(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await settled_with_offline_sale(unionpay)
    wanted = wanted_of(None, "900", None, None, None, None, None)
    found, _ = await transactions_of(host.journal, [host.book("T0000001")], wanted, 10, 0, anybody=False)

    seen = [(item["function"], item["amount_minor"], item["batch_id"]) for item in found]
    assert [("offline_purchase", 7_00, 100_001)] == seen


async def test_another_amount_under_the_same_number_is_a_difference(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await settled_with_offline_sale(unionpay)
    await unionpay.upload_advice("30", "000900", UNIONPAY_CARD, 8_00)

    found = [(item["stan"], item["kind"]) for item in host.book("T0000001").batches[0].discrepancies]
    assert [("000900", "unknown_to_host")] == found
    assert 2 == len(payouts_of(host))


async def test_an_online_sale_that_the_host_does_not_know_is_reported_only(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.upload(("000900", UNIONPAY_CARD, 7_00))

    assert 1 == len(payouts_of(host))
    found = [(item["stan"], item["kind"]) for item in host.book("T0000001").batches[0].discrepancies]
    assert [("000900", "unknown_to_host")] == found


async def test_a_refund_told_late_is_taken_from_what_is_due_next(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.upload_advice("25", "000900", UNIONPAY_CARD, 4_00)
    late = payouts_of(host)[1]
    assert (0, 4_00, -4_00) == (late.captured_minor, late.refunded_minor, late.net_minor)
    await until(host, "03 12:00")

    assert ["made", "made"] == [row.state for row in payouts_of(host)]


async def test_a_refund_told_late_of_a_known_sale_leaves_less_of_it_to_refund(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    named = f"000001{sales[1].stan}0302"
    await unionpay.upload_advice("25", "000900", UNIONPAY_CARD, 15_00, f37=sales[1].rrn, f61=named)
    await unionpay.sign_in()

    assert "00" != (await unionpay.refund(sales[1], 6_00)).code
    assert "00" == (await unionpay.refund(sales[1], 5_00)).code


async def test_a_tip_told_late_pays_what_is_new_in_it(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    sale = await unionpay.purchase(100_00, VISA_CARD)
    await host.office.settle(unionpay.ids[41], None)
    named = f"000001{sale.stan}0302"
    await unionpay.upload_advice("32", "000900", VISA_CARD, 110_00, f37=sale.rrn, f61=named)
    await unionpay.upload_advice("32", "000901", VISA_CARD, 115_00, f37=sale.rrn, f61=named)

    first, second = payouts_of(host)[1:]
    assert (10_00 - 6, 5_00 - 3) == (first.net_minor, second.net_minor)
    assert (110_00, 100_00) == (first.captured_minor, first.refunded_minor)


async def test_a_tip_told_late_on_a_sale_that_came_late_itself_pays_what_is_new_in_it(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await settled_with_offline_sale(unionpay)
    for stan, amount_minor in (("000901", 8_00), ("000902", 9_50)):
        for _ in range(2):
            await unionpay.upload_advice("32", stan, UNIONPAY_CARD, amount_minor, f61="0000010009000302")

    late = [(row.captured_minor, row.refunded_minor) for row in payouts_of(host)[1:]]
    assert [(7_00, 0), (8_00, 7_00), (9_50, 8_00)] == late
    assert [] == verified(host)["details"]


async def test_a_tip_told_late_on_a_sale_that_came_late_gives_back_the_fee_that_was_taken(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.upload_advice("30", "000900", VISA_CARD, 100_00)
    await unionpay.upload_advice("32", "000901", VISA_CARD, 110_00, f61="0000010009000302")

    assert [100_00 - 60, 10_00 - 6] == [row.net_minor for row in payouts_of(host)[1:]]


async def test_an_authorisation_is_completed_by_what_is_told_late(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    auth = await unionpay.auth(50_00)
    await unionpay.purchase(10_00)
    await host.office.settle(unionpay.ids[41], None)
    code, named = auth.answer.fields[38], f"000001{auth.stan}0302"
    await unionpay.upload_advice("24", "000900", UNIONPAY_CARD, 45_00, f38=code, f61=named)

    assert ["completed"] == [row.state for row in host.book("T0000001").authorisations.values()]
    assert 45_00 == payouts_of(host)[1].captured_minor


Tamper = Callable[[HostInProcess], None]


def without_payout(host: HostInProcess) -> None:
    """The late notice stays, its payout and the entry of that are gone."""
    number = payouts_of(host)[1].payout_id
    host.memory.rows[PayoutRow].pop(number)
    for place, (sequence, entry) in enumerate(host.memory.entries):
        if f'"payout_id": {number}' in entry.detail:
            host.memory.entries[place] = StoredEntry(sequence, entry._replace(kind="echo", batch_id=0, detail=""))


def another_amount(host: HostInProcess) -> None:
    for place, (sequence, entry) in enumerate(host.memory.entries):
        if entry.kind == "late_notice":
            host.memory.entries[place] = StoredEntry(sequence, entry._replace(amount_minor=70_00))


def without_notice(host: HostInProcess) -> None:
    for place, (sequence, entry) in enumerate(host.memory.entries):
        if entry.kind == "late_notice":
            host.memory.entries[place] = StoredEntry(sequence, entry._replace(kind="echo"))


@pytest.mark.parametrize(
    ("tamper", "text"),
    [
        (without_payout, "a late notice has none"),
        (another_amount, "captured_minor is not what the transactions make"),
        (without_notice, "a batch is paid twice"),
    ],
)
async def test_what_was_altered_of_a_late_sale_is_named(tamper: Tamper, text: str) -> None:
    host = HostInProcess()
    unionpay = UnionPayTerminal(host)
    await unionpay.purchase(10_00)
    await host.office.settle(unionpay.ids[41], None)
    await unionpay.upload_advice("30", "000900", UNIONPAY_CARD, 7_00)
    await host.durable()
    assert "" == texts(host)
    tamper(host)

    assert text in texts(host)


async def test_the_record_of_a_difference_says_how_it_stands(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.settle(debit_credit((2, 35_00)))
    await host.watch.settle()

    records = [row for row in host.memory.all_rows(RecordRow) if row.kind == "late_difference"]
    assert [("100001", "held", 0)] == [(row.record_id, row.state, row.due_at_ms) for row in records]
