"""Latencies as they come: counted per microsecond while the load runs, turned into percentiles afterwards.

Recording into an HDR histogram costs more than sending a message; an array of counters costs next to nothing.
"""

from __future__ import annotations

from array import array

from hdrh.histogram import HdrHistogram

COUNTED_US = 2_000_000
"""Latencies below two seconds have a counter each; the few longer ones are kept as they are."""

HIGHEST_TRACKABLE_US = 3_600_000_000
SIGNIFICANT_FIGURES = 3


class LatencyCounter:
    """One counter per microsecond; `counts` is written by the load's inner loop directly."""

    def __init__(self) -> None:
        self.counts = array("L", bytes(array("L").itemsize * COUNTED_US))
        self._longer: list[int] = []

    def record(self, latency_us: int) -> None:
        """Count one latency of any length."""
        if latency_us < COUNTED_US:
            self.counts[latency_us] += 1
        else:
            self._longer.append(latency_us)

    def histogram(self) -> HdrHistogram:
        """An HDR histogram of everything recorded, in microseconds."""
        histogram = HdrHistogram(1, HIGHEST_TRACKABLE_US, SIGNIFICANT_FIGURES)
        for latency_us, count in enumerate(self.counts):
            if count:
                histogram.record_value(max(latency_us, 1), count)
        for latency_us in self._longer:
            histogram.record_value(min(latency_us, HIGHEST_TRACKABLE_US))
        return histogram
