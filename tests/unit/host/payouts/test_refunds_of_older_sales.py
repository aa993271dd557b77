"""A refund gives back of the fee that its sale was charged, whatever was agreed since."""

from __future__ import annotations

import pytest
from tests.unit.host.payouts.test_payouts import payouts_of, settle, until
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import VISA_CARD, UnionPayTerminal, debit_credit

from pos_host.merchants.actors import ADMIN
from pos_host.merchants.versions import Scope


async def agree_on(host: HostInProcess, rate_percent: str) -> None:
    rule = {"name": "credit", "products": ["credit"], "rate_percent": rate_percent}
    await host.parts.terms.fee_schedules.put(ADMIN, Scope(), {"rule": [rule]})


@pytest.mark.parametrize("batches_between", [0, 3])
async def test_a_fee_that_was_raised_on_the_same_day_is_given_back_as_it_was(
    unionpay: UnionPayTerminal, host: HostInProcess, batches_between: int
) -> None:
    sale = await unionpay.purchase(1000_00, VISA_CARD)
    await settle(unionpay, 1, 1000_00)
    await agree_on(host, "1.00")
    for _ in range(batches_between):
        await unionpay.sign_in()
        await unionpay.purchase(1_00, VISA_CARD)
        await settle(unionpay, 1, 1_00)
    await unionpay.sign_in()
    await unionpay.refund(sale, 500_00)
    await unionpay.settle({"foreign_credit": debit_credit((1, 500_00))["domestic_debit"]})

    assert (6_00, -3_00) == (payouts_of(host)[0].fees_minor, payouts_of(host)[-1].fees_minor)


async def test_a_cutoff_that_was_moved_since_does_not_put_the_sale_on_another_day(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    sale = await unionpay.purchase(1000_00, VISA_CARD)
    await settle(unionpay, 1, 1000_00)
    await until(host, "03 12:00")
    await agree_on(host, "1.00")
    await host.parts.terms.policies.put(ADMIN, Scope(), {"cutoff": "00:05"})
    await unionpay.sign_in()
    await unionpay.refund(sale, 1000_00)
    await unionpay.settle({"foreign_credit": debit_credit((1, 1000_00))["domestic_debit"]})

    assert -6_00 == payouts_of(host)[-1].fees_minor


async def test_a_tip_told_late_is_charged_as_its_sale_was(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    sale = await unionpay.purchase(100_00, VISA_CARD)
    await host.office.settle(unionpay.ids[41], None)
    await agree_on(host, "1.00")
    named = f"000001{sale.stan}0302"
    await unionpay.upload_advice("32", "000900", VISA_CARD, 110_00, f37=sale.rrn, f61=named)

    assert 6 == payouts_of(host)[-1].fees_minor


@pytest.mark.parametrize("batches_between", [0, 20])
async def test_a_sale_told_late_is_refunded_once_and_gives_back_the_fee_that_it_was_charged(
    unionpay: UnionPayTerminal, host: HostInProcess, batches_between: int
) -> None:
    await unionpay.purchase(10_00, VISA_CARD)
    await host.office.settle(unionpay.ids[41], None)
    await agree_on(host, "1.00")
    sale = await unionpay.upload_advice("30", "000900", VISA_CARD, 1000_00)
    await agree_on(host, "2.00")
    for _ in range(batches_between):
        await unionpay.sign_in()
        await unionpay.purchase(1_00, VISA_CARD)
        await host.office.settle(unionpay.ids[41], None)
    await unionpay.sign_in()
    first, beyond, rest = [await unionpay.refund(sale, amount) for amount in (500_00, 500_01, 500_00)]
    assert ["00", "64", "00"] == [first.code, beyond.code, rest.code]
    await host.office.settle(unionpay.ids[41], None)

    rows = sorted(payouts_of(host), key=lambda row: row.changed_at_ms)
    assert [10_00] == [row.fees_minor for row in rows if row.captured_minor == 1000_00]
    assert [(1000_00, -10_00)] == [(row.refunded_minor, row.fees_minor) for row in rows if row.refunded_minor]


async def test_a_refund_told_late_of_a_sale_told_late_gives_back_its_fee(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    await unionpay.purchase(10_00, VISA_CARD)
    await host.office.settle(unionpay.ids[41], None)
    sale = await unionpay.upload_advice("30", "000900", VISA_CARD, 1000_00)
    await agree_on(host, "2.00")
    named = {"f37": sale.rrn, "f61": "0000010009000302"}
    await unionpay.upload_advice("25", "000901", VISA_CARD, 400_00, **named)

    assert (400_00, -2_40) == (payouts_of(host)[-1].refunded_minor, payouts_of(host)[-1].fees_minor)
    await unionpay.sign_in()
    assert ["64", "00"] == [(await unionpay.refund(sale, amount)).code for amount in (600_01, 600_00)]
