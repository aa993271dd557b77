"""0500/920000, 0320 and 0500/960000 as hypercom.md 2.6 and 2.7 tell them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import (
    OTHER_CARD,
    VISA_CARD,
    Exchange,
    HypercomTerminal,
)

from pos_specs.totals import Side


def batches(host: HostInProcess) -> list[tuple[str, str, str]]:
    return [(batch.number, batch.state, batch.result) for batch in host.book("H0000001").batches]


def batch_of(host: HostInProcess, number: str = "000001") -> Any:
    return host.book("H0000001").batch_numbered(number)


def differences(host: HostInProcess) -> list[tuple[str, str]]:
    return [(item["stan"], item["kind"]) for item in batch_of(host).discrepancies]


@pytest.fixture
async def sales(hypercom: HypercomTerminal) -> list[Exchange]:
    """Three sales; the terminal's totals leave one out, and the host asks for the batch."""
    made = [await hypercom.purchase(amount) for amount in (10_00, 20_00, 30_00)]
    assert "95" == (await hypercom.settle({"sales": Side(2, 30_00)})).code
    return made


async def test_equal_totals_close_the_batch(hypercom: HypercomTerminal, host: HostInProcess) -> None:
    await hypercom.purchase(10_00)
    settled = await hypercom.settle({"sales": Side(1, 10_00)})

    assert "0510" == settled.answer.mti
    assert {
        3: "920000",
        11: settled.stan,
        12: "200000",
        13: "0302",
        24: "003",
        37: "000001000002",
        39: "00",
        41: "H0000001",
    } == settled.answer.fields
    assert [("000001", "settled", "balanced"), ("000002", "open", "")] == batches(host)


@pytest.mark.parametrize("groups", [6, 4, 2, 1])
async def test_totals_may_have_90_60_30_or_15_digits(
    hypercom: HypercomTerminal, host: HostInProcess, groups: int
) -> None:
    await hypercom.purchase(10_00)
    sent = await hypercom.settle({"sales": Side(1, 10_00)}, groups=groups)

    assert 15 * groups == len(sent.request.fields[63])
    assert ("00", ("000001", "settled", "balanced")) == (sent.code, batches(host)[0])


async def test_groups_that_were_not_sent_are_not_compared(hypercom: HypercomTerminal) -> None:
    await hypercom.purchase(10_00)
    await hypercom.refund(None, 4_00)
    await hypercom.purchase(5_00, f3="001000")

    assert "95" == (await hypercom.settle({"sales": Side(1, 10_00)}, groups=2)).code
    assert "95" == (await hypercom.settle({"sales": Side(1, 10_00), "refunds": Side(1, 4_00)}, groups=4)).code
    assert "00" == (await hypercom.settle({"sales": Side(1, 10_00)}, groups=1)).code


@pytest.mark.parametrize("totals", ["0" * 14, "0" * 16, "0" * 105, "x" * 15, ""])
async def test_totals_of_another_form_are_a_format_error(
    hypercom: HypercomTerminal, host: HostInProcess, totals: str
) -> None:
    await hypercom.purchase(10_00)

    assert "30" == (await hypercom.settle({}, f63=totals)).code
    assert "30" == (await hypercom.settle({}, trailer=True, f63=totals)).code
    assert [("000001", "open", "")] == batches(host)


async def test_a_voided_or_reversed_sale_counts_in_no_group(hypercom: HypercomTerminal) -> None:
    await hypercom.void(await hypercom.purchase(10_00))
    await hypercom.reverse((await hypercom.purchase(20_00)).request)
    await hypercom.purchase(5_00)

    assert "00" == (await hypercom.settle({"sales": Side(1, 5_00)})).code


async def test_the_first_settlement_names_the_batch_and_is_believed_once(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    hypercom.batch = "000123"
    await hypercom.purchase(10_00)
    assert "00" == (await hypercom.settle({"sales": Side(1, 10_00)})).code
    assert ["000123", "000124"] == [batch.number for batch in host.book("H0000001").batches]

    hypercom.batch = "000777"
    assert "80" == (await hypercom.settle({})).code
    hypercom.batch = "000124"
    assert "00" == (await hypercom.settle({})).code


async def test_a_wrong_batch_number_is_answered_80(hypercom: HypercomTerminal, sales: list[Exchange]) -> None:
    hypercom.batch = "000009"

    assert "80" == (await hypercom.settle({})).code
    assert "80" == (await hypercom.settle({}, trailer=True)).code


async def test_a_complete_upload_and_right_totals_balance_the_batch(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    for sale in sales:
        uploaded = await hypercom.upload(sale)
        assert ("0330", "00", "000001") == (uploaded.answer.mti, uploaded.code, uploaded.answer.fields[3])

    trailer = await hypercom.settle({"sales": Side(3, 60_00)}, trailer=True)

    assert ("0510", "960000", "00") == (trailer.answer.mti, trailer.answer.fields[3], trailer.code)
    assert [("000001", "settled", "balanced_after_upload"), ("000002", "open", "")] == batches(host)


async def test_records_come_in_any_order_and_more_than_once(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    for place in (2, 0, 2, 1, 0):
        await hypercom.upload(sales[place])

    assert "00" == (await hypercom.settle({"sales": Side(3, 60_00)}, trailer=True)).code
    assert {"sales": Side(3, 60_00)} == batch_of(host).groups


async def test_an_interrupted_upload_is_begun_again(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await hypercom.upload(sales[0])
    await hypercom.upload(sales[1])
    hypercom.line.hang_up()
    hypercom.line = host.connect("hypercom")

    assert "95" == (await hypercom.settle({"sales": Side(2, 30_00)})).code
    for sale in sales:
        await hypercom.upload(sale)
    assert "00" == (await hypercom.settle({"sales": Side(3, 60_00)}, trailer=True)).code


async def test_an_interrupted_upload_is_resumed(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await hypercom.upload(sales[0])
    hypercom.line.hang_up()
    hypercom.line = host.connect("hypercom")
    await hypercom.upload(sales[1])
    await hypercom.upload(sales[2])

    assert "00" == (await hypercom.settle({"sales": Side(3, 60_00)}, trailer=True)).code


async def test_an_upload_begun_again_with_right_totals_is_over(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await hypercom.upload(sales[0])

    assert "00" == (await hypercom.settle({"sales": Side(3, 60_00)})).code
    assert ("000001", "settled", "balanced") == batches(host)[0]


async def test_the_same_wrong_totals_again_are_answered_95_and_posted_once(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    entries = len(host.memory.entries)

    assert "95" == (await hypercom.settle({"sales": Side(2, 30_00)})).code
    assert entries == len(host.memory.entries)


async def test_the_trailer_with_the_old_totals_is_out_of_balance(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    for sale in sales:
        await hypercom.upload(sale)

    assert "77" == (await hypercom.settle({"sales": Side(2, 30_00)}, trailer=True)).code
    assert [("000001", "settled", "out_of_balance"), ("000002", "open", "")] == batches(host)
    assert [] == differences(host)


async def test_the_trailer_is_out_of_balance_when_a_record_is_missing(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await hypercom.upload(sales[0])
    await hypercom.upload(sales[2])

    assert "77" == (await hypercom.settle({"sales": Side(3, 60_00)}, trailer=True)).code
    assert [(sales[1].stan, "not_uploaded")] == differences(host)


async def test_every_kind_of_difference_is_reported_and_the_hosts_books_stand(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await hypercom.upload(sales[0], f4="000000001100")
    await hypercom.upload(sales[1], f2=OTHER_CARD)
    await hypercom.upload(sales[1], f60=f"0200000099{' ' * 12}")

    assert "77" == (await hypercom.settle({"sales": Side(3, 60_00)}, trailer=True)).code

    assert [
        ("000001", "amount_differs"),
        ("000002", "not_uploaded"),
        ("000002", "unknown_to_host"),
        ("000003", "not_uploaded"),
        ("000099", "unknown_to_host"),
    ] == differences(host)
    assert {"sales": Side(3, 60_00)} == batch_of(host).groups


async def test_the_repeated_trailer_gets_the_same_answer(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    first = await hypercom.settle({"sales": Side(2, 30_00)}, trailer=True)
    entries = len(host.memory.entries)

    again = await hypercom.again(first)
    reckoned_anew = await hypercom.settle({"sales": Side(3, 60_00)}, trailer=True)

    assert first.answer == again.answer
    assert ("77", first.rrn) == (reckoned_anew.code, reckoned_anew.rrn)
    assert entries == len(host.memory.entries)


async def test_begun_again_after_the_close_a_balanced_batch_is_answered_00(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    """The trailer's answer was lost: some terminals begin again at 920000, with either totals."""
    for sale in sales:
        await hypercom.upload(sale)
    await hypercom.settle({"sales": Side(3, 60_00)}, trailer=True)

    for totals in (Side(2, 30_00), Side(3, 60_00)):
        assert "00" == (await hypercom.settle({"sales": totals})).code
    assert "80" == (await hypercom.settle({"sales": Side(9, 9)})).code
    assert 2 == len(batches(host))


async def test_begun_again_after_the_close_an_unbalanced_batch_is_sent_the_same_way(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    """77 to a 920000 would keep the terminal settling for ever."""
    await hypercom.settle({"sales": Side(2, 30_00)}, trailer=True)

    assert "95" == (await hypercom.settle({"sales": Side(2, 30_00)})).code
    assert "00" == (await hypercom.upload(sales[0])).code
    assert "77" == (await hypercom.settle({"sales": Side(2, 30_00)}, trailer=True)).code
    assert [("000001", "settled", "out_of_balance"), ("000002", "open", "")] == batches(host)


async def test_a_settled_batch_with_the_same_totals_is_answered_00_again(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    await hypercom.purchase(10_00)
    first = await hypercom.settle({"sales": Side(1, 10_00)})

    again = await hypercom.settle({"sales": Side(1, 10_00)})

    assert first.answer.fields | {11: again.stan} == again.answer.fields
    assert "80" == (await hypercom.settle({"sales": Side(1, 11_00)})).code
    assert 2 == len(batches(host))


async def test_a_trailer_without_an_upload_closes_the_batch(hypercom: HypercomTerminal, host: HostInProcess) -> None:
    await hypercom.purchase(10_00)

    assert "77" == (await hypercom.settle({"sales": Side(2, 20_00)}, trailer=True)).code
    assert ("000001", "settled", "out_of_balance") == batches(host)[0]
    assert [("000001", "not_uploaded")] == differences(host)


async def test_a_trailer_with_right_totals_and_no_upload_balances(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    await hypercom.purchase(10_00)

    assert "00" == (await hypercom.settle({"sales": Side(1, 10_00)}, trailer=True)).code
    assert ("000001", "settled", "balanced") == batches(host)[0]


async def test_purchases_during_an_upload_belong_to_the_next_batch(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    new = await hypercom.purchase(7_00, VISA_CARD)
    assert "00" == new.code
    assert [("000001", "uploading", ""), ("000002", "open", "")] == batches(host)
    for sale in sales:
        await hypercom.upload(sale)
    assert "00" == (await hypercom.settle({"sales": Side(3, 60_00)}, trailer=True)).code

    hypercom.batch = "000002"
    assert "00" == (await hypercom.settle({"sales": Side(1, 7_00)})).code
    assert ["000001", "000002", "000003"] == [number for number, _, _ in batches(host)]


async def test_during_an_upload_a_repeat_gets_its_answer_from_the_old_batch(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    assert sales[0].answer == (await hypercom.again(sales[0])).answer
    assert [("000001", "uploading", "")] == batches(host)

    await hypercom.purchase(7_00)
    assert sales[0].answer == (await hypercom.again(sales[0])).answer


async def test_a_purchase_whose_reversal_came_first_during_an_upload_is_refused(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    late = hypercom.purchase_message(7_00)
    assert "00" == (await hypercom.reverse(late)).code

    answer = await hypercom.line.ask(late.mti, late.fields)

    assert "12" == answer.fields[39]


async def test_the_next_batch_may_be_settled_before_the_upload_ends(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await hypercom.purchase(7_00)
    hypercom.batch = "000002"
    assert "00" == (await hypercom.settle({"sales": Side(1, 7_00)})).code
    hypercom.batch = "000001"
    for sale in sales:
        await hypercom.upload(sale)
    assert "00" == (await hypercom.settle({"sales": Side(3, 60_00)}, trailer=True)).code

    assert [
        ("000001", "settled", "balanced_after_upload"),
        ("000002", "settled", "balanced"),
        ("000003", "open", ""),
    ] == batches(host)


async def test_a_refund_the_host_never_heard_of_is_posted_by_its_upload(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    sale = await hypercom.purchase(10_00)
    assert "95" == (await hypercom.settle({"sales": Side(1, 10_00), "refunds": Side(1, 4_00)})).code
    await hypercom.upload(sale)
    unsent = hypercom.purchase_message(4_00, f3="200000")
    for _ in range(2):
        await hypercom.upload(Exchange(unsent, unsent))

    totals = {"sales": Side(1, 10_00), "refunds": Side(1, 4_00)}
    assert "00" == (await hypercom.settle(totals, trailer=True)).code
    assert totals == batch_of(host).groups
    assert 1 == len([stored for stored in host.memory.entries if stored.entry.kind == "refund"])


async def test_without_a_settlement_the_upload_of_an_unknown_offline_sale_is_posted_to_the_open_batch(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    await hypercom.purchase(10_00)
    told = hypercom.purchase_message(4_00)
    for _ in range(2):
        assert "00" == (await hypercom.upload(Exchange(told, told), f60=f"0220{told.fields[11]}{' ' * 12}")).code

    assert ("open", Side(2, 14_00)) == (batch_of(host).state, batch_of(host).groups["sales"])
    assert "00" == (await hypercom.settle({"sales": Side(2, 14_00)})).code


async def test_an_unknown_sale_is_not_posted_by_its_upload(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    unsent = hypercom.purchase_message(4_00)
    await hypercom.upload(Exchange(unsent, unsent))

    assert "77" == (await hypercom.settle({"sales": Side(4, 64_00)}, trailer=True)).code
    assert {"sales": Side(3, 60_00)} == batch_of(host).groups


async def test_a_voided_sale_need_not_be_uploaded_and_is_reported_when_it_is(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    voided, kept = await hypercom.purchase(10_00), await hypercom.purchase(20_00)
    await hypercom.void(voided)
    await hypercom.settle({"sales": Side(2, 30_00)})
    await hypercom.upload(kept)
    await hypercom.upload(voided)

    assert "77" == (await hypercom.settle({"sales": Side(1, 20_00)}, trailer=True)).code
    assert [(voided.stan, "unknown_to_host")] == differences(host)


async def test_a_record_names_its_original_in_de60_with_or_without_the_rrn(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await hypercom.upload(sales[0], f60=f"0200{sales[0].stan}{sales[0].rrn}", f3="000000")
    await hypercom.upload(sales[1], f60=f"0220{sales[1].stan}{' ' * 12}")
    await hypercom.upload(sales[2], f60=f"0200{sales[2].stan}")

    assert "00" == (await hypercom.settle({"sales": Side(3, 60_00)}, trailer=True)).code


@pytest.mark.parametrize("original", ["", "0200", "020000001", "0200ABCDEF" + " " * 12])
async def test_a_record_that_names_no_original_is_a_format_error(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess, original: str
) -> None:
    assert "30" == (await hypercom.upload(sales[0], f60=original)).code
    assert {} == batch_of(host).uploads


async def test_a_late_record_of_a_closed_batch_is_kept_and_reported(
    hypercom: HypercomTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    for sale in sales:
        await hypercom.upload(sale)
    await hypercom.settle({"sales": Side(3, 60_00)}, trailer=True)

    assert "00" == (await hypercom.upload(sales[0], f4="000000001100")).code

    assert [("000001", "amount_differs")] == differences(host)
    assert "balanced_after_upload" == batch_of(host).result


async def test_debit_accounts_have_groups_of_their_own(hypercom: HypercomTerminal) -> None:
    await hypercom.purchase(10_00)
    await hypercom.purchase(20_00, f3="002000")
    await hypercom.refund(None, 4_00, f3="201000")

    totals = {"sales": Side(1, 10_00), "debit_sales": Side(1, 20_00), "debit_refunds": Side(1, 4_00)}
    assert "00" == (await hypercom.settle(totals)).code
