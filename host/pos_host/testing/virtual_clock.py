"""The host's clock on virtual time."""

from __future__ import annotations

import asyncio

from pos_host.clock import Instant, instant
from pos_host.settlement.policy import Policy


class VirtualClock:
    """Reads `start_ms` (UTC milliseconds) plus the time of the running loop."""

    def __init__(self, policy: Policy, start_ms: int) -> None:
        self._policy = policy
        self._start_ms = start_ms
        self._second = -1
        self._texts = ("", "", "")

    def now_ms(self) -> int:
        return self._start_ms + round(asyncio.get_running_loop().time() * 1000)

    def now(self) -> Instant:
        at_ms = self.now_ms()
        second = at_ms // 1000
        if second != self._second:
            made = instant(self._policy, at_ms)
            self._texts = (made.time, made.date, made.settlement_date)
            self._second = second
        return Instant(at_ms, *self._texts)
