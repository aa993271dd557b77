"""What a network does to messages: delays, segments, losses, copies, cuts; drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

SEGMENT_GAP_S = 0.05
"""Longest time between two segments of one message."""


@dataclass(frozen=True)
class Weather:
    """Chances are from 0 to 1 and per message, times in seconds from shortest to longest.

    A `lost` message never arrives though its connection lives (TCP loses no bytes: it is lost in the
    concentrator above it). A `copied` one arrives again after `copy_after_s`. A `stalled` one, and all that
    is behind it on its connection, waits `stall_s`. A `cut` ends the connection with the message on the way.
    """

    delay_s: tuple[float, float] = (0.001, 0.001)
    split: float = 0.0
    stalled: float = 0.0
    stall_s: tuple[float, float] = (1.0, 60.0)
    lost: float = 0.0
    copied: float = 0.0
    copy_after_s: tuple[float, float] = (0.0, 60.0)
    cut: float = 0.0


CALM = Weather()
"""Every message arrives once, whole, after a millisecond."""


class Fates:
    """Draws what becomes of each message; the same seed and the same messages give the same fates."""

    def __init__(self, weather: Weather, chance: Random) -> None:
        self.weather = weather
        self._chance = chance

    def cut(self) -> bool:
        return self._chance.random() < self.weather.cut

    def lost(self) -> bool:
        return self._chance.random() < self.weather.lost

    def copy_after_s(self) -> float | None:
        """After how long a second copy is sent, None for never."""
        if self._chance.random() >= self.weather.copied:
            return None
        return self._chance.uniform(*self.weather.copy_after_s)

    def segments(self, data: bytes) -> list[tuple[float, bytes]]:
        """What `data` arrives in, each with its delay after the one before: whole, or cut anywhere."""
        first_s = self._delay_s()
        if len(data) < 2 or self._chance.random() >= self.weather.split:
            return [(first_s, data)]
        cuts = sorted({self._chance.randrange(1, len(data)) for _ in range(self._chance.randint(1, 3))})
        delays_s = [first_s, *(self._chance.uniform(0.0, SEGMENT_GAP_S) for _ in cuts)]
        places = zip(delays_s, [0, *cuts], [*cuts, len(data)], strict=True)
        return [(delay_s, data[start:end]) for delay_s, start, end in places]

    def _delay_s(self) -> float:
        delay_s = self._chance.uniform(*self.weather.delay_s)
        if self._chance.random() < self.weather.stalled:
            delay_s += self._chance.uniform(*self.weather.stall_s)
        return delay_s
