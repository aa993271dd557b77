"""One business day of a fleet: sign in, sell, lose answers, reverse, settle, upload, compare the books.

The terminals of a day are new and remember nothing of the day before. Where the host's books can be asked,
a terminal takes its batch number from there, and first settles what an earlier day has left in the batch,
with the host's own figures, as a shopkeeper would with the host's report in hand.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TypeVar

from pos_specs.language import Language
from pos_terminal import batch_log
from pos_terminal.addresses import Address
from pos_terminal.applications import application_for
from pos_terminal.applications.application import Books
from pos_terminal.client import Client, NoConnection
from pos_terminal.commands import Command, Forward, Manage, Reverse, Settle
from pos_terminal.day_plan import DayPlan, TerminalPlan
from pos_terminal.day_report import DayReport, TerminalReport
from pos_terminal.exchange import Exchange, Result
from pos_terminal.host_books import ApiFailed, HostBatch, HostBooks, NotReached
from pos_terminal.memory import LAST_NUMBER, Memory
from pos_terminal.pin_pad import PadSettings
from pos_terminal.states import NotNow
from pos_terminal.terminal import Terminal
from pos_terminal.trading import Intent, commands_for

LONGEST_WAIT_S = 1.0
"""Answers are lost on purpose here; a day of 20 terminals and 30 transactions is to end within a minute."""

TRIES = 60
"""How often a terminal begins again with what must succeed (a reversal, its settlement). Even when half of
all answers are lost, the odds against it are one in 2^60."""


RECONNECT_S, RECONNECTIONS = 0.5, 60
"""How long and how often a terminal waits for a host that went away in the middle of the day: half a minute is time to
start it again, and short enough to notice that nobody does."""

T = TypeVar("T")


class Stuck(Exception):
    """A terminal cannot go on with its day."""


@dataclass(frozen=True, slots=True)
class DaySettings:
    """Where and how a day is lived; `lose_percent` of all answers get lost at the terminal. `pause` waits so many
    seconds."""

    address: Address
    language: Language
    merchant_id: str
    currency: str
    lose_percent: float
    timeout_s: float
    clock: Callable[[], datetime]
    tls: ssl.SSLContext | None = None
    pad: PadSettings | None = None
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep


async def live_day(plan: DayPlan, settings: DaySettings, books: HostBooks | None) -> DayReport:
    """The whole day, all terminals at once. Raises NoConnection when there is no host to begin with."""
    await _knock(settings)
    first_stan = stan_for(settings.clock())
    days = [TerminalDay(terminal, settings, books, first_stan) for terminal in plan.terminals]
    return DayReport(plan.seed, await asyncio.gather(*(day.live() for day in days)))


def stan_for(moment: datetime) -> int:
    """The last STAN used before `moment`, as if one had been used each millisecond.

    A terminal without memory must not repeat the STANs of an earlier day that may still be in the host's
    open batch: a STAN used again with the same card and amount would be taken for a repeat.
    """
    return int(moment.timestamp() * 1000) % LAST_NUMBER


async def _knock(settings: DaySettings) -> None:
    client = Client(*settings.address, settings.language, timeout_s=settings.timeout_s, tls=settings.tls)
    await client.knock()
    await client.close()


class TerminalDay:
    """One terminal's day."""

    def __init__(self, plan: TerminalPlan, settings: DaySettings, books: HostBooks | None, first_stan: int) -> None:
        self._plan = plan
        self._settings = settings
        self._books = books
        memory = Memory(settings.language.name, plan.terminal_id, settings.merchant_id, stan=first_stan)
        self._terminal = Terminal(settings.language, memory, settings.clock, pad=settings.pad)
        self._client = Client(
            *settings.address,
            settings.language,
            timeout_s=min(settings.timeout_s, LONGEST_WAIT_S),
            lose=_loser(plan.loss, settings.lose_percent),
            tls=settings.tls,
        )
        self._report = TerminalReport(plan.terminal_id, self._expected())

    async def live(self) -> TerminalReport:
        """From the first message to the comparison of the books."""
        try:
            await self._open()
            for intent in self._plan.intents:
                await self._trade(intent)
            await self._trade_once_more()
            await self._leave_nothing_unsaid()
            self._take_stock()
            if not self._plan.forgets:
                await self._settle()
            await self._compare()
        except (NoConnection, ApiFailed, NotNow, Stuck) as error:
            self._report.problem = str(error)
            if not self._report.log:
                self._take_stock()
        finally:
            await self._client.close()
        return self._report

    def _take_stock(self) -> None:
        self._report.log = list(self._terminal.memory.log)

    # ------------------------------------------------------------ the morning

    async def _open(self) -> None:
        left = await self._host_batch()
        if left is not None:
            self._terminal.memory.batch_number = left.number
        if signs_in(self._terminal.language):
            await self._insist(Manage("sign_in"))
        if left is not None and left.has_money:
            await self._insist(Settle(declared=(left.debit, left.credit)))

    async def _host_batch(self) -> HostBatch | None:
        if self._books is None:
            return None
        return await self._books.current_batch(self._settings.merchant_id, self._plan.terminal_id)

    # ------------------------------------------------------------ the day

    async def _trade(self, intent: Intent) -> None:
        settings = self._settings
        for command in commands_for(intent, self._terminal.memory, settings.currency, settings.language.dialect):
            result = await self._attempt(command)
            transaction = result.transaction
            if result.answered and not result.approved:
                name = transaction.function if transaction is not None else intent.function
                self._report.declined.append(f"{name} answered {result.code}")

    async def _trade_once_more(self) -> None:
        """Whoever is to disagree or to forget needs something in the batch that counts."""
        needed = self._plan.disagrees or self._plan.forgets
        tries = 0
        while needed and not batch_log.effective_purchases(self._terminal.memory.log) and tries < TRIES:
            tries += 1
            await self._trade(self._plan.intents[0])

    async def _attempt(self, command: Command) -> Result:
        """Send `command` once; when the reversal before it got no answer, that begins again."""
        for _ in range(TRIES):
            before = self._terminal.memory.unfinished
            result = await self._perform(command)
            if result.answered or before is None or self._terminal.memory.unfinished is not before:
                return result
        raise Stuck(result.reason)

    async def _leave_nothing_unsaid(self) -> None:
        """A day ends with nothing pending and nothing stored: otherwise the host's books could not be the same."""
        await self._insist(Reverse())
        await self._insist(Forward())

    # ------------------------------------------------------------ the evening

    async def _settle(self) -> None:
        leave_out = ""
        if self._plan.disagrees:
            purchases = batch_log.effective_purchases(self._terminal.memory.log)
            leave_out = purchases[0].stan if purchases else ""
        result = await self._insist(Settle(leave_out=leave_out))
        self._report.closed = result.closed
        if result.closed is None:
            self._report.problem = f"{result.reason} ({result.code})" if result.code else result.reason

    async def _insist(self, command: Command) -> Result:
        """Begin again until the command is answered; a refusal is an answer and ends it too."""
        for _ in range(TRIES):
            result = await self._perform(command)
            pending = self._pending(command)
            if (result.answered or result.code is not None) and not pending:
                return result
        return result

    def _pending(self, command: Command) -> bool:
        memory = self._terminal.memory
        if isinstance(command, Forward):
            return bool(memory.advices or memory.notices)
        return isinstance(command, Reverse) and memory.unfinished is not None

    async def _perform(self, command: Command) -> Result:
        """Carry out a command that leaves nothing behind as long as there is no connection (see `Client.perform`)."""
        return await self._patiently(lambda: self._client.perform(self._terminal, command, self._note))

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What `attempt` gives, begun again while the host is away; raises what it raised in the end."""
        for _ in range(RECONNECTIONS):
            try:
                return await attempt()
            except (NoConnection, NotReached):
                await self._settings.pause(RECONNECT_S)
        return await attempt()

    def _note(self, exchange: Exchange) -> None:
        if exchange.undone is not None:
            self._report.reversed.append(exchange.undone)

    # ------------------------------------------------------------ afterwards

    async def _compare(self) -> None:
        books = self._books
        if books is None:
            return
        closed, terminal = self._report.closed, self._terminal
        if closed is None:
            own = terminal.application.books(terminal.memory.log)
            batch = await self._patiently(self._host_batch)
            number, result, state = terminal.memory.batch_number, None, "open"
        else:
            own, number, result, state = closed.books, closed.batch_number, closed.result, "settled"
            names = (self._settings.merchant_id, self._plan.terminal_id)
            found = await self._patiently(lambda: books.batches(*names))
            batch = next((batch for batch in found if batch.number == number), None)
        self._report.differences = differences(number, state, result, own, batch)

    def _expected(self) -> str:
        if self._plan.forgets:
            return "unsettled"
        if not self._plan.disagrees:
            return "balanced"
        uploads = application_for(self._settings.language).uploads
        return "balanced_after_upload" if uploads else "out_of_balance"


def signs_in(language: Language) -> bool:
    """True where a sign-in brings something: the batch number, or working keys."""
    return language.dialect.batch.number == "sign_in" or language.dialect.security.keys != "none"


def differences(number: str, state: str, result: str | None, own: Books, batch: HostBatch | None) -> list[str]:
    """What the terminal's batch and the host's differ in, in words; [] when nothing."""
    if batch is None:
        return [f"the host has no batch {number}"]
    pairs = [
        ("number", number, batch.number),
        ("state", state, batch.state),
        ("result", result, batch.result),
        ("debit", tuple(own.debit), tuple(batch.debit)),
        ("credit", tuple(own.credit), tuple(batch.credit)),
    ]
    return [f"batch {number}: {name} {mine} here, {its} at the host" for name, mine, its in pairs if mine != its]


def _loser(chance: Random, percent: float) -> Callable[[], bool] | None:
    if percent <= 0:
        return None
    return lambda: chance.random() * 100 < percent
