"""The terminal's clock: the dates and times that it sends are those that the host has told it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from pos_host.certification.checks.check import Check
from pos_host.certification.observed import Observed
from pos_host.certification.parameters import Parameters
from pos_host.certification.story import Story, closes_batch
from pos_specs.message import Message
from pos_specs.tlv import TlvError, parse_tlv

TIME, DATE, ICC_DATA, ORIGINAL = 12, 13, 55, 61

LEAP_YEAR = 2000
"""MMDD says no year: moments are compared within one that has every date."""

YEAR = timedelta(days=366)

ZONES = timedelta(days=1)
"""By how much a date may differ from that of UTC, wherever the terminal stands."""


class Said(NamedTuple):
    """A date (MMDD) that a terminal sent, the time (hhmmss) with it, "" without, and where both stood."""

    where: str
    date: str
    time: str


class HostTime(Check):
    """DE12 and DE13 of a request, the date of the original in DE61 and the chip's date (tag 9A) are the host's, give or
    take `most` minutes: of now, or of an answer that was heard. Before the first such answer nothing is judged."""

    TAKES = frozenset({"most"})

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._tolerance = timedelta(minutes=parameters.most)
        self._told_dates: set[str] = set()
        self._told: set[datetime] = set()

    def see(self, story: Story, seen: Observed) -> None:
        now = None if seen.reply is None else _moment(seen.reply)
        if self._told_dates:
            for said in _said_in(seen):
                self._judge(said, seen, now)
        if closes_batch(seen):
            self._told = set()  # what later messages name of an older batch they name by its date
        if now is not None and seen.heard == "yes":
            self._told_dates.add(f"{now:%m%d}")
            self._told.add(now)

    def _judge(self, said: Said, seen: Observed, now: datetime | None) -> None:
        told = self._told if now is None else {now, *self._told}
        if said.time:
            moment = _moment_of(said.date, said.time)
            right = moment is not None and any(_apart(moment, known) <= self._tolerance for known in told)
        else:
            around = [] if now is None else [now - self._tolerance, now, now + self._tolerance]
            right = said.date in self._told_dates.union(f"{known:%m%d}" for known in around)
        text = f"{said.where} says {said.date} {said.time}".rstrip()
        if right:
            self.pass_(f"{text}, as the host", seen)
        else:
            self.fail(f"{text}; the host has told another {'time' if said.time else 'date'}", seen)


def _said_in(seen: Observed) -> Iterator[Said]:
    """Every date that a message tells, where it is told at all."""
    fields = seen.fields
    if fields.get(DATE) and fields.get(TIME):
        yield Said("DE12 and DE13", fields[DATE], fields[TIME])
    elif fields.get(DATE):
        yield Said("DE13", fields[DATE], "")
    original = (seen.exchange.language.parts.of(seen.request, ORIGINAL) or {}).get("original_date")
    if isinstance(original, str) and original.strip("0 "):
        yield Said("DE61", original, "")
    chip = _chip_date(fields.get(ICC_DATA, ""))
    if chip is not None:
        year_fits = abs(chip - datetime.fromtimestamp(seen.exchange.at_ms / 1000, UTC).date()) <= YEAR / 2 + ZONES
        yield Said("tag 9A", f"{chip:%m%d}" if year_fits else f"{chip:%Y%m%d}", "")


def _chip_date(icc_data: str) -> date | None:
    """Tag 9A of DE55, None where there is none that is a date."""
    try:
        text = dict(parse_tlv(bytes.fromhex(icc_data))).get("9A", "")
        return datetime.strptime(text, "%y%m%d").date() if text else None
    except (TlvError, ValueError):
        return None


def _moment(message: Message) -> datetime | None:
    return _moment_of(message.fields.get(DATE, ""), message.fields.get(TIME, ""))


def _moment_of(date: str, time: str) -> datetime | None:
    """MMDD and hhmmss within the leap year; None where they are no date and time."""
    if not (len(date) == 4 and len(time) == 6 and f"{date}{time}".isdecimal()):
        return None
    try:
        return datetime(LEAP_YEAR, int(date[:2]), int(date[2:]), int(time[:2]), int(time[2:4]), int(time[4:]))
    except ValueError:
        return None


def _apart(one: datetime, other: datetime) -> timedelta:
    """How far two moments are apart, across the year's end too."""
    apart = abs(one - other)
    return min(apart, YEAR - apart)


CHECKS: dict[str, type[Check]] = {"host_time": HostTime}
