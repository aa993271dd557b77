"""One seed: a host, terminals of all dialects, bad weather, crashes, failing commits; and the judgement after it."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from tests.simulation.oracle import differences, digest, recovery_differences, settled_by_host
from tests.simulation.simulated_terminal import Habits, SimulatedTerminal

from pos_host.ledger.posting import CLOSED_BATCHES_KEPT
from pos_host.settlement.policy import load_policy
from pos_host.testing.crashing_journal import CrashPoint
from pos_host.testing.virtual_host import VirtualHost
from pos_host.testing.virtual_loop import run_virtually
from pos_host.testing.virtual_network import VirtualNetwork
from pos_host.testing.weather import Weather
from pos_specs.language import open_language
from pos_terminal.memory import Memory

DIALECTS = ("unionpay", "hypercom", "iso87-ascii")
START = datetime(2026, 3, 2, 22, 15, tzinfo=ZoneInfo("Asia/Shanghai"))
"""A quarter of an hour before the shipped policy calls an open batch due, so that flags come and go."""

START_MS = int(START.timestamp() * 1000)
ROUGHNESS = (0.0, 0.3, 1.0)
STORM = 4.0
"""How bad the weather of a day can be, and of a stormy one."""

SETTLES_AT = time(4)
"""When the host settles on an automatic day: the terminals have gone home."""

UNTIL_SETTLED_S = 6 * 3600.0
"""From the start to a quarter past that, in which the host may still die or fail to commit."""

QUIET_S = 600.0
"""After the last terminal's last word, so long that nothing is on its way any more."""


@dataclass
class Outcome:
    """What came of a seed; `wrong` is empty after a good day."""

    seed: int
    wrong: list[str]
    digest: str
    exchanges: int
    entries: int
    crashes: int
    failed_commits: int
    power_cuts: int
    virtual_s: float
    settled_by_host: int = 0


class Simulation:
    """The world of one seed. `tell` hears of everything that happens, with its virtual time.

    A `stormy` one has the worst weather, and terminals in such a hurry that copies of their messages are
    still on the way when their batch is closed already; but none closes more batches than a book remembers.
    In an `automatic` one the host settles at night what its terminals left open, among the same harm.
    """

    def __init__(
        self,
        seed: int,
        tell: Callable[[str], None] = lambda line: None,
        *,
        stormy: bool = False,
        automatic: bool = False,
    ) -> None:
        self.seed = seed
        self._automatic = automatic
        self.wrong: list[str] = []
        self._tell_line = tell
        self._stormy = stormy
        chance = Random(seed)
        self._chance = chance
        self._network = VirtualNetwork(_weather(STORM if stormy else chance.choice(ROUGHNESS)), f"{seed}/network")
        languages = {("host", 1 + number): open_language(name) for number, name in enumerate(DIALECTS)}
        self._host = VirtualHost(
            self._network,
            languages,
            replace(load_policy(None), auto_settle=SETTLES_AT) if automatic else load_policy(None),
            start_ms=START_MS,
            commit_s=chance.choice((0.0, 0.002, 0.02)),
        )
        self._terminals = [self._terminal(number, chance) for number in range(1, chance.randint(3, 5) + 1)]

    def run(self) -> Outcome:
        """Live through the day on a virtual loop of its own."""
        with structlog.testing.capture_logs(processors=(self._hear,)):
            run_virtually(self._live())
        journal = self._host.journal
        return Outcome(
            self.seed,
            self.wrong,
            digest(journal),
            sum(terminal.exchanges for terminal in self._terminals),
            len(journal.entries),
            self._host.crashes,
            journal.failed,
            sum(terminal.power_cuts for terminal in self._terminals),
            self._virtual_s,
            settled_by_host(journal),
        )

    async def _live(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: self._note_exception(context.get("exception")))
        try:
            await self._day()
            self.wrong += differences(self._host.journal, self._host.registry, self._terminals)
        except Exception as error:
            self._note_exception(error)
        self._virtual_s = loop.time()

    async def _day(self) -> None:
        """Until every terminal has lived its day, the host is up, and nothing is on its way any more."""
        self._host.start()
        harm = asyncio.create_task(self._harm())
        await asyncio.gather(*(terminal.live() for terminal in self._terminals))
        if self._automatic:
            await asyncio.sleep(max(0.0, UNTIL_SETTLED_S - asyncio.get_running_loop().time()))
        harm.cancel()
        with suppress(asyncio.CancelledError):
            await harm
        self._host.journal.crash_next = None
        if not self._host.up:
            self._host.start()
        await asyncio.sleep(QUIET_S)

    def _note_exception(self, error: BaseException | None) -> None:
        self.wrong.append("".join(traceback.format_exception(error)) if error else "something broke in the loop")

    async def _harm(self) -> None:
        """Crashes at any moment, crashes in the middle of a commit, and commits that fail."""
        chance, host = Random(f"{self.seed}/harm"), self._host
        while True:
            await asyncio.sleep(chance.expovariate(1 / 600))
            kind = chance.choice(("crash", "before", "after", "fail", "fail"))
            self._tell(f"harm: {kind}")
            if kind == "fail":
                host.journal.fail_next = chance.randint(1, 3)
                continue
            if kind == "crash":
                host.crash()
            else:
                host.journal.crash_next = CrashPoint.BEFORE_COMMIT if kind == "before" else CrashPoint.AFTER_COMMIT
                while host.up:  # noqa: ASYNC110 - a second of virtual time costs nothing
                    await asyncio.sleep(1)
            if kind != "after":
                self.wrong += [f"at a crash: {line}" for line in recovery_differences(host.registry, host.journal)]
            await asyncio.sleep(chance.uniform(0.1, 90))
            host.start()

    def _terminal(self, number: int, chance: Random) -> SimulatedTerminal:
        dialect = chance.choice(DIALECTS)
        memory = Memory(
            dialect,
            f"T{(number + 1) // 2:07d}",
            f"89831000000000{number % 2}",
            stan=chance.choice((0, 999_990)),
            invoice=chance.choice((0, 999_990)),
            batch_number="000041" if dialect == "hypercom" else "000001",
        )
        habits = Habits(
            batches=chance.randint(1, CLOSED_BATCHES_KEPT if self._stormy else 3),
            transactions=chance.randint(2, 10),
            pause_s=20.0 if self._stormy else 240.0,
            pause_before_settling_s=2.0 if self._stormy else 600.0,
            last_left_open=chance.random() < 0.3,
            disagrees=chance.choice((0.0, 0.3)),
            send_again=chance.choice((0.0, 0.3)),
            power_cut=chance.choice((0.0, 0.01)),
        )
        address = ("host", 1 + DIALECTS.index(dialect))
        own = Random(f"{self.seed}/terminal {number}")
        return SimulatedTerminal(
            open_language(dialect), memory, habits, self._network, address, _local_time, own, self._tell
        )

    def _hear(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """What the host logs; an error that is no failed commit is its own mistake."""
        said = [f"{key}={value}" for key, value in event.items() if key not in ("event", "part") and value]
        self._tell(f"host: {event['event']} {' '.join(said)}")
        if method == "error" and event.get("reason") not in ("the commit failed", "NotKept"):
            self.wrong.append(f"internal error: {event}")
        return event

    def _tell(self, text: str) -> None:
        self._tell_line(f"{asyncio.get_running_loop().time():10.3f}  {text}")


def _weather(rough: float) -> Weather:
    """At roughness 1 every tenth message or so comes to harm."""
    return Weather(
        delay_s=(0.001, 0.2),
        split=0.3,
        stalled=0.03 * rough,
        stall_s=(1.0, 60.0),
        lost=0.04 * rough,
        copied=0.04 * rough,
        copy_after_s=(0.0, 60.0),
        cut=0.02 * rough,
    )


def _local_time() -> datetime:
    return (START + timedelta(seconds=asyncio.get_running_loop().time())).astimezone(UTC)
