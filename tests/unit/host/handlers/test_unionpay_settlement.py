from __future__ import annotations

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import (
    MERCHANT,
    UNIONPAY_CARD,
    VISA_CARD,
    Exchange,
    UnionPayTerminal,
    debit_credit,
)

from pos_specs.totals import Side, parse_unionpay


def codes(settled: Exchange) -> str:
    """The reconciliation codes: digit 30, and digit 61 where there is one."""
    return settled.answer.fields[48][30::31]


def states(host: HostInProcess) -> list[tuple[str, str, str]]:
    return [(batch.number, batch.state, batch.result) for batch in host.book("T0000001").batches]


async def test_equal_totals_close_the_batch_with_code_1(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    sale = await unionpay.purchase(100_00)
    await unionpay.refund(sale, 30_00)
    sent = debit_credit((1, 100_00), (1, 30_00))

    settled = await unionpay.settle(sent)

    assert "0510" == settled.answer.mti
    assert {
        11: settled.stan,
        12: "200000",
        13: "0302",
        15: "0302",
        32: "00010000",
        37: "000001000003",
        41: "T0000001",
        42: MERCHANT,
        48: "000000010000001" + "000000003000001" + "1" + "0" * 30 + "1",
        49: "156",
        60: "00000001201",
        63: "01 ",
    } == settled.answer.fields
    assert [("000001", "settled", "balanced"), ("000002", "open", "")] == states(host)


async def test_an_empty_batch_balances(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    assert "11" == codes(await unionpay.settle(debit_credit()))


async def test_different_totals_are_answered_with_the_hosts_and_code_2(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    await unionpay.purchase(100_00)

    settled = await unionpay.settle(debit_credit((2, 150_00)))

    assert "21" == codes(settled)
    assert Side(1, 100_00) == parse_unionpay(settled.answer.fields[48])["domestic_debit"]
    assert 39 not in settled.answer.fields
    assert [("000001", "uploading", "")] == states(host)


async def test_each_half_has_its_own_code(unionpay: UnionPayTerminal) -> None:
    await unionpay.purchase(100_00, UNIONPAY_CARD)
    await unionpay.purchase(50_00, VISA_CARD)
    right, right_abroad = debit_credit((1, 100_00)), debit_credit((1, 50_00), half="foreign")
    wrong, wrong_abroad = debit_credit((1, 99_00)), debit_credit((1, 49_00), half="foreign")

    assert "12" == codes(await unionpay.settle({**right, **wrong_abroad}))
    assert "21" == codes(await unionpay.settle({**wrong, **right_abroad}))
    assert "22" == codes(await unionpay.settle({**wrong, **wrong_abroad}))
    assert "11" == codes(await unionpay.settle({**right, **right_abroad}))


async def test_where_the_foreign_half_is_all_zeros_the_sum_of_both_is_compared(unionpay: UnionPayTerminal) -> None:
    await unionpay.purchase(100_00, UNIONPAY_CARD)
    await unionpay.purchase(50_00, VISA_CARD)

    assert "22" == codes(await unionpay.settle(debit_credit((1, 100_00))))
    assert "11" == codes(await unionpay.settle(debit_credit((2, 150_00))))


async def test_a_foreign_half_with_an_amount_and_no_count_is_not_all_zeros(unionpay: UnionPayTerminal) -> None:
    await unionpay.purchase(100_00)

    assert "12" == codes(
        await unionpay.settle({**debit_credit((1, 100_00)), **debit_credit((0, 5_00), half="foreign")})
    )


async def test_31_digits_hold_both_halves_as_one(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    await unionpay.purchase(100_00, UNIONPAY_CARD)
    await unionpay.purchase(50_00, VISA_CARD)

    unbalanced = await unionpay.settle(debit_credit((1, 1)), digits=31)
    balanced = await unionpay.settle(debit_credit((2, 150_00)), digits=31)

    assert "000000015000002" + "0" * 15 + "2" == unbalanced.answer.fields[48]
    assert "000000015000002" + "0" * 15 + "1" == balanced.answer.fields[48]
    assert ("000001", "settled", "balanced") == states(host)[0]


async def test_a_voided_sale_is_debit_and_credit(unionpay: UnionPayTerminal) -> None:
    await unionpay.void(await unionpay.purchase(100_00))

    assert "11" == codes(await unionpay.settle(debit_credit((1, 100_00), (1, 100_00))))


async def test_a_reversed_sale_counts_nowhere(unionpay: UnionPayTerminal) -> None:
    await unionpay.reverse((await unionpay.purchase(100_00)).request)

    assert "11" == codes(await unionpay.settle(debit_credit()))


async def test_the_same_totals_again_get_the_same_answer_whatever_the_stan(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    await unionpay.purchase(100_00)
    first = await unionpay.settle(debit_credit((1, 100_00)))
    entries = len(host.memory.entries)
    host.clock.move_to(host.clock.now_ms() + 3_600_000)

    again = await unionpay.settle(debit_credit((1, 100_00)))

    assert first.answer.fields | {11: again.stan} == again.answer.fields
    assert entries == len(host.memory.entries)
    assert 2 == len(states(host))


async def test_other_totals_for_a_closed_batch_cannot_be_judged(unionpay: UnionPayTerminal) -> None:
    await unionpay.purchase(100_00)
    await unionpay.settle(debit_credit((1, 100_00)))

    refused = await unionpay.settle(debit_credit((1, 99_00)))

    assert ("77", "33") == (refused.code, codes(refused))


async def test_a_batch_nobody_knows_cannot_be_judged(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    await unionpay.sign_in()

    refused = await unionpay.settle(debit_credit((1, 1_00)), f60="00000777201")

    assert ("77", "33") == (refused.code, codes(refused))
    assert Side(1, 1_00) == parse_unionpay(refused.answer.fields[48])["domestic_debit"]


@pytest.mark.parametrize("totals", ["0" * 30, "0" * 61, "0" * 63, "1"])
async def test_totals_of_another_length_are_a_format_error(
    unionpay: UnionPayTerminal, host: HostInProcess, totals: str
) -> None:
    refused = await unionpay.settle(debit_credit(), f48=totals)

    assert ("30", "33") == (refused.code, codes(refused))
    assert [("000001", "open", "")] == states(host)


@pytest.mark.parametrize("absent", ["f48", "f49", "f11"])
async def test_a_settlement_that_lacks_an_element_is_answered_30_with_code_3(
    unionpay: UnionPayTerminal, absent: str
) -> None:
    refused = await unionpay.settle(debit_credit(), **{absent: None})

    assert ("30", "33") == (refused.code, codes(refused))


async def test_a_settlement_without_an_operator_is_served(unionpay: UnionPayTerminal) -> None:
    assert "11" == codes(await unionpay.settle(debit_credit(), f63=None))


async def test_unequal_totals_sent_twice_get_the_same_answer(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    await unionpay.purchase(100_00)
    first = await unionpay.settle(debit_credit((2, 150_00)))
    entries = len(host.memory.entries)

    again = await unionpay.settle(debit_credit((2, 150_00)))

    assert first.answer.fields | {11: again.stan} == again.answer.fields
    assert entries == len(host.memory.entries)


async def test_a_corrected_settlement_closes_a_batch_whose_upload_was_asked_for(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    await unionpay.purchase(100_00)
    await unionpay.settle(debit_credit((2, 150_00)))

    assert "11" == codes(await unionpay.settle(debit_credit((1, 100_00))))
    assert [("000001", "settled", "balanced"), ("000002", "open", "")] == states(host)


async def test_during_an_upload_a_purchase_is_not_allowed_now(unionpay: UnionPayTerminal) -> None:
    await unionpay.purchase(100_00)
    await unionpay.settle(debit_credit((2, 150_00)))

    answered = [
        (await unionpay.purchase(1_00, f60=f"22{number}000500")).code for number in ("000001", "000002", "000003")
    ]

    assert ["58", "58", "77"] == answered


async def test_during_an_upload_a_repeat_still_gets_its_answer(unionpay: UnionPayTerminal) -> None:
    sale = await unionpay.purchase(100_00)
    await unionpay.settle(debit_credit((2, 150_00)))

    assert sale.answer == (await unionpay.again(sale)).answer


async def test_after_the_settlement_the_old_number_trades_no_more_and_the_next_does(
    unionpay: UnionPayTerminal,
) -> None:
    await unionpay.settle(debit_credit())

    assert "77" == (await unionpay.purchase(1_00)).code
    unionpay.batch = "000002"
    assert "00" == (await unionpay.purchase(1_00)).code


async def test_a_count_over_999_is_shown_as_999(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    line = unionpay.line
    messages = [unionpay.purchase_message(1_00) for _ in range(1001)]
    for start in range(0, len(messages), 250):
        part = messages[start : start + 250]
        await line.ask_raw(b"".join(line.bytes_of(message) for message in part), expect=len(part))

    settled = await unionpay.settle(debit_credit((1, 1_00)))

    assert "21" == codes(settled)
    assert Side(999, 1001_00) == parse_unionpay(settled.answer.fields[48])["domestic_debit"]
    host.asked.clear()


async def test_an_amount_over_twelve_digits_is_shown_as_all_nines(unionpay: UnionPayTerminal) -> None:
    for _ in range(2):
        await unionpay.purchase(999_999_999_999)

    settled = await unionpay.settle(debit_credit((2, 1)))

    assert Side(2, 999_999_999_999) == parse_unionpay(settled.answer.fields[48])["domestic_debit"]
