"""Time as an argument: the instant of a message, from the system's clock or from one that tests move."""

from __future__ import annotations

import time
from collections.abc import Callable
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
    """Where the host reads the time; an instant is in the local time of `policy`, or of the acquirer's without one."""

    def now(self, policy: Policy | None = None) -> Instant: ...

    def now_ms(self) -> int: ...


class SystemClock:
    """The machine's clock. The local texts are made once a second for each policy, since every message needs them."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._second = -1
        self._texts: dict[int, tuple[Policy, str, str, str]] = {}

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def now(self, policy: Policy | None = None) -> Instant:
        policy = policy or self._policy
        at_ms = self.now_ms()
        second = at_ms // 1000
        if second != self._second:
            self._texts = {}
            self._second = second
        texts = self._texts.get(id(policy))
        if texts is None:
            made = instant(policy, at_ms)
            # The policy stands with its texts: as long as it does, no other has its id.
            texts = self._texts[id(policy)] = (policy, made.time, made.date, made.settlement_date)
        return Instant(at_ms, *texts[1:])


class ManualClock:
    """A clock that stands still until it is moved; it never goes back.

    `moved_ms` is by how much it was moved in all, `at_move` what is called after each time.
    """

    def __init__(self, policy: Policy, start_ms: int) -> None:
        self._policy = policy
        self._at_ms = start_ms
        self.moved_ms = 0
        self.at_move: set[Callable[[], None]] = set()
        self._instants: dict[int, tuple[Policy, Instant]] = {}

    def now_ms(self) -> int:
        return self._at_ms

    def now(self, policy: Policy | None = None) -> Instant:
        policy = policy or self._policy
        known = self._instants.get(id(policy))
        if known is None:
            known = self._instants[id(policy)] = (policy, instant(policy, self._at_ms))
        return known[1]

    def move_to(self, at_ms: int) -> None:
        """Set the time; raises ValueError for a time before now."""
        if at_ms < self._at_ms:
            raise ValueError("the clock cannot go back")
        self.moved_ms += at_ms - self._at_ms
        self._at_ms = at_ms
        self._instants = {}
        for tell in tuple(self.at_move):
            tell()


def iso_utc(at_ms: int) -> str:
    """UTC milliseconds as RFC 3339 text; "" for 0, which means never."""
    if at_ms == 0:
        return ""
    stamp = datetime.fromtimestamp(at_ms / 1000, UTC)
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")
