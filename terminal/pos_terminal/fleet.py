"""A fleet that trades at a human pace until it is stopped: something to look at, not a test.

Each terminal sells every few seconds, voids or refunds now and then, and settles when its batch has grown;
those that are to forget never settle.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random

from pos_specs.language import open_language
from pos_terminal.addresses import Address
from pos_terminal.client import Client, NoConnection
from pos_terminal.commands import Command, Manage, Settle
from pos_terminal.day import stan_for
from pos_terminal.day_plan import terminal_id
from pos_terminal.exchange import Result
from pos_terminal.memory import Memory
from pos_terminal.memory_file import MemoryFile
from pos_terminal.terminal import Terminal
from pos_terminal.trading import command_for, draw_intent

SETTLES_AFTER = (15, 40)
"""A terminal settles when its batch holds a number of records drawn from this range."""

RETRY_S = 3.0
"""Pause after a host that is not there: it may be starting."""


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """`pace_s` is the mean pause between two transactions of a terminal; `state` keeps memories, if given."""

    listeners: dict[str, Address]
    terminals: int
    forget: int
    merchant_id: str
    prefix: str
    currency: str
    pace_s: float
    timeout_s: float
    seed: int
    clock: Callable[[], datetime]
    state: Path | None = None


@dataclass(slots=True)
class FleetCounts:
    """What the fleet has done so far."""

    approved: Counter[str] = field(default_factory=Counter)
    declined: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    settled: int = 0


async def trade(settings: FleetSettings, stop: asyncio.Event, tell: Callable[[str], None]) -> FleetCounts:
    """Trade in all dialects of `settings.listeners` until `stop` is set; `tell` gets a line now and then."""
    counts = FleetCounts()
    dialects = sorted(settings.listeners)
    members = [
        FleetTerminal(settings, dialects[number % len(dialects)], number, counts, tell)
        for number in range(settings.terminals)
    ]
    tasks = [asyncio.create_task(member.live()) for member in members]
    stopper = asyncio.create_task(stop.wait())
    await asyncio.wait([stopper, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in [*tasks, stopper]:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error
    return counts


class FleetTerminal:
    """One terminal of the fleet; the first `forget` of each dialect never settle."""

    def __init__(
        self,
        settings: FleetSettings,
        dialect: str,
        number: int,
        counts: FleetCounts,
        tell: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._counts = counts
        self._tell = tell
        self._name = terminal_id(settings.prefix, number)
        self._chance = Random(f"{settings.seed}/{self._name}")
        self._forgets = number < settings.forget
        self._language = open_language(dialect)
        self._file = _memory_file(settings, dialect, self._name)
        self._terminal = Terminal(self._language, self._memory(dialect), settings.clock)
        self._client = Client(
            *settings.listeners[dialect],
            self._language,
            timeout_s=settings.timeout_s,
            keep=self._file.save if self._file is not None else None,
        )
        self._settle_at = self._chance.randint(*SETTLES_AFTER)
        self._signed_in = False

    async def live(self) -> None:
        """Trade until cancelled; a host that goes away is waited for."""
        while True:
            await asyncio.sleep(self._chance.expovariate(1 / self._settings.pace_s))
            try:
                await self._trade()
            except NoConnection as error:
                self._tell(f"{self._name}: {error}")
                self._signed_in = False
                await asyncio.sleep(RETRY_S)

    async def _trade(self) -> None:
        if not self._signed_in and self._language.dialect.batch.number == "sign_in":
            self._signed_in = (await self._perform(Manage("sign_in"))).approved
            return
        memory = self._terminal.memory
        due = memory.settlement is not None or len(memory.log) >= self._settle_at
        if due and not self._forgets:
            await self._settle()
        else:
            await self._perform(self._command())

    async def _settle(self) -> None:
        result = await self._perform(Settle())
        if result.closed is not None:
            self._counts.settled += 1
            self._settle_at = self._chance.randint(*SETTLES_AFTER)
            closed = result.closed
            self._tell(f"{self._name}: batch {closed.batch_number} {closed.result}, {closed.records} records")

    def _command(self) -> Command:
        log = self._terminal.memory.log
        limit = self._terminal.application.batch_limit
        if limit is not None and len(log) >= limit:
            return Settle()
        return command_for(draw_intent(self._chance), log, self._settings.currency)

    async def _perform(self, command: Command) -> Result:
        result = await self._client.perform(self._terminal, command)
        name = result.transaction.function if result.transaction is not None else type(command).__name__
        if not result.answered:
            self._counts.unanswered += 1
        elif result.approved:
            self._counts.approved[name.lower()] += 1
        else:
            self._counts.declined[f"{name.lower()} {result.code}"] += 1
        return result

    def _memory(self, dialect: str) -> Memory:
        if self._file is not None:
            return self._file.load(dialect, self._name, self._settings.merchant_id)
        first_stan = stan_for(self._settings.clock())
        return Memory(dialect, self._name, self._settings.merchant_id, stan=first_stan)


def _memory_file(settings: FleetSettings, dialect: str, name: str) -> MemoryFile | None:
    if settings.state is None:
        return None
    settings.state.mkdir(parents=True, exist_ok=True)
    return MemoryFile(settings.state / f"{dialect}-{settings.merchant_id}-{name}.json")
