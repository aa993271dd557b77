"""0500 with DE66, 74 to 77, 86 to 89 and 97."""

from __future__ import annotations

from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import Iso87Terminal

from pos_specs.totals import Side, write_iso87


def batches(host: HostInProcess) -> list[tuple[str, str, str]]:
    return [(batch.number, batch.state, batch.result) for batch in host.book("I0000001").batches]


async def test_equal_totals_close_the_batch_in_balance(iso87: Iso87Terminal, host: HostInProcess) -> None:
    sale = await iso87.purchase(100_00)
    await iso87.refund(sale, 30_00)

    settled = await iso87.settle({"debits": Side(1, 100_00), "credits": Side(1, 30_00)})

    assert "0510" == settled.answer.mti
    assert {
        7: "0302120000",
        11: settled.stan,
        12: "200500",
        13: "0302",
        15: "0302",
        39: "00",
        41: "I0000001",
        42: "898310000000001",
        66: "1",
        74: "0000000001",
        75: "0000000000",
        76: "0000000001",
        77: "0000000000",
        86: "0000000000003000",
        87: "0000000000000000",
        88: "0000000000010000",
        89: "0000000000000000",
        97: "D0000000000007000",
    } == settled.answer.fields
    assert [("000001", "settled", "balanced"), ("000002", "open", "")] == batches(host)


async def test_unequal_totals_close_the_batch_too_with_the_hosts(iso87: Iso87Terminal, host: HostInProcess) -> None:
    await iso87.purchase(100_00)

    settled = await iso87.settle({"debits": Side(2, 150_00)})

    assert ("00", "2") == (settled.code, settled.answer.fields[66])
    assert ("0000000001", "0000000000010000", "D0000000000010000") == tuple(
        settled.answer.fields[number] for number in (76, 88, 97)
    )
    assert [("000001", "settled", "out_of_balance"), ("000002", "open", "")] == batches(host)


async def test_refunds_above_purchases_settle_to_the_cardholders_side(iso87: Iso87Terminal) -> None:
    await iso87.refund(None, 30_00)

    settled = await iso87.settle({"credits": Side(1, 30_00)})

    assert ("1", "C0000000000003000") == (settled.answer.fields[66], settled.answer.fields[97])


async def test_reversals_stand_apart(iso87: Iso87Terminal) -> None:
    sale = await iso87.purchase(100_00)
    await iso87.reverse(sale.request)
    refund = await iso87.refund(None, 30_00)
    await iso87.reverse(refund.request)

    settled = await iso87.settle(
        {
            "debits": Side(1, 100_00),
            "debits_reversal": Side(1, 100_00),
            "credits": Side(1, 30_00),
            "credits_reversal": Side(1, 30_00),
        }
    )

    assert ("1", "C" + "0" * 16) == (settled.answer.fields[66], settled.answer.fields[97])


async def test_a_terminal_that_knows_nothing_of_a_reversed_sale_balances(iso87: Iso87Terminal) -> None:
    await iso87.reverse((await iso87.purchase(100_00)).request)
    await iso87.purchase(5_00)

    assert "1" == (await iso87.settle({"debits": Side(1, 5_00)})).answer.fields[66]


async def test_a_voided_sale_is_a_debit_reversal(iso87: Iso87Terminal) -> None:
    await iso87.void(await iso87.purchase(100_00))

    totals = {"debits": Side(1, 100_00), "debits_reversal": Side(1, 100_00)}
    assert "1" == (await iso87.settle(totals)).answer.fields[66]


async def test_absent_reversal_totals_are_zero(iso87: Iso87Terminal) -> None:
    await iso87.purchase(5_00)

    settled = await iso87.settle({"debits": Side(1, 5_00)}, f75=None, f77=None, f87=None, f89=None)

    assert "1" == settled.answer.fields[66]


async def test_a_net_that_does_not_follow_from_the_totals_is_a_format_error(
    iso87: Iso87Terminal, host: HostInProcess
) -> None:
    await iso87.purchase(5_00)
    for net in ("C0000000000000500", "D0000000000000501", "C" + "0" * 16):
        settled = await iso87.settle({"debits": Side(1, 5_00)}, f97=net)
        assert ("30", "3") == (settled.code, settled.answer.fields[66])

    assert [("000001", "open", "")] == batches(host)
    assert "1" == (await iso87.settle({"debits": Side(1, 5_00)})).answer.fields[66]


async def test_a_net_of_zero_may_have_either_sign(iso87: Iso87Terminal) -> None:
    for sign in "CD":
        assert "1" == (await iso87.settle({}, f97=sign + "0" * 16)).answer.fields[66]


async def test_a_settlement_without_its_net_is_a_format_error(iso87: Iso87Terminal) -> None:
    settled = await iso87.settle({}, f97=None)

    assert ("30", "3") == (settled.code, settled.answer.fields[66])


async def test_the_same_message_again_gets_the_same_answer(iso87: Iso87Terminal, host: HostInProcess) -> None:
    await iso87.purchase(100_00)
    for totals in (Side(2, 150_00), Side(0, 0)):
        first = await iso87.settle({"debits": totals})
        entries = len(host.memory.entries)

        assert first.answer == (await iso87.again(first)).answer
        assert entries == len(host.memory.entries)


async def test_the_same_totals_with_another_stan_get_the_same_answer_while_nothing_was_sold(
    iso87: Iso87Terminal, host: HostInProcess
) -> None:
    await iso87.purchase(100_00)
    first = await iso87.settle({"debits": Side(1, 100_00)})

    again = await iso87.settle({"debits": Side(1, 100_00)})

    assert first.answer.fields | {11: again.stan} == again.answer.fields
    assert 2 == len(batches(host))


async def test_the_same_totals_on_the_next_day_close_the_next_batch(iso87: Iso87Terminal, host: HostInProcess) -> None:
    for _ in range(2):
        await iso87.purchase(100_00)
        assert "1" == (await iso87.settle({"debits": Side(1, 100_00)})).answer.fields[66]

    assert ["settled", "settled", "open"] == [state for _, state, _ in batches(host)]


async def test_a_reconciliation_may_come_as_an_advice(iso87: Iso87Terminal, host: HostInProcess) -> None:
    await iso87.purchase(100_00)
    fields = {
        7: "0302120000",
        11: iso87.next_stan(),
        12: "200500",
        13: "0302",
        **write_iso87({"debits": Side(1, 100_00)}),
    }

    told = await iso87.send("0520", fields, {})

    assert ("0530", "00", "1") == (told.answer.mti, told.code, told.answer.fields[66])
    assert [("000001", "settled", "balanced"), ("000002", "open", "")] == batches(host)
