"""The days on which merchants are paid: weekends, holidays and the time zone as data; T+1 and its instant.

Not the business day of the books, which turns at the policy's cut-off (`settlement.business_day`): that says on which
day a batch was settled, this says when its money goes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pos_specs.checked_table import CheckedTable
from pos_specs.dialect_file import DialectFile, Place, SourcedTable, read_file

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

MOST_DAYS_AFTER = 30
"""An acquirer that pays later than T+30 is a typing error."""

LONGEST_CLOSURE_DAYS = 60
"""No country's banks are closed for two months; a calendar in which they are is refused when it is read."""

_CYCLE_FROM = 2001
_CYCLE_DAYS = 28 * 366
"""After 28 years dates fall on the same weekdays again; a leap year is among them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY = timedelta(days=1)
_EVERY_YEAR = re.compile(r"[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_A_LEAP_YEAR = "2000-"


class NoBusinessDay(Exception):
    """A calendar is closed for longer than anybody waits."""


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """What a calendar file says; `weekend` holds weekdays with Monday as 0, `yearly_holidays` month and day."""

    time_zone: ZoneInfo
    weekend: frozenset[int]
    holidays: frozenset[date]
    yearly_holidays: frozenset[tuple[int, int]]
    working_days: frozenset[date]
    days_after: int
    payout_time: time

    def is_business_day(self, day: date) -> bool:
        """Whether payouts are made on `day`; a date that the zone left out (Apia, 2011-12-30) is none."""
        if self.is_closed_on(day):
            return False
        noon = datetime.combine(day, time(12), tzinfo=self.time_zone)
        return noon.astimezone(UTC).astimezone(self.time_zone).date() == day

    def is_closed_on(self, day: date) -> bool:
        """Whether the banks are closed on `day`, by its date alone."""
        if day in self.working_days:
            return False
        return day.weekday() in self.weekend or day in self.holidays or (day.month, day.day) in self.yearly_holidays

    def payout_day(self, settled_on: date) -> date:
        """The day on which a batch settled on `settled_on` is paid: T+1, `days_after` business days later.

        Raises NoBusinessDay.
        """
        day = settled_on
        for _ in range(self.days_after):
            day = self.next_business_day(day)
        return day

    def next_business_day(self, after: date) -> date:
        """The first business day after `after`; raises NoBusinessDay."""
        days = (after + count * _DAY for count in range(1, LONGEST_CLOSURE_DAYS + 1))
        found = next((day for day in days if self.is_business_day(day)), None)
        if found is None:
            raise NoBusinessDay(f"the calendar has no business day in the {LONGEST_CLOSURE_DAYS} days after {after}")
        return found

    def payout_due_ms(self, settled_on: date) -> int:
        """The instant at which that payout is due, in UTC milliseconds: `payout_time` on its day.

        Where the clocks are put forward over that time it falls as long after the gap began as it would have without
        it; where they are put back, on the first of the two (PEP 495, fold 0). Raises NoBusinessDay.
        """
        return self.payout_time_ms(self.payout_day(settled_on))

    def payout_time_ms(self, day: date) -> int:
        """The instant of `payout_time` on `day` itself, in UTC milliseconds, whether anything is paid that day."""
        local = datetime.combine(day, self.payout_time, tzinfo=self.time_zone)
        return (local.astimezone(UTC) - _EPOCH) // _MILLISECOND


@lru_cache(maxsize=1)
def shipped_calendar() -> BusinessCalendar:
    """The calendar of an acquirer that gave none."""
    return _calendar(_shipped_file(), {})


def read_calendar(path: Path) -> BusinessCalendar:
    """The calendar in the TOML file at `path` over the shipped one; raises DialectError naming file, line and key."""
    return _calendar(read_file(path), _shipped_file().table)


def calendar_of_tables(layers: Sequence[tuple[str, dict[str, Any]]]) -> BusinessCalendar:
    """The shipped calendar with what each of `layers` (a name and a table as a file would give it) says in its place,
    the widest first; raises DialectError naming the layer and the key."""
    table, calendar = _shipped_file().table, shipped_calendar()
    for name, own in layers:
        calendar = _calendar(DialectFile(name, name, None, "", own), table)
        table = table | own
    return calendar


def table_of_calendar(calendar: BusinessCalendar) -> dict[str, Any]:
    """The calendar as its file would say it, every key of it."""
    yearly = [f"{month:02d}-{day:02d}" for month, day in sorted(calendar.yearly_holidays)]
    return {
        "time_zone": calendar.time_zone.key,
        "weekend": [WEEKDAYS[day] for day in sorted(calendar.weekend)],
        "holidays": [*yearly, *(day.isoformat() for day in sorted(calendar.holidays))],
        "working_days": [day.isoformat() for day in sorted(calendar.working_days)],
        "days_after": calendar.days_after,
        "payout_time": f"{calendar.payout_time:%H:%M}",
    }


def _shipped_file() -> DialectFile:
    return read_file(resources.files("pos_host.money") / "default_calendar.toml")


def _calendar(file: DialectFile, defaults: dict[str, Any]) -> BusinessCalendar:
    table = defaults | file.table
    top = CheckedTable(SourcedTable(table, {(): Place(file, ())}), (), table)
    holidays = top.texts("holidays")
    calendar = BusinessCalendar(
        time_zone=_time_zone(top),
        weekend=_weekend(top),
        holidays=frozenset(_dates(top, "holidays", [text for text in holidays if not _EVERY_YEAR.fullmatch(text)])),
        yearly_holidays=frozenset(_yearly(top, [text for text in holidays if _EVERY_YEAR.fullmatch(text)])),
        working_days=frozenset(_dates(top, "working_days", list(top.texts("working_days")))),
        days_after=top.number("days_after", 1, MOST_DAYS_AFTER),
        payout_time=time.fromisoformat(top.matching("payout_time", _TIME, 'must be a local time such as "09:00"')),
    )
    top.done("a calendar")
    closed = _closed_too_long(calendar)
    if closed is not None:
        text = f"close every day of {LONGEST_CLOSURE_DAYS} and more around {closed}: nobody would be paid"
        raise top.fail("holidays", text)
    return calendar


def _closed_too_long(calendar: BusinessCalendar) -> date | None:
    """A day of a closure that is longer than LONGEST_CLOSURE_DAYS; None where there is none.

    Only holidays make one, and it takes many: those that come every year are looked at over all that years can begin
    with, those of one year with the days on both sides.
    """
    weekends = len(calendar.weekend) * (LONGEST_CLOSURE_DAYS // len(WEEKDAYS) + 1)
    if len(calendar.yearly_holidays) + len(calendar.holidays) < LONGEST_CLOSURE_DAYS - weekends:
        return None
    if calendar.yearly_holidays:
        first = date(_CYCLE_FROM, 1, 1)
        days = (first + count * _DAY for count in range(_CYCLE_DAYS))
        long = _first_long_run(calendar, days)
        if long is not None:
            return long
    for holiday in calendar.holidays:
        begin = max(holiday.toordinal() - LONGEST_CLOSURE_DAYS, date.min.toordinal())
        end = min(holiday.toordinal() + LONGEST_CLOSURE_DAYS, date.max.toordinal())
        if _first_long_run(calendar, (date.fromordinal(number) for number in range(begin, end + 1))) is not None:
            return holiday
    return None


def _first_long_run(calendar: BusinessCalendar, days: Iterable[date]) -> date | None:
    run = 0
    for day in days:
        run = run + 1 if calendar.is_closed_on(day) else 0
        if run >= LONGEST_CLOSURE_DAYS:
            return day
    return None


def _time_zone(top: CheckedTable) -> ZoneInfo:
    name = top.text("time_zone")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found; not a name; a folder of the database
        raise top.fail("time_zone", f'is {name!r}, must be an IANA time zone such as "Asia/Shanghai"') from None


def _weekend(top: CheckedTable) -> frozenset[int]:
    names = top.texts("weekend")
    if unknown := [name for name in names if name not in WEEKDAYS]:
        raise top.fail("weekend", f"has {unknown[0]!r}, must be of {', '.join(WEEKDAYS)}")
    if len(set(names)) == len(WEEKDAYS):
        raise top.fail("weekend", "has every day of the week: nobody would ever be paid")
    return frozenset(WEEKDAYS.index(name) for name in names)


def _dates(top: CheckedTable, key: str, texts: list[str]) -> list[date]:
    try:
        return [date.fromisoformat(text) for text in texts]
    except ValueError as error:
        also = "MM-DD or " if key == "holidays" else ""
        raise top.fail(key, f"{error}; a day is {also}YYYY-MM-DD") from None


def _yearly(top: CheckedTable, texts: list[str]) -> list[tuple[int, int]]:
    days = _dates(top, "holidays", [_A_LEAP_YEAR + text for text in texts])
    return [(day.month, day.day) for day in days]
