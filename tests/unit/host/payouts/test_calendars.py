"""A merchant's own calendar: dated, inherited, checked when it is agreed, and obeyed when its batches are paid."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.unit.host.payouts.test_payouts import at, only_payout, owing, payouts_of, sold_and_settled, until
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import MERCHANT

from pos_host.merchants.actors import ADMIN
from pos_host.merchants.desk import Refused
from pos_host.merchants.versions import Scope

OWN = Scope(MERCHANT)


async def agreed(host: HostInProcess, scope: Scope, valid_from: str | None = None, **values: Any) -> dict[str, Any]:
    return await host.parts.terms.calendars.put(ADMIN, scope, values, valid_from)


async def known(host: HostInProcess) -> None:
    """The merchant is on record."""
    await sold_and_settled(host, 1, terminal_id="T0000009")


async def test_a_merchants_holiday_is_skipped_and_another_merchants_is_not(host: HostInProcess) -> None:
    await known(host)
    await agreed(host, OWN, holidays=["2026-03-03"])
    await sold_and_settled(host, 1000_00)

    assert ["2026-03-03", "2026-03-04"] == [row.due_day for row in payouts_of(host)]
    others = host.parts.terms.calendar_at("another merchant", host.clock.now_ms())
    assert date(2026, 3, 3) == others.payout_day(date(2026, 3, 2))


async def test_what_the_acquirer_agreed_holds_where_the_merchant_says_nothing(host: HostInProcess) -> None:
    await known(host)
    await agreed(host, Scope(), payout_time="11:30", holidays=["2026-03-03"])
    await agreed(host, OWN, holidays=["2026-03-04"])
    await sold_and_settled(host, 1000_00)

    row = payouts_of(host)[1]
    assert ("2026-03-03", at("03 11:30")) == (row.due_day, row.due_at_ms)


async def test_a_calendar_holds_from_its_day_on(host: HostInProcess) -> None:
    await known(host)
    view = await agreed(host, OWN, "2026-03-03", days_after=2)
    assert "planned" == view["state"]
    await sold_and_settled(host, 1000_00)
    await until(host, "03 12:00")
    await sold_and_settled(host, 1000_00, terminal_id="T0000002")

    assert ["2026-03-03", "2026-03-03", "2026-03-05"] == [row.due_day for row in payouts_of(host)]


async def test_what_a_merchant_owes_waits_for_its_own_next_day(host: HostInProcess) -> None:
    await owing(host, 5_00)
    await agreed(host, Scope(only_payout(host).merchant_id), holidays=["2026-03-04"])
    await until(host, "03 09:01")

    assert "2026-03-05" == only_payout(host).due_day


@pytest.mark.parametrize(
    ("scope", "values", "text"),
    [
        (OWN, {"weekend": ["funday"]}, r"calendar of merchant .*weekend.*funday"),
        (OWN, {"holidays": [f"{month:02d}-{day:02d}" for month in (7, 8) for day in range(1, 32)]}, "nobody would"),
        (OWN, {"days": 3}, "days"),
        (Scope(MERCHANT, "T0000009"), {"days_after": 2}, "not a terminal's"),
    ],
)
async def test_what_is_no_calendar_is_refused_when_it_is_agreed(
    host: HostInProcess, scope: Scope, values: dict[str, Any], text: str
) -> None:
    await known(host)
    with pytest.raises(Refused, match=text):
        await host.parts.terms.calendars.put(ADMIN, scope, values)


async def test_a_calendar_shows_all_that_holds(host: HostInProcess) -> None:
    await known(host)
    await agreed(host, OWN, days_after=2)
    found = host.parts.terms.calendars.view(OWN, host.clock.now_ms())

    assert ({"days_after": 2}, 2, "09:00") == (
        found["values"],
        found["effective"]["days_after"],
        found["effective"]["payout_time"],
    )


async def test_calendars_stand_after_a_restart(host: HostInProcess) -> None:
    await known(host)
    await agreed(host, OWN, days_after=3)
    await host.durable()

    assert 3 == host.twin().parts.terms.calendar_at(MERCHANT, host.clock.now_ms()).days_after
