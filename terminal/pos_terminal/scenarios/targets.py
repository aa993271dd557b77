"""The hosts that scenarios are lived against, and what each of them has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from pos_terminal.addresses import Address
from pos_terminal.scenarios.admin_api import AdminApi
from pos_terminal.scenarios.loading import Scenario
from pos_terminal.scenarios.models import HostNeeds


class Target(NamedTuple):
    """A host: where it speaks which dialect, its API (None: not known), whether its clock stands still until moved.

    `started_with` says how a private host was started, None for somebody else's.
    """

    addresses: dict[str, Address]
    api: AdminApi | None = None
    manual_clock: bool = False
    started_with: HostNeeds | None = None


def why_not_against(scenario: Scenario, target: Target) -> str:
    """Why a scenario cannot be lived against a host, "" when it can."""
    needs = scenario.needs
    missing = [name for name in scenario.dialects if name not in target.addresses]
    if missing:
        return f"the host speaks no {missing[0]}"
    if target.api is None and needs.admin != "optional" and (needs.admin or scenario.asks_the_host):
        return "needs the host's admin API (--ready-file, or --admin and --token)"
    clock = scenario.moves_the_clock if needs.manual_clock is None else needs.manual_clock
    if clock and not target.manual_clock:
        return "needs a host with a manual clock (--clock manual)"
    if needs.host is not None and needs.host != target.started_with:
        return f"needs a private host, started with --mac {needs.host.mac} --enrol {needs.host.enrol}"
    return ""


class RunClock:
    """The local time of a run's terminals: this machine's, moved along with the host's manual clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        """Local time."""
        return self._now() + self._ahead

    def follow(self, host_time: str) -> None:
        """Stand where the host's clock (ISO 8601) stands now."""
        there = datetime.fromisoformat(host_time).astimezone().replace(tzinfo=None)
        self._ahead = there - self._now()
