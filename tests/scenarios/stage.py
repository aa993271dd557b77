"""Where tests live scenarios: private hosts, started once each, and a loop that all of them share."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from random import Random

from tests.patience import HANGING_S

from pos_terminal.scenarios.loading import Scenario, load_file
from pos_terminal.scenarios.models import HostNeeds
from pos_terminal.scenarios.private_hosts import PrivateHosts
from pos_terminal.scenarios.results import Outcome
from pos_terminal.scenarios.running import Settings, live
from pos_terminal.scenarios.suite import started_for
from pos_terminal.scenarios.targets import RunClock, Target

SHIPPED = Path(__file__).parents[2] / "scenarios"
DIALECTS = ("unionpay", "hypercom", "iso87-ascii")


class Stage:
    """Hosts as scenarios need them. `runner` keeps the loop on which the hosts were started."""

    def __init__(self, runner: asyncio.Runner, hosts: PrivateHosts) -> None:
        self._runner = runner
        self._hosts = hosts

    def host(self, needs: HostNeeds | None = None) -> Target:
        """The host that was started so."""
        return self._runner.run(self._hosts.host(needs or HostNeeds(), DIALECTS))

    def live(self, scenario: Scenario, target: Target | None = None, patience_s: float = HANGING_S) -> Outcome:
        """What comes of a scenario, against its own host or another one.

        One that fails because something never comes waits for it `patience_s` long, for an answer ten times as long.
        """
        settings = Settings(RunClock(datetime.now), Random(), min(10 * patience_s, HANGING_S), patience_s=patience_s)
        return self._runner.run(live(scenario, target or self.host(started_for(scenario)), settings))

    def ask(self, method: str, path: str, body: object = None) -> None:
        """Have the usual host do something over its API."""
        api = self.host().api
        assert api is not None
        self._runner.run(api.done(method, path, body))


def shipped(name: str, row: str = "") -> Scenario:
    """A shipped scenario by its path without suffix; of several rows the one that begins so."""
    scenarios = load_file(SHIPPED / f"{name}.yaml")
    return next(scenario for scenario in scenarios if scenario.row.startswith(row))
