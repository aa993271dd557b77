"""Many scenarios, one after the other, each against a host that has what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pos_terminal.scenarios.loading import Scenario
from pos_terminal.scenarios.models import HostNeeds
from pos_terminal.scenarios.private_hosts import PrivateHosts
from pos_terminal.scenarios.results import Outcome
from pos_terminal.scenarios.running import Settings, live
from pos_terminal.scenarios.targets import Target, why_not_against

Tell = Callable[[Outcome], None]


def chosen(scenarios: Iterable[Scenario], tags: Sequence[str]) -> list[Scenario]:
    """Those that have one of the tags, all of them without any."""
    return [scenario for scenario in scenarios if not tags or set(tags) & set(scenario.tags)]


async def live_all(
    scenarios: Sequence[Scenario], target: Target | None, settings: Settings, tell: Tell
) -> list[Outcome]:
    """Every scenario against `target`, or against private hosts; each outcome is told as it comes.

    Raises HostNotStarted.
    """
    outcomes: list[Outcome] = []
    async with PrivateHosts() as hosts:
        for scenario in scenarios:
            against = target or await _private(hosts, scenario, scenarios)
            reason = why_not_against(scenario, against) or settings.why_not(scenario)
            outcome = Outcome(scenario, "skipped", 0.0, reason=reason)
            if not reason:
                outcome = await live(scenario, against, settings)
            outcomes.append(outcome)
            tell(outcome)
    return outcomes


async def _private(hosts: PrivateHosts, scenario: Scenario, scenarios: Sequence[Scenario]) -> Target:
    """A host as this scenario needs it, which serves all others that need the same."""
    needs = started_for(scenario)
    alike = [other for other in scenarios if started_for(other) == needs]
    return await hosts.host(needs, dict.fromkeys(dialect for other in alike for dialect in other.dialects))


def started_for(scenario: Scenario) -> HostNeeds:
    """How a host for this scenario is started."""
    return scenario.needs.host or HostNeeds()
