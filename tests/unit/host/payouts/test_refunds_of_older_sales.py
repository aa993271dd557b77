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
