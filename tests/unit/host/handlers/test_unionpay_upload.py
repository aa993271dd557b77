"""0320 of every kind, and how the upload ends."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import (
    OTHER_CARD,
    UNIONPAY_CARD,
    VISA_CARD,
    Exchange,
    UnionPayTerminal,
    debit_credit,
)

Found = list[tuple[str, str]]


def batch_of(host: HostInProcess, number: str = "000001") -> Any:
    return host.book("T0000001").batch_numbered(number)


def result(host: HostInProcess) -> str:
    return str(batch_of(host).result)


def differences(host: HostInProcess) -> Found:
    return [(item["stan"], item["kind"]) for item in batch_of(host).discrepancies]


def record(sale: Exchange) -> tuple[str, str, int]:
    return sale.stan, sale.request.fields[2], sale.amount_minor


@pytest.fixture
async def sales(unionpay: UnionPayTerminal) -> list[Exchange]:
    """Three sales; the terminal's totals have one more."""
    made = [await unionpay.purchase(amount) for amount in (10_00, 20_00, 30_00)]
    settled = await unionpay.settle(debit_credit((4, 99_00)))
    assert "21" == settled.answer.fields[48][30::31]
    return made


async def test_a_complete_upload_balances_the_batch(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    uploaded = await unionpay.upload(*[record(sale) for sale in sales])
    ended = await unionpay.end_upload(3)

    assert ("0330", "00", uploaded.request.fields[48]) == (
        uploaded.answer.mti,
        uploaded.code,
        uploaded.answer.fields[48],
    )
    assert ("0330", "00", "0003") == (ended.answer.mti, ended.code, ended.answer.fields[48])
    assert ("balanced_after_upload", []) == (result(host), differences(host))
    assert "000002" == host.book("T0000001").batches[-1].number


async def test_records_come_in_any_order_and_more_than_once(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    for some in (sales[2:], sales[:1], sales[1:], sales[2:]):
        assert "00" == (await unionpay.upload(*[record(sale) for sale in some])).code
    await unionpay.end_upload(3)

    assert "balanced_after_upload" == result(host)


async def test_eight_records_fit_into_one_message(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    sales = [await unionpay.purchase(amount) for amount in range(1, 9)]
    await unionpay.settle(debit_credit())

    assert "00" == (await unionpay.upload(*[record(sale) for sale in sales])).code
    await unionpay.end_upload(8)
    assert "balanced_after_upload" == result(host)


async def test_voids_are_uploaded_as_records_too(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    sale = await unionpay.purchase(10_00)
    void = await unionpay.void(sale)
    await unionpay.settle(debit_credit())
    await unionpay.upload(record(sale))
    await unionpay.end_upload(1)

    assert ("out_of_balance", [(void.stan, "not_uploaded")]) == (result(host), differences(host))


async def test_what_was_never_uploaded_is_reported(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.upload(record(sales[0]))
    ended = await unionpay.end_upload(1)

    assert "00" == ended.code
    assert "out_of_balance" == result(host)
    assert [("000002", "not_uploaded"), ("000003", "not_uploaded")] == differences(host)


async def test_another_amount_is_reported_and_the_hosts_stands(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.upload(record(sales[0]), record(sales[1]), (sales[2].stan, UNIONPAY_CARD, 31_00))
    await unionpay.end_upload(3)

    (found,) = batch_of(host).discrepancies
    assert ("amount_differs", "000003", 31_00, 30_00) == (
        found["kind"],
        found["stan"],
        found["terminal"]["amount_minor"],
        found["host"]["amount_minor"],
    )
    assert 60_00 == batch_of(host).groups["domestic_debit"].amount_minor


async def test_a_record_the_host_does_not_know_is_reported_and_not_posted(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.upload(*[record(sale) for sale in sales], ("000099", UNIONPAY_CARD, 39_00))
    await unionpay.end_upload(4)

    assert ("out_of_balance", [("000099", "unknown_to_host")]) == (result(host), differences(host))
    assert 3 == batch_of(host).groups["domestic_debit"].count


async def test_a_record_of_another_card_is_unknown_and_the_hosts_not_uploaded(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.upload(record(sales[0]), record(sales[1]), (sales[2].stan, OTHER_CARD, 30_00))
    await unionpay.end_upload(3)

    assert [("000003", "not_uploaded"), ("000003", "unknown_to_host")] == differences(host)


async def test_a_reversed_sale_that_is_uploaded_is_reported_with_what_the_host_knows(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    sale = await unionpay.purchase(10_00)
    await unionpay.reverse(sale.request)
    await unionpay.settle(debit_credit((1, 10_00)))
    await unionpay.upload(record(sale))
    await unionpay.end_upload(1)

    (found,) = batch_of(host).discrepancies
    assert ("unknown_to_host", True) == (found["kind"], found["host"]["reversed"])


async def test_only_the_disputed_half_must_be_uploaded(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    home, abroad = await unionpay.purchase(10_00), await unionpay.purchase(20_00, VISA_CARD)
    settled = await unionpay.settle({**debit_credit((1, 10_00)), **debit_credit((1, 21_00), half="foreign")})
    assert "12" == settled.answer.fields[48][30::31]

    await unionpay.upload(record(abroad))
    await unionpay.end_upload(1)

    assert ("balanced_after_upload", []) == (result(host), differences(host))
    assert home.stan not in batch_of(host).uploads


async def test_the_disputed_half_is_missed_when_it_is_not_uploaded(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    home, _ = await unionpay.purchase(10_00), await unionpay.purchase(20_00, VISA_CARD)
    settled = await unionpay.settle({**debit_credit((1, 11_00)), **debit_credit((1, 20_00), half="foreign")})
    assert "21" == settled.answer.fields[48][30::31]

    await unionpay.end_upload(0)

    assert ("out_of_balance", [(home.stan, "not_uploaded")]) == (result(host), differences(host))


async def test_the_undisputed_half_may_be_uploaded_too(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    home, abroad = await unionpay.purchase(10_00), await unionpay.purchase(20_00, VISA_CARD)
    await unionpay.settle({**debit_credit((1, 11_00)), **debit_credit((1, 20_00), half="foreign")})

    await unionpay.upload(record(home), record(abroad))
    await unionpay.end_upload(2)

    assert ("balanced_after_upload", []) == (result(host), differences(host))


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "00",
        "01",
        "02" + "00" + "000001" + "0" * 20 + "0" * 12,
        "01" + "00" + "000001" + "0" * 20 + "0" * 11,
        "00" + "00" + "000001" + "0" * 20 + "0" * 12,
        "09" + ("00" + "000001" + "0" * 20 + "0" * 12) * 8,
    ],
)
async def test_details_whose_count_does_not_fit_are_a_format_error(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess, text: str
) -> None:
    assert "30" == (await unionpay.upload(f48=text)).code
    assert {} == batch_of(host).uploads


async def test_more_details_than_the_element_holds_are_a_format_error(
    unionpay: UnionPayTerminal, sales: list[Exchange]
) -> None:
    """Nine records are 362 digits; the dialect's own codec refuses to write them, so the bytes are made by hand."""
    eight = unionpay.message(
        "0320",
        {11: "000500", 48: "08" + "0" * 320, 60: f"00{unionpay.batch}201"},
        {},
    )
    data = bytearray(unionpay.line.bytes_of(eight))
    at = data.index(bytes.fromhex("032208"))
    data[at : at + 2] = bytes.fromhex("0362")
    data[at + 2 : at + 2] = bytes(20)
    data[0:2] = (len(data) - 2).to_bytes(2, "big")

    (answer,) = await unionpay.line.ask_raw(bytes(data))

    assert ("0330", "30") == (answer.mti, answer.fields[39])


@pytest.mark.parametrize("count", ["", "1", "003", "00003"])
async def test_an_end_whose_count_has_not_four_digits_is_a_format_error(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess, count: str
) -> None:
    assert "30" == (await unionpay.end_upload(0, f48=count)).code
    assert "uploading" == batch_of(host).state


async def test_a_refund_is_uploaded_as_it_was(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    sale = await unionpay.purchase(10_00)
    refund = await unionpay.refund(sale, 4_00)
    await unionpay.settle(debit_credit())
    await unionpay.upload(record(sale))

    uploaded = await unionpay.upload_advice("25", refund.stan, UNIONPAY_CARD, 4_00, f37=sale.rrn, f63="CUP")
    await unionpay.end_upload(2)

    answered = {number: uploaded.answer.fields[number] for number in (3, 4, 11, 39)}
    assert {3: "200000", 4: "000000000400", 11: refund.stan, 39: "00"} == answered
    assert "balanced_after_upload" == result(host)


async def test_a_refund_the_host_never_heard_of_is_posted_by_its_upload_once(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    sale = await unionpay.purchase(10_00)
    await unionpay.settle(debit_credit((1, 10_00), (1, 4_00)))
    await unionpay.upload(record(sale))
    for _ in range(2):
        await unionpay.upload_advice("25", "000077", UNIONPAY_CARD, 4_00, f37=sale.rrn, f61=f"000001{sale.stan}0302")
    await unionpay.end_upload(2)

    assert "balanced_after_upload" == result(host)
    assert (1, 4_00) == batch_of(host).groups["domestic_credit"]
    unionpay.batch = "000002"
    assert "64" == (await unionpay.refund(sale, 6_01)).code


@pytest.mark.parametrize("kind", ["24", "30", "32", "34", "36"])
async def test_what_an_advice_alone_tells_of_is_posted_once(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess, kind: str
) -> None:
    await unionpay.upload(*[record(sale) for sale in sales])
    for _ in range(2):
        assert "00" == (await unionpay.upload_advice(kind, "000088", UNIONPAY_CARD, 39_00, f38="123456")).code
    await unionpay.end_upload(4)

    assert ("balanced_after_upload", []) == (result(host), differences(host))
    assert (4, 99_00) == batch_of(host).groups["domestic_debit"]


async def test_an_uploaded_adjust_changes_the_sale_it_names(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    named = {"f37": sales[0].rrn, "f61": f"000001{sales[0].stan}0302", "f38": "123456"}
    await unionpay.upload(*[record(sale) for sale in sales[1:]])
    for _ in range(2):
        await unionpay.upload_advice("32", "000088", UNIONPAY_CARD, 12_00, **named)
    await unionpay.end_upload(3)

    assert ("balanced_after_upload", []) == (result(host), differences(host))
    assert (3, 62_00) == batch_of(host).groups["domestic_debit"]


async def test_an_adjust_that_came_before_is_uploaded_in_place_of_its_sale(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    sale = await unionpay.purchase(10_00)
    adjust = await unionpay.adjust(sale, 12_00)
    await unionpay.settle(debit_credit((1, 99_00)))
    await unionpay.upload_advice("32", adjust.stan, UNIONPAY_CARD, 12_00)
    await unionpay.end_upload(1)

    assert ("balanced_after_upload", []) == (result(host), differences(host))
    assert (1, 12_00) == batch_of(host).groups["domestic_debit"]


async def test_the_record_of_an_adjust_goes_before_that_of_its_sale(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    sale = await unionpay.purchase(10_00)
    adjust = await unionpay.adjust(sale, 12_00)
    await unionpay.settle(debit_credit((1, 99_00)))
    await unionpay.upload_advice("32", adjust.stan, UNIONPAY_CARD, 12_00)
    await unionpay.upload(record(sale))
    await unionpay.end_upload(2)

    assert ("balanced_after_upload", []) == (result(host), differences(host))


async def test_an_adjust_that_came_before_with_another_amount_is_reported(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    sale = await unionpay.purchase(10_00)
    adjust = await unionpay.adjust(sale, 12_00)
    await unionpay.settle(debit_credit((1, 99_00)))
    await unionpay.upload_advice("32", adjust.stan, UNIONPAY_CARD, 13_00, f61=f"000001{sale.stan}0302")
    await unionpay.end_upload(1)

    assert ("out_of_balance", [(sale.stan, "amount_differs")]) == (result(host), differences(host))
    assert (1, 12_00) == batch_of(host).groups["domestic_debit"]


async def test_an_uploaded_adjust_of_a_voided_sale_is_reported_and_not_posted(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    sale = await unionpay.purchase(10_00)
    void = await unionpay.void(sale)
    await unionpay.settle(debit_credit((1, 12_00)))
    await unionpay.upload(record(sale), record(void))
    await unionpay.upload_advice("32", "000088", UNIONPAY_CARD, 12_00, f61=f"000001{sale.stan}0302")
    await unionpay.end_upload(3)

    assert ("out_of_balance", [("000088", "unknown_to_host")]) == (result(host), differences(host))


async def test_an_uploaded_completion_advice_completes_its_authorisation(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    auth = await unionpay.auth(50_00)
    await unionpay.settle(debit_credit((1, 48_00)))
    await unionpay.upload_advice(
        "24", "000088", UNIONPAY_CARD, 48_00, f38=auth.answer.fields[38], f61=f"000001{auth.stan}0302"
    )
    await unionpay.end_upload(1)

    assert "balanced_after_upload" == result(host)
    (row,) = host.book("T0000001").authorisations.values()
    assert ("completed", 48_00) == (row.state, row.completed_minor)


@pytest.mark.parametrize("code", ["203", "205"])
async def test_chip_details_match_by_their_original_stan(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess, code: str
) -> None:
    for sale in sales:
        uploaded = await unionpay.upload_chip(code, *record(sale))
        assert ("00", sale.stan) == (uploaded.code, uploaded.answer.fields[11])
    await unionpay.end_upload(3)

    assert "balanced_after_upload" == result(host)


async def test_a_failed_chip_transaction_is_no_difference(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.upload(*[record(sale) for sale in sales])
    for code in ("204", "206"):
        assert "00" == (await unionpay.upload_chip(code, "000091", UNIONPAY_CARD, 5_00)).code
    assert "00" == (await unionpay.upload_chip("206", "000092", UNIONPAY_CARD, 5_00, f62=None)).code
    await unionpay.end_upload(3)

    assert ("balanced_after_upload", []) == (result(host), differences(host))


async def test_a_chip_transaction_with_an_arpc_error_moved_its_money(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.upload(*[record(sale) for sale in sales[1:]])
    accepted = "71" + "00" + "05" + "000000001000" + "156" + "2" + "0"
    await unionpay.upload_chip("206", *record(sales[0]), f62=accepted.encode().hex().upper())
    await unionpay.end_upload(3)

    assert "balanced_after_upload" == result(host)


async def test_a_failed_record_does_not_stand_for_a_sale_that_the_host_has(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.upload(*[record(sale) for sale in sales[1:]])
    await unionpay.upload_chip("206", *record(sales[0]))
    await unionpay.end_upload(3)

    assert [(sales[0].stan, "not_uploaded")] == differences(host)


async def test_after_a_balanced_settlement_chip_records_and_the_end_are_kept_with_the_closed_batch(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    sale = await unionpay.purchase(10_00)
    await unionpay.settle(debit_credit((1, 10_00)))

    for code in ("203", "204"):
        assert "00" == (await unionpay.upload_chip(code, *record(sale))).code
    assert "00" == (await unionpay.end_upload(1, "207")).code

    assert ("balanced", []) == (result(host), differences(host))
    assert [sale.stan] == list(batch_of(host).uploads)


async def test_a_late_record_of_a_closed_batch_is_kept_and_reported(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    sale = await unionpay.purchase(10_00)
    await unionpay.settle(debit_credit((1, 10_00)))

    assert "00" == (await unionpay.upload(("000099", UNIONPAY_CARD, 5_00))).code
    assert "00" == (await unionpay.upload_chip("203", sale.stan, UNIONPAY_CARD, 11_00)).code
    assert "00" == (await unionpay.upload_advice("25", "000098", UNIONPAY_CARD, 1_00)).code

    assert [("000001", "amount_differs"), ("000098", "unknown_to_host"), ("000099", "unknown_to_host")] == sorted(
        differences(host)
    )
    assert ("balanced", (1, 10_00)) == (result(host), batch_of(host).groups["domestic_debit"])
    assert (0, 0) == batch_of(host).groups.get("domestic_credit", (0, 0))


async def test_a_late_record_is_reported_once(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    await unionpay.settle(debit_credit())
    for _ in range(3):
        await unionpay.upload(("000099", UNIONPAY_CARD, 5_00))

    assert [("000099", "unknown_to_host")] == differences(host)


async def test_the_end_sent_twice_closes_once(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    first = await unionpay.end_upload(0)
    entries = len(host.memory.entries)

    again = await unionpay.again(first)

    assert first.answer == again.answer
    assert entries == len(host.memory.entries)
    assert "00" == (await unionpay.end_upload(0)).code
    assert 2 == len(host.book("T0000001").batches)


async def test_a_terminal_that_begins_again_after_the_close_is_sent_the_same_way(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    """The answer to its 202 was lost: it settles again, uploads again and ends again; nothing changes."""
    await unionpay.upload(*[record(sale) for sale in sales])
    await unionpay.end_upload(3)

    settled = await unionpay.settle(debit_credit((4, 99_00)))
    assert "21" == settled.answer.fields[48][30::31]
    assert 39 not in settled.answer.fields
    assert "00" == (await unionpay.upload(*[record(sale) for sale in sales])).code
    assert "00" == (await unionpay.end_upload(3)).code

    assert ("balanced_after_upload", []) == (result(host), differences(host))
    assert ["000001", "000002"] == [batch.number for batch in host.book("T0000001").batches]


async def test_an_upload_resumes_on_another_connection(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    await unionpay.upload(record(sales[0]))
    unionpay.line.hang_up()
    unionpay.line = host.connect("unionpay")
    await unionpay.upload(record(sales[1]), record(sales[2]))
    await unionpay.end_upload(3)

    assert "balanced_after_upload" == result(host)


async def test_a_reversal_may_come_during_the_upload(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    assert "00" == (await unionpay.reverse(sales[0].request)).code
    await unionpay.upload(record(sales[1]), record(sales[2]))
    await unionpay.end_upload(2)

    assert "balanced_after_upload" == result(host)


async def test_an_upload_for_a_batch_nobody_knows_is_refused(
    unionpay: UnionPayTerminal, sales: list[Exchange], host: HostInProcess
) -> None:
    unionpay.batch = "000777"

    assert "25" == (await unionpay.upload(record(sales[0]))).code
    assert "25" == (await unionpay.end_upload(1)).code
    assert "uploading" == batch_of(host).state


async def test_an_uploaded_refund_that_fits_no_purchase_stands_alone(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    sale = await unionpay.purchase(10_00)
    await unionpay.settle(debit_credit((1, 10_00), (1, 4_00)))
    await unionpay.upload(record(sale))
    named = {"f37": sale.rrn, "f61": f"000001{sale.stan}0302"}
    await unionpay.upload_advice("25", "000077", OTHER_CARD, 4_00, **named)
    await unionpay.end_upload(2)

    assert "balanced_after_upload" == result(host)
    unionpay.batch = "000002"
    assert "00" == (await unionpay.refund(sale, 10_00)).code
