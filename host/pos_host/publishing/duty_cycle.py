"""How much of the loop's time publishing may take from the payments that it shares the loop with."""

from __future__ import annotations

BUSY_REST_PER_WORK = 9
"""One part of work, nine of rest: a tenth of the time, which costs a saturated host a tenth of its rate."""

LONGEST_REST_S = 1.0
"""Ten times what a window of messages was ever measured to need; more would be a wrong measurement."""

COST_DRIFT = 1.001
"""How fast the cost of a message may rise from window to window: doubled after 700 windows."""


class DutyCycle:
    """Says how long to rest after some work, from the loop's own processor time.

    While messages are on their way the loop does other things too, and their time cannot be told apart.
    So the cheapest window of late says what a message costs, and a dear one is not held against publishing.
    """

    def __init__(self) -> None:
        self._cost_s: float | None = None

    def rest_s(self, messages: int, cpu_s: float, *, busy: bool) -> float:
        """Seconds to rest after `messages` messages in a window that took the loop `cpu_s` seconds."""
        if messages == 0:
            return 0.0
        cost_s = cpu_s / messages
        self._cost_s = cost_s if self._cost_s is None else min(cost_s, self._cost_s * COST_DRIFT)
        return min(messages * self._cost_s * BUSY_REST_PER_WORK, LONGEST_REST_S) if busy else 0.0
