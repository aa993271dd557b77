"""Many scenarios, one after the other, each against a host that has what it needs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from pos_terminal.scenarios.loading import Scenario
from pos_terminal.scenarios.models import HostNeeds
from pos_terminal.scenarios.private_hosts import PrivateHosts
from pos_terminal.scenarios.results import Failure, Outcome
from pos_terminal.scenarios.running import Settings, live
from pos_terminal.scenarios.targets import Target, why_not_against

Tell = Callable[[Outcome], None]


def chosen(scenarios: Iterable[Scenario], tags: Sequence[str]) -> list[Scenario]:
    """Those that have one of the tags, all of them without any."""
    return [scenario for scenario in scenarios if not tags or set(tags) & set(scenario.tags)]


async def live_all(
    scenarios: Sequence[Scenario], target: Target | None, settings: Settings, tell: Tell, stop: asyncio.Event
) -> list[Outcome]:
    """Every scenario against `target`, or against private hosts; each outcome is told as it comes. Once `stop` is set
    the one under way is interrupted, and no other is begun.

    Raises HostNotStarted.
    """
    outcomes: list[Outcome] = []
    async with PrivateHosts() as hosts:

        async def lived(scenario: Scenario) -> Outcome:
            try:
                against = target or await _private(hosts, scenario, scenarios)
            except asyncio.CancelledError:
                failure = Failure(scenario.file, None, "the start of its host", ("interrupted",))
                return Outcome(scenario, "interrupted", 0.0, failure=failure)
            reason = why_not_against(scenario, against) or settings.why_not(scenario)
            if reason:
                return Outcome(scenario, "skipped", 0.0, reason=reason)
            return await live(scenario, against, settings)

        for scenario in scenarios:
            if stop.is_set():
                break
            outcomes.append(await _until_stopped(lived(scenario), stop))
            tell(outcomes[-1])
    return outcomes


async def _until_stopped(living: Coroutine[Any, Any, Outcome], stop: asyncio.Event) -> Outcome:
    """What comes of it; it is cancelled once `stop` is set."""
    life, stopping = asyncio.create_task(living), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((life, stopping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        life.cancel()  # which does nothing to one that has ended
        stopping.cancel()
    return await life


async def _private(hosts: PrivateHosts, scenario: Scenario, scenarios: Sequence[Scenario]) -> Target:
    """A host as this scenario needs it, which serves all others that need the same."""
    needs = started_for(scenario)
    alike = [other for other in scenarios if started_for(other) == needs]
    return await hosts.host(needs, dict.fromkeys(dialect for other in alike for dialect in other.dialects))


def started_for(scenario: Scenario) -> HostNeeds:
    """How a host for this scenario is started."""
    return scenario.needs.host or HostNeeds()
