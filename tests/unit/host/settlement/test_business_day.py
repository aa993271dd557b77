from dataclasses import replace
from datetime import UTC, date, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pos_host.settlement.business_day import business_date, business_day, local_datetime, next_cutoff_ms
from pos_host.settlement.policy import Policy, load_policy

ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Apia",
         "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]  # fmt: skip
HOUR, DAY = 3_600_000, 86_400_000
APIA_LOST_A_DAY_MS = 1_325_239_200_000  # 2011-12-30 10:00 UTC


def policy(cutoff: str = "23:00", zone: str = "Asia/Shanghai") -> Policy:
    return replace(load_policy(None), cutoff=time.fromisoformat(cutoff), time_zone=ZoneInfo(zone))


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_the_next_cutoff_is_this_evenings() -> None:
    assert at("2026-03-02T23:00:00+08:00") == next_cutoff_ms(policy(), at("2026-03-02T20:00:00+08:00"))


def test_the_cutoff_after_a_cutoff_is_tomorrows() -> None:
    assert at("2026-03-03T23:00:00+08:00") == next_cutoff_ms(policy(), at("2026-03-02T23:00:00+08:00"))


def test_the_business_date_turns_exactly_at_the_cutoff() -> None:
    assert date(2026, 3, 2) == business_date(policy(), at("2026-03-02T22:59:59.999+08:00"))
    assert date(2026, 3, 3) == business_date(policy(), at("2026-03-02T23:00:00+08:00"))
    assert date(2026, 3, 3) == business_date(policy(), at("2026-03-03T00:00:00+08:00"))


@pytest.mark.parametrize("cutoff", ["00:00", "02:30"])
def test_a_cutoff_after_midnight_ends_the_day_before(cutoff: str) -> None:
    assert date(2026, 3, 2) == business_date(policy(cutoff), at("2026-03-02T12:00:00+08:00"))
    assert date(2026, 3, 2) == business_date(policy(cutoff), at("2026-03-02T23:59:00+08:00"))
    assert date(2026, 3, 3) == business_date(policy(cutoff), at("2026-03-03T02:30:00+08:00"))


def test_a_business_day_knows_when_it_began_and_ends() -> None:
    day = business_day(policy(), at("2026-03-02T12:00:00+08:00"))

    assert at("2026-03-01T23:00:00+08:00") == day.begins_at_ms
    assert at("2026-03-02T23:00:00+08:00") == day.ends_at_ms


def test_local_time_is_the_merchants_to_the_millisecond() -> None:
    local = local_datetime(policy(), at("2026-03-02T15:00:00.007+00:00"))

    assert "2026-03-02T23:00:00.007+08:00" == local.isoformat(timespec="milliseconds")


def test_a_cutoff_in_the_hour_that_is_left_out_falls_as_long_after_the_gap_began() -> None:
    berlin = policy("02:30", "Europe/Berlin")

    assert at("2026-03-29T03:30:00+02:00") == next_cutoff_ms(berlin, at("2026-03-28T12:00:00+01:00"))


def test_a_cutoff_in_the_hour_that_comes_twice_falls_in_the_first_and_only_there() -> None:
    berlin = policy("02:30", "Europe/Berlin")
    first = next_cutoff_ms(berlin, at("2026-10-24T12:00:00+02:00"))

    assert at("2026-10-25T02:30:00+02:00") == first
    assert at("2026-10-26T02:30:00+01:00") == next_cutoff_ms(berlin, first)


def test_a_date_that_the_zone_left_out_has_no_business_day() -> None:
    apia = policy("23:00", "Pacific/Apia")
    evening = at("2011-12-29T23:30:00-10:00")

    assert at("2011-12-31T23:00:00+14:00") == next_cutoff_ms(apia, evening)
    assert date(2011, 12, 31) == business_date(apia, evening)


instants = st.integers(at("2000-01-01T00:00:00+00:00"), at("2040-01-01T00:00:00+00:00"))
cutoffs = st.times().map(lambda cutoff: cutoff.replace(microsecond=0).isoformat())


@given(instants, cutoffs, st.sampled_from(ZONES))
@example(APIA_LOST_A_DAY_MS, "23:00:00", "Pacific/Apia")
@example(at("2018-11-04T03:00:00+00:00"), "00:30:00", "America/Sao_Paulo")
def test_a_cutoff_ends_the_day_that_it_is_the_next_cutoff_of(at_ms: int, cutoff: str, zone: str) -> None:
    chosen = policy(cutoff, zone)
    cutoff_ms = next_cutoff_ms(chosen, at_ms)
    day = business_day(chosen, at_ms)

    assert at_ms < cutoff_ms
    assert 0 < cutoff_ms - at_ms <= 49 * HOUR
    assert day.begins_at_ms <= at_ms < day.ends_at_ms == cutoff_ms
    assert day.date == business_date(chosen, cutoff_ms - 1) < business_date(chosen, cutoff_ms)
    assert cutoff_ms == business_day(chosen, cutoff_ms).begins_at_ms


@given(instants, cutoffs, st.sampled_from(ZONES))
def test_the_business_date_never_goes_back(at_ms: int, cutoff: str, zone: str) -> None:
    chosen = policy(cutoff, zone)
    dates = [business_date(chosen, at_ms + hour * HOUR) for hour in range(0, 72, 5)]

    assert all(earlier <= later for earlier, later in pairwise(dates))


@given(instants, cutoffs, st.sampled_from(ZONES))
def test_a_cutoff_shows_its_local_time_unless_the_clocks_were_put_forward(at_ms: int, cutoff: str, zone: str) -> None:
    chosen = policy(cutoff, zone)
    local = local_datetime(chosen, next_cutoff_ms(chosen, at_ms))
    naive = datetime.combine(local.date(), chosen.cutoff, tzinfo=chosen.time_zone)
    in_a_gap = naive.astimezone(UTC).astimezone(chosen.time_zone).time() != chosen.cutoff

    assert in_a_gap or local.time() == chosen.cutoff
