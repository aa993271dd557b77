"""Latencies as they come: counted per microsecond while the load runs, turned into percentiles afterwards.

Recording into an HDR histogram costs more than sending a message; an array of counters costs next to nothing.
"""

from __future__ import annotations

from array import array

from hdrh.histogram import HdrHistogram

LONGEST_US = 2_000_000
"""Latencies up to two seconds are counted exactly, longer ones as this: a terminal would be near giving up."""

HIGHEST_TRACKABLE_US = 60_000_000
SIGNIFICANT_FIGURES = 3


class LatencyCounter:
    """One counter per microsecond; `counts` is written by the load's inner loop directly."""

    def __init__(self) -> None:
        self.counts = array("L", bytes(array("L").itemsize * (LONGEST_US + 1)))

    def record(self, latency_us: int) -> None:
        """Count one latency."""
        self.counts[min(latency_us, LONGEST_US)] += 1

    def clear(self) -> None:
        """Forget what was counted so far: the warm-up."""
        self.counts = array("L", bytes(array("L").itemsize * (LONGEST_US + 1)))

    def histogram(self) -> HdrHistogram:
        """An HDR histogram of everything recorded, in microseconds."""
        histogram = HdrHistogram(1, HIGHEST_TRACKABLE_US, SIGNIFICANT_FIGURES)
        for latency_us, count in enumerate(self.counts):
            if count:
                histogram.record_value(max(latency_us, 1), count)
        return histogram
