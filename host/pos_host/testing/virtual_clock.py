"""The host's clock on virtual time."""

from __future__ import annotations

import asyncio

from pos_host.clock import SystemClock
from pos_host.settlement.policy import Policy


class VirtualClock(SystemClock):
    """Reads `start_ms` (UTC milliseconds) plus the time of the running loop."""

    def __init__(self, policy: Policy, start_ms: int) -> None:
        super().__init__(policy)
        self._start_ms = start_ms

    def now_ms(self) -> int:
        return self._start_ms + round(asyncio.get_running_loop().time() * 1000)
