"""The days on which merchants are paid."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pos_host.money.business_calendar import (
    BusinessCalendar,
    calendar_of_tables,
    read_calendar,
    shipped_calendar,
    table_of_calendar,
)
from pos_specs.errors import DialectError

ZONES = [
    "Asia/Shanghai", "Asia/Kathmandu", "Asia/Tehran", "Asia/Jerusalem", "Asia/Dhaka", "Europe/Berlin", "Europe/London",
    "Europe/Moscow", "Europe/Istanbul", "Africa/Cairo", "Africa/Casablanca", "America/New_York", "America/Sao_Paulo",
    "America/Caracas", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Auckland",
    "Pacific/Chatham", "UTC",
]  # fmt: skip
TEN_YEARS = (date(2008, 1, 1), date(2017, 12, 31))
DAY = timedelta(1)


def calendar(tmp_path: Path, text: str) -> BusinessCalendar:
    path = tmp_path / "calendar.toml"
    path.write_text(text, "utf-8")
    return read_calendar(path)


def local(due_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(due_ms / 1000, zone)


@pytest.mark.parametrize(
    ("settled_on", "paid_on"),
    [
        ("2026-03-02", "2026-03-03"),  # Monday
        ("2026-03-06", "2026-03-09"),  # Friday
        ("2026-03-07", "2026-03-09"),
        ("2026-03-08", "2026-03-09"),
        ("2026-04-30", "2026-05-04"),  # Labour Day is a Friday
        ("2026-12-31", "2027-01-04"),
    ],
)
def test_a_payout_is_due_on_the_next_business_day(settled_on: str, paid_on: str) -> None:
    assert date.fromisoformat(paid_on) == shipped_calendar().payout_day(date.fromisoformat(settled_on))


def test_a_payout_is_due_at_the_local_time_of_the_file() -> None:
    due_ms = shipped_calendar().payout_due_ms(date(2026, 3, 2))

    assert "2026-03-03T09:00:00+08:00" == local(due_ms, ZoneInfo("Asia/Shanghai")).isoformat()


def test_a_holiday_of_one_year_is_none_in_the_next(tmp_path: Path) -> None:
    own = calendar(tmp_path, 'holidays = ["2026-02-17", "12-25"]\n')

    assert date(2026, 2, 18) == own.payout_day(date(2026, 2, 16))
    assert not own.is_business_day(date(2026, 12, 25))
    assert own.is_business_day(date(2027, 2, 17))
    assert not own.is_business_day(date(2028, 12, 25))


def test_a_weekend_that_is_worked_is_paid_on(tmp_path: Path) -> None:
    own = calendar(tmp_path, 'working_days = ["2026-10-10", "2026-10-01"]\n')

    assert date(2026, 10, 10) == own.payout_day(date(2026, 10, 9))
    assert date(2026, 10, 1) == own.payout_day(date(2026, 9, 30))


def test_a_weekend_may_be_friday_and_saturday_and_payment_three_days_later(tmp_path: Path) -> None:
    own = calendar(tmp_path, 'weekend = ["friday", "saturday"]\ndays_after = 3\n')

    assert date(2026, 3, 8) == own.payout_day(date(2026, 3, 3))


def test_a_date_that_the_zone_left_out_is_no_business_day(tmp_path: Path) -> None:
    apia = calendar(tmp_path, 'time_zone = "Pacific/Apia"\n')

    assert date(2011, 12, 30).weekday() == 4
    assert date(2012, 1, 2) == apia.payout_day(date(2011, 12, 29))


def test_a_payout_time_in_the_hour_that_is_left_out_falls_as_long_after_the_gap_began(tmp_path: Path) -> None:
    own = calendar(tmp_path, 'time_zone = "Europe/Berlin"\nweekend = []\npayout_time = "02:30"\n')

    assert "2026-03-29T03:30:00+02:00" == local(own.payout_due_ms(date(2026, 3, 28)), own.time_zone).isoformat()


def test_a_payout_time_that_comes_twice_is_the_first(tmp_path: Path) -> None:
    own = calendar(tmp_path, 'time_zone = "Europe/Berlin"\nweekend = []\npayout_time = "02:30"\n')

    assert "2026-10-25T02:30:00+02:00" == local(own.payout_due_ms(date(2026, 10, 24)), own.time_zone).isoformat()


@pytest.mark.parametrize("zone", ZONES)
def test_in_ten_years_every_day_is_paid_on_the_first_open_day_after_it(zone: str, tmp_path: Path) -> None:
    """A payout time of 00:30 meets every kind of change of clocks there is."""
    own = calendar(
        tmp_path, f'time_zone = "{zone}"\npayout_time = "00:30"\nholidays = ["01-01", "12-25", "2012-06-05"]\n'
    )
    first, last = TEN_YEARS
    day, due_before_ms = first, 0
    while day <= last:
        paid_on = own.payout_day(day)
        closed = [day + DAY * count for count in range(1, (paid_on - day).days)]
        assert paid_on > day
        assert not is_closed(paid_on, own.time_zone)
        assert all(is_closed(between, own.time_zone) for between in closed), day

        due_ms = own.payout_due_ms(day)
        due = local(due_ms, own.time_zone)
        assert paid_on == due.date()
        assert time(0, 30) == due.time() or is_in_a_gap(paid_on, own.time_zone), due
        assert due_ms >= due_before_ms
        day, due_before_ms = day + DAY, due_ms


def is_closed(day: date, zone: ZoneInfo) -> bool:
    """The calendar of the test above in other words."""
    if day.isoweekday() > 5 or day.strftime("%m-%d") in ("01-01", "12-25") or day == date(2012, 6, 5):
        return True
    return zone.key == "Pacific/Apia" and day == date(2011, 12, 30)


def is_in_a_gap(day: date, zone: ZoneInfo) -> bool:
    """Whether 00:30 is left out on `day`: it is not the same local time when it comes back from UTC."""
    wall = datetime(day.year, day.month, day.day, 0, 30, tzinfo=zone)
    return wall.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall.replace(tzinfo=None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('time_zone = "Mars/Olympus"', "calendar.toml:1: time_zone: is 'Mars/Olympus', must be an IANA time zone"),
        ('weekend = ["sunday", "caturday"]', "weekend: has 'caturday', must be of monday"),
        (
            'weekend = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]',
            "weekend: has every day of the week",
        ),
        ('holidays = ["02-30"]', "holidays: day is out of range for month"),
        ('holidays = ["Christmas"]', "a day is MM-DD or YYYY-MM-DD"),
        ('working_days = ["10-10"]', "a day is YYYY-MM-DD"),
        ("days_after = 0", "days_after: must be a whole number from 1 to 30"),
        ('payout_time = "9 am"', 'payout_time: must be a local time such as "09:00"'),
        ("pay_day = 1", "pay_day: is not a key of a calendar"),
    ],
)
def test_a_mistake_in_a_calendar_is_named_with_file_and_key(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(DialectError, match=r"^\S*calendar\.toml:1: ") as raised:
        calendar(tmp_path, text)

    assert says in str(raised.value)


def test_a_holiday_on_a_leap_day_is_allowed(tmp_path: Path) -> None:
    assert not calendar(tmp_path, 'holidays = ["02-29"]\nweekend = []\n').is_business_day(date(2028, 2, 29))


def test_a_calendar_that_never_opens_is_refused_when_it_is_read(tmp_path: Path) -> None:
    days = ", ".join(f'"{date(2026, 1, 1) + DAY * count:%m-%d}"' for count in range(365))

    with pytest.raises(DialectError, match=r"calendar.toml:1: holidays: .*nobody would be paid"):
        calendar(tmp_path, f"holidays = [{days}]\n")


def test_a_calendar_says_itself_as_its_file_would() -> None:
    calendar = calendar_of_tables([("own", {"holidays": ["02-29", "2026-03-03"], "payout_time": "10:15"})])

    assert calendar == calendar_of_tables([("again", table_of_calendar(calendar))])


@pytest.mark.parametrize("year", ["2026-", ""])
def test_a_closure_of_sixty_days_is_refused_when_it_is_read(year: str) -> None:
    closed = [f"{year}{month:02d}-{day:02d}" for month in (7, 8) for day in range(1, 32)]
    assert calendar_of_tables([("own", {"holidays": closed[:50]})]).days_after == 1
    with pytest.raises(DialectError, match=r"own.*holidays.*nobody would be paid"):
        calendar_of_tables([("own", {"holidays": closed})])
    worked = [f"2026-08-{day:02d}" for day in range(1, 10)] if year else []

    if worked:
        assert calendar_of_tables([("own", {"holidays": closed, "working_days": worked})]).working_days
