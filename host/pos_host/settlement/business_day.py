"""The business day, which turns at the policy's cut-off and not at midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from pos_host.settlement.policy import Policy

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY = timedelta(days=1)
_NOON = time(12)

CUTOFFS_REMEMBERED = 1024
"""Cut-offs are asked for by every terminal of a fleet, on the few dates around today."""


class BusinessDay(NamedTuple):
    """One business day: its `date`, the cut-off `begins_at_ms` that began it and the one `ends_at_ms`
    that will end it, both UTC milliseconds; an instant at a cut-off belongs to the day that begins."""

    date: date
    begins_at_ms: int
    ends_at_ms: int


def local_datetime(policy: Policy, at_ms: int) -> datetime:
    """The merchant's local time of the instant `at_ms` (UTC milliseconds), with its zone."""
    return (_EPOCH + at_ms * _MILLISECOND).astimezone(policy.time_zone)


def next_cutoff_ms(policy: Policy, after_ms: int) -> int:
    """The first cut-off strictly after `after_ms`, in UTC milliseconds.

    Where the clocks are put forward over the cut-off it falls as long after the gap began as it would
    have without it; where they are put back, on the first of the two (PEP 495, fold 0).
    """
    return min(instant for instant, _ in _cutoffs_around(policy, after_ms) if instant > after_ms)


def business_date(policy: Policy, at_ms: int) -> date:
    """The business date of the instant `at_ms` (UTC milliseconds); see `business_day`."""
    return business_day(policy, at_ms).date


def business_day(policy: Policy, at_ms: int) -> BusinessDay:
    """The business day that the instant `at_ms` (UTC milliseconds) belongs to.

    A day bears the date that most of it lies on: a cut-off after noon ends the day of its own date
    (23:00), one before noon that of the date before (00:00, 02:00).
    """
    cutoffs = _cutoffs_around(policy, at_ms)
    begins_at_ms = max(instant for instant, _ in cutoffs if instant <= at_ms)
    ends_at_ms = min(instant for instant, _ in cutoffs if instant > at_ms)
    ends_on = max(local for instant, local in cutoffs if instant == ends_at_ms)
    return BusinessDay(ends_on if policy.cutoff >= _NOON else ends_on - _DAY, begins_at_ms, ends_at_ms)


def _cutoffs_around(policy: Policy, at_ms: int) -> list[tuple[int, date]]:
    """Cut-offs before and after `at_ms`, with the local dates they belong to.

    Two days on either side: a zone that crossed the date line has left out a whole date, and that
    date's cut-off then falls together with its neighbour's.
    """
    today = local_datetime(policy, at_ms).date()
    return [(_cutoff_ms(policy, day), day) for day in (today + shift * _DAY for shift in range(-2, 3))]


@lru_cache(maxsize=CUTOFFS_REMEMBERED)
def _cutoff_ms(policy: Policy, day: date) -> int:
    local = datetime.combine(day, policy.cutoff, tzinfo=policy.time_zone)
    return (local.astimezone(UTC) - _EPOCH) // _MILLISECOND
