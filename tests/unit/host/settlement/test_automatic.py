"""When the host settles a forgotten batch, and whether it may."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pos_host.settlement.automatic import ForgottenBatch, due_ms, judged
from pos_host.settlement.policy import Policy, load_policy

ZONES = ["Asia/Shanghai", "Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York", "America/Sao_Paulo",
         "America/St_Johns", "America/Santiago", "America/Havana", "Africa/Cairo", "Africa/Casablanca", "Asia/Tehran",
         "Asia/Beirut", "Asia/Kathmandu", "Asia/Amman", "Pacific/Apia", "Pacific/Auckland", "Australia/Lord_Howe",
         "Antarctica/Troll", "UTC"]  # fmt: skip
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
TEN_YEARS = 3653


def policy(settle: str | None = "23:30", cutoff: str = "23:00", zone: str = "Asia/Shanghai", **more: Any) -> Policy:
    settle_at = None if settle is None else time.fromisoformat(settle)
    zone_info = ZoneInfo(zone)
    return replace(
        load_policy(None), cutoff=time.fromisoformat(cutoff), auto_settle=settle_at, time_zone=zone_info, **more
    )


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def batch(
    since: str = "2026-03-02T20:00:00+08:00", debit: int = 100_00, upload: int | None = None, not_before: int = 0
) -> ForgottenBatch:
    return ForgottenBatch(at(since), debit, upload, not_before)


def result(it: ForgottenBatch, rules: Policy) -> str | None:
    found = judged(it, rules, at("2026-03-03T00:00:00+08:00"))
    return None if found is None else found.result


def test_a_host_without_a_settling_time_leaves_batches_alone() -> None:
    assert None is due_ms(batch(), policy(None))
    assert None is judged(batch(), policy(None), at("2027-01-01T00:00:00+08:00"))


@pytest.mark.parametrize(
    ("cutoff", "settle", "expected"),
    [
        ("23:00", "23:30", "2026-03-02T23:30:00+08:00"),
        ("23:00", "23:00", "2026-03-02T23:00:00+08:00"),
        ("23:00", "02:00", "2026-03-03T02:00:00+08:00"),
        ("23:00", "22:00", "2026-03-03T22:00:00+08:00"),
        ("02:00", "03:30", "2026-03-03T03:30:00+08:00"),
        ("02:00", "01:00", "2026-03-04T01:00:00+08:00"),
    ],
)
def test_it_settles_at_its_time_after_the_cutoff(cutoff: str, settle: str, expected: str) -> None:
    assert at(expected) == due_ms(batch(), policy(settle, cutoff))


def test_a_sale_after_the_cutoff_waits_for_the_end_of_its_own_day() -> None:
    late = batch("2026-03-02T23:10:00+08:00")

    assert at("2026-03-03T23:30:00+08:00") == due_ms(late, policy())


def test_nothing_is_judged_a_millisecond_early() -> None:
    moment = at("2026-03-02T23:30:00+08:00")

    assert None is judged(batch(), policy(), moment - 1)
    assert ("settled", date(2026, 3, 2), at("2026-03-03T23:30:00+08:00")) == judged(batch(), policy(), moment)


def test_what_was_judged_is_not_judged_again_before_its_next_time() -> None:
    once = batch(not_before=at("2026-03-03T23:30:00+08:00"))

    assert None is judged(once, policy(), at("2026-03-03T23:29:59+08:00"))
    again = judged(once, policy(), at("2026-03-03T23:30:00+08:00"))
    assert again is not None
    assert date(2026, 3, 3) == again.business_day


def test_the_amount_decides_between_settled_carried_over_and_held() -> None:
    rules = policy(min_amount_minor=100_00, max_amount_minor=200_00)

    found = [result(batch(debit=debit), rules) for debit in (99_99, 100_00, 200_00, 200_01)]

    assert ["carried_over", "settled", "settled", "held"] == found


def test_a_dry_run_settles_nothing_and_holds_what_it_would_hold() -> None:
    rules = policy(max_amount_minor=200_00, auto_settle_mode="dry_run")

    assert ["dry_run", "held"] == [result(batch(debit=debit), rules) for debit in (100_00, 200_01)]


def test_an_upload_under_way_is_left_alone_until_it_was_idle_for_the_grace() -> None:
    moment = at("2026-03-02T23:30:00+08:00")

    assert moment - MINUTE + HOUR == due_ms(batch(upload=moment - MINUTE), policy())
    assert moment == due_ms(batch(upload=moment - 2 * HOUR), policy())


def test_clocks_put_forward_over_the_settling_time_do_not_lose_the_day() -> None:
    """Berlin, 29 March 2026: 02:00 becomes 03:00, so 02:30 falls on 03:30; 01:00 UTC + 30 minutes."""
    rules = policy("02:30", "23:00", "Europe/Berlin")

    assert at("2026-03-29T01:30:00+00:00") == due_ms(batch("2026-03-28T12:00:00+00:00"), rules)
    assert at("2026-03-30T00:30:00+00:00") == due_ms(batch("2026-03-29T12:00:00+00:00"), rules)


def test_clocks_put_back_over_the_settling_time_settle_once() -> None:
    """Berlin, 25 October 2026: 02:30 comes twice, the first at 00:30 UTC."""
    rules = policy("02:30", "23:00", "Europe/Berlin")
    first = at("2026-10-25T00:30:00+00:00")
    sold = batch("2026-10-24T12:00:00+00:00")

    done = judged(sold, rules, first)

    assert done is not None
    assert first == due_ms(sold, rules)
    assert first + DAY + HOUR == done.not_before_ms


def noons(zone: str) -> list[int]:
    """Local noon of ten years of days. Apia left out a whole date in 2011, whose noon falls on its neighbour's."""
    first = datetime(2009, 1, 1, 12, tzinfo=ZoneInfo(zone))
    return sorted({round((first + day * timedelta(days=1)).timestamp() * 1000) for day in range(TEN_YEARS)})


@pytest.mark.slow
@pytest.mark.parametrize(("cutoff", "settle"), [("23:00", "23:30"), ("02:30", "02:45")])
@pytest.mark.parametrize("zone", ZONES)
def test_in_ten_years_each_business_day_is_settled_exactly_once_at_its_own_time(
    zone: str, cutoff: str, settle: str
) -> None:
    """A terminal sells once a day and never settles; the host looks at the moment it is due."""
    rules = policy(settle, cutoff, zone)
    not_before, settled = 0, []
    for sold_ms in noons(zone):
        forgotten = ForgottenBatch(sold_ms, 1, None, not_before)
        due = due_ms(forgotten, rules)
        assert due is not None
        assert sold_ms < due <= sold_ms + DAY - HOUR
        done = judged(forgotten, rules, due)
        assert done is not None
        settled.append(done.business_day)
        not_before = done.not_before_ms

    assert len(noons(zone)) == len(settled)
    assert sorted(set(settled)) == settled


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_looks_at_any_time_and_a_clock_that_jumps_settle_no_business_day_twice(zone: str) -> None:
    rules, chance = policy("02:15", "02:30", zone), random.Random(zone)
    now_ms, not_before, settled = noons(zone)[0], 0, []
    last = noons(zone)[-1]
    while now_ms < last:
        now_ms += chance.randrange(-9 * HOUR, 2 * DAY)
        done = judged(ForgottenBatch(now_ms - chance.randrange(3 * DAY), 1, None, not_before), rules, now_ms)
        if done is not None:
            settled.append(done.business_day)
            not_before = done.not_before_ms

    assert len(settled) > TEN_YEARS // 4
    assert sorted(set(settled)) == settled
