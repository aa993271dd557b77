"""A fleet that trades at a human pace until it is stopped: something to look at, not a test.

Each terminal sells every few seconds, voids or refunds now and then, and settles when its batch has grown;
those that are to forget never settle.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random

from pos_specs.language import open_language
from pos_terminal.addresses import Address
from pos_terminal.client import Client, NoConnection
from pos_terminal.commands import Command, Manage, Settle
from pos_terminal.day import signs_in, stan_for
from pos_terminal.day_plan import terminal_id
from pos_terminal.exchange import Result
from pos_terminal.memory import Memory
from pos_terminal.memory_file import MemoryFile
from pos_terminal.pin_pad import PadSettings
from pos_terminal.terminal import Terminal
from pos_terminal.trading import MOST_RECORDS_AT_ONCE, commands_for, draw_intent

SETTLES_AFTER = (15, 40)
"""A terminal settles when its batch holds a number of records drawn from this range."""

LAST_WORDS_S = 2.0
"""How long a stopped fleet waits for answers that are on their way."""

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
    tls: ssl.SSLContext | None = None
    pad: PadSettings | None = None


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
    with ExitStack() as files:
        for member in members:
            member.open(files)
        await _until_stopped([asyncio.create_task(member.live(stop)) for member in members])
    return counts


async def _until_stopped(tasks: list[asyncio.Task[None]]) -> None:
    """Wait for all; once one has ended (stopped, or failed) the others get a moment to finish their message."""
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    _, late = await asyncio.wait(tasks, timeout=LAST_WORDS_S)
    for task in late:
        task.cancel()
    for error in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(error, Exception):
            raise error


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
        first_stan = stan_for(settings.clock())
        memory = Memory(dialect, self._name, settings.merchant_id, stan=first_stan)
        self._terminal = Terminal(self._language, memory, settings.clock, pad=settings.pad)
        self._client = Client(
            *settings.listeners[dialect],
            self._language,
            timeout_s=settings.timeout_s,
            keep=self._file.save if self._file is not None else None,
            tls=settings.tls,
        )
        self._settle_at = self._chance.randint(*SETTLES_AFTER)
        self._signed_in = False

    def open(self, files: ExitStack) -> None:
        """Take the memory out of its file, which is kept from others until `files` is closed."""
        if self._file is not None:
            files.enter_context(self._file)
            known = self._terminal.memory
            memory = self._file.load(known.dialect, known.terminal_id, known.merchant_id)
            self._terminal = Terminal(self._language, memory, self._settings.clock, pad=self._settings.pad)

    async def live(self, stop: asyncio.Event) -> None:
        """Trade until `stop` is set; a host that goes away is waited for."""
        pause_s = self._pause_s()
        while not await _set_within(stop, pause_s):
            pause_s = self._pause_s()
            try:
                await self._trade()
            except NoConnection as error:
                self._tell(f"{self._name}: {error}")
                self._signed_in = False
                pause_s = RETRY_S
        await self._client.close()

    def _pause_s(self) -> float:
        return self._chance.expovariate(1 / self._settings.pace_s)

    async def _trade(self) -> None:
        if not self._signed_in and signs_in(self._language):
            self._signed_in = (await self._perform(Manage("sign_in"))).approved
            return
        memory = self._terminal.memory
        due = memory.settlement is not None or len(memory.log) >= self._settle_at
        if due and not self._forgets:
            await self._settle()
        else:
            await self._sell()

    async def _settle(self) -> None:
        result = await self._perform(Settle())
        if result.closed is not None:
            self._counts.settled += 1
            self._settle_at = self._chance.randint(*SETTLES_AFTER)
            closed = result.closed
            self._tell(f"{self._name}: batch {closed.batch_number} {closed.result}, {closed.records} records")

    async def _sell(self) -> None:
        memory = self._terminal.memory
        limit = self._terminal.application.batch_limit
        if limit is not None and len(memory.log) + MOST_RECORDS_AT_ONCE > limit:
            await self._perform(Manage("echo") if self._forgets else Settle())
            return
        intent = draw_intent(self._chance)
        for command in commands_for(intent, memory, self._settings.currency, self._language.dialect):
            await self._perform(command)

    async def _perform(self, command: Command) -> Result:
        result = await self._client.perform(self._terminal, command)
        name = result.transaction.function if result.transaction is not None else "management"
        if not result.answered:
            self._counts.unanswered += 1
        elif result.approved:
            self._counts.approved[name] += 1
        else:
            self._counts.declined[f"{name} {result.code}"] += 1
        return result


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):  # wait_for of Python 3.11 swallows a cancellation now and then
            await event.wait()
    except TimeoutError:
        return False
    return True


def _memory_file(settings: FleetSettings, dialect: str, name: str) -> MemoryFile | None:
    if settings.state is None:
        return None
    return MemoryFile(settings.state / f"{dialect}-{settings.merchant_id}-{name}.json")
