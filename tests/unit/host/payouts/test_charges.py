"""Fixed charges on a running host: taken once on their day, and netted with what is paid."""

from __future__ import annotations

import json
from datetime import date

from tests.unit.host.payouts.test_payouts import payout_events, payouts_of, sold_and_settled, until
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import verified

from pos_host.ledger.merchant import MERCHANT
from pos_host.ledger.records import record
from pos_host.merchants.actors import ADMIN, HOST
from pos_host.merchants.desk import Subject, Written
from pos_host.merchants.versions import Scope

RENT = {"name": "rent", "amount_minor": 5_000, "currency": "CNY", "day_of_month": 10}


async def charging(host: HostInProcess) -> None:
    await host.parts.terms.fee_schedules.put(ADMIN, Scope(), {"charge": [RENT]})


async def test_a_rent_is_taken_once_on_its_day_and_netted(host: HostInProcess) -> None:
    await charging(host)
    await until(host, "09 12:00")
    await sold_and_settled(host, 1000_00)
    assert 1 == len(payouts_of(host))
    await until(host, "11 12:00")

    sale, rent = payouts_of(host)
    assert ["made", "made"] == [sale.state, rent.state]
    assert (50_00, -50_00, "2026-03-10") == (rent.charges_minor, rent.net_minor, rent.business_day)
    assert ["payout.pending", "payout.pending", "payout.made", "payout.made"] == payout_events(host)


async def test_a_rent_without_sales_is_carried_over_from_day_to_day(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    await charging(host)
    await until(host, "12 12:00")

    rent = payouts_of(host)[1]
    assert ("pending", ["net_below_zero"], "2026-03-13") == (rent.state, json.loads(rent.reasons), rent.due_day)


async def test_a_host_that_was_down_on_the_day_takes_the_rent_afterwards_and_once(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    await charging(host)
    await until(host, "08 12:00")
    for day in ("11 10:00", "12 10:00"):
        host = host.twin()
        await host.journal.set_mark("charged_through", date(2026, 3, 8).toordinal())  # the same days once more
        await until(host, day)

    assert 1 == sum(row.charges_minor > 0 for row in payouts_of(host))
    assert 0 == verified(host)["differences"]


async def test_a_closed_merchant_pays_no_rent(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    await charging(host)
    await until(host, "08 12:00")
    merchant_id = payouts_of(host)[0].merchant_id
    closed = record(MERCHANT, merchant_id, merchant_id, "closed", host.clock.now_ms(), {})
    await host.desk.act(HOST, "payout.make", Subject("a merchant"), lambda now_ms: Written((closed,)))
    await until(host, "12 12:00")

    assert 1 == len(payouts_of(host))
