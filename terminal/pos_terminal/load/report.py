"""What a load run measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.table import Table

DRIVER_BUSY = 0.9
"""Above this share of a core the driver itself may be what limits the rate."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """One run. Latencies in milliseconds; with a rate, from the time a request was due.

    `in_time` of the `messages` were answered before the run ended. `codes` counts answers by response
    code, `wrong` those that did not belong to their request,
    `unanswered` requests without answer when the run ended, `unsent` those due that no terminal was free for.
    `driver_cpu_share` is the driver's own CPU time as a share of one core.
    """

    terminals: int
    seconds: float
    messages: int
    in_time: int
    codes: Mapping[str, int]
    wrong: int
    unanswered: int
    unsent: int
    disconnected: int
    driver_cpu_share: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float

    @property
    def rate(self) -> float:
        """Answers a second; those that came after the last shot do not count."""
        return self.in_time / self.seconds if self.seconds else 0.0

    @property
    def driver_limited(self) -> bool:
        """True when the rate may be the driver's and not the host's."""
        return self.driver_cpu_share > DRIVER_BUSY

    def to_json(self) -> dict[str, Any]:
        """One document for `load --json`."""
        return {
            "terminals": self.terminals,
            "seconds": round(self.seconds, 3),
            "messages": self.messages,
            "rate": round(self.rate, 1),
            "codes": dict(sorted(self.codes.items())),
            "latency_ms": {
                "p50": self.p50_ms,
                "p90": self.p90_ms,
                "p99": self.p99_ms,
                "p999": self.p999_ms,
                "max": self.max_ms,
            },
            "wrong": self.wrong,
            "unanswered": self.unanswered,
            "unsent": self.unsent,
            "disconnected": self.disconnected,
            "driver_cpu_share": round(self.driver_cpu_share, 3),
        }

    def table(self) -> Table:
        """The run at a glance."""
        table = Table(title=f"{self.terminals} terminals, {self.seconds:.1f} s", title_justify="left")
        table.add_column("what")
        table.add_column("", justify="right")
        table.add_row("messages a second", f"{self.rate:,.0f}")
        for code, count in sorted(self.codes.items()):
            table.add_row(f"answered {code}", f"{count:,}")
        for name in ("wrong", "unanswered", "unsent", "disconnected"):
            if getattr(self, name):
                table.add_row(name, f"{getattr(self, name):,}")
        for name in ("p50", "p90", "p99", "p999", "max"):
            table.add_row(f"latency {name}", f"{getattr(self, f'{name}_ms'):.2f} ms")
        limited = " (the rate may be the driver's)" if self.driver_limited else ""
        table.add_row("driver's CPU", f"{self.driver_cpu_share:.0%} of a core{limited}")
        return table
