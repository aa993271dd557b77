"""Time as an argument: the instant of a message, from the system's clock or from one that tests move."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from pos_host.settlement.business_day import business_date, local_datetime
from pos_host.settlement.policy import Policy


class Instant(NamedTuple):
    """A moment: `at_ms` UTC milliseconds; local `time` hhmmss and `date` MMDD of the merchant;
    `settlement_date` MMDD of the business day, which turns at the cut-off."""

    at_ms: int
    time: str
    date: str
    settlement_date: str


def instant(policy: Policy, at_ms: int) -> Instant:
    """The instant `at_ms` (UTC milliseconds) in the local time and business day of `policy`."""
    local = local_datetime(policy, at_ms)
    day = business_date(policy, at_ms)
    return Instant(at_ms, f"{local:%H%M%S}", f"{local:%m%d}", f"{day:%m%d}")


class Clock(Protocol):
    """Where the host reads the time."""

    def now(self) -> Instant: ...

    def now_ms(self) -> int: ...


class SystemClock:
    """The machine's clock. The local texts are made once a second, since every message needs them."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._second = -1
        self._texts = ("", "", "")

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def now(self) -> Instant:
        at_ms = self.now_ms()
        second = at_ms // 1000
        if second != self._second:
            made = instant(self._policy, at_ms)
            self._texts = (made.time, made.date, made.settlement_date)
            self._second = second
        return Instant(at_ms, *self._texts)


class ManualClock:
    """A clock that stands still until it is moved; it never goes back."""

    def __init__(self, policy: Policy, start_ms: int) -> None:
        self._policy = policy
        self._at_ms = start_ms
        self._instant = instant(policy, start_ms)

    def now_ms(self) -> int:
        return self._at_ms

    def now(self) -> Instant:
        return self._instant

    def move_to(self, at_ms: int) -> None:
        """Set the time; raises ValueError for a time before now."""
        if at_ms < self._at_ms:
            raise ValueError("the clock cannot go back")
        self._at_ms = at_ms
        self._instant = instant(self._policy, at_ms)


def iso_utc(at_ms: int) -> str:
    """UTC milliseconds as RFC 3339 text; "" for 0, which means never."""
    if at_ms == 0:
        return ""
    stamp = datetime.fromtimestamp(at_ms / 1000, UTC)
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")
