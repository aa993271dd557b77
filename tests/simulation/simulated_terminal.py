"""A terminal that lives a short business day in virtual time: trades, waits, tries again, reverses, settles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any, NamedTuple, cast

from pos_host.testing.virtual_network import Address, VirtualNetwork
from pos_specs.errors import MessageError
from pos_specs.framing import Framer
from pos_specs.language import Language
from pos_specs.message import Message
from pos_terminal import batch_log
from pos_terminal.cards import TEST_CARDS, Card
from pos_terminal.client import Line, frame_of
from pos_terminal.commands import Command, Manage, Purchase, Refund, Reverse, Settle, Void
from pos_terminal.exchange import Exchange, Result
from pos_terminal.memory import Memory, memory_from, memory_table
from pos_terminal.terminal import Terminal
from pos_terminal.transaction import Transaction

ANSWER_TIMEOUT_S = 30.0
TRIES = 200
"""How often a terminal begins again with what must succeed; a host that is down for minutes takes many."""

CARDS = ("unionpay", "unionpay-debit", "visa", "mastercard")


class Habits(NamedTuple):
    """How a terminal lives: batches a day, most transactions in each, longest pauses, and how often (0 to 1)
    it disagrees, sends again and loses its power."""

    batches: int
    transactions: int
    pause_s: float
    pause_before_settling_s: float
    last_left_open: bool
    disagrees: float
    send_again: float
    power_cut: float


class PowerCut(Exception):
    """The terminal lost everything but its memory."""


class SettledBatch(NamedTuple):
    """A batch that the terminal closed: its log then, and whether the totals it sent left one out."""

    number: str
    log: list[Transaction]
    result: str
    disagreed: bool


class SimulatedTerminal:
    """One terminal. Its choices are drawn from `chance` alone; `tell` hears of all it does."""

    def __init__(
        self,
        language: Language,
        memory: Memory,
        habits: Habits,
        network: VirtualNetwork,
        address: Address,
        clock: Callable[[], datetime],
        chance: Random,
        tell: Callable[[str], None],
    ) -> None:
        self.terminal = Terminal(language, memory, clock)
        self.settled: list[SettledBatch] = []
        self.given_up: set[str] = set()
        self.declined: list[str] = []
        self.power_cuts = 0
        self.exchanges = 0
        self._language = language
        self._habits = habits
        self._network = network
        self._address = address
        self._clock = clock
        self._chance = chance
        self._tell = tell
        self._line: Line | None = None
        self._disagreed = False

    @property
    def name(self) -> str:
        """Merchant and terminal id."""
        memory = self.terminal.memory
        return f"{memory.merchant_id}/{memory.terminal_id}"

    async def live(self) -> None:
        """The whole day; at its end nothing is pending."""
        habits, chance = self._habits, self._chance
        if self._language.dialect.batch.number == "sign_in":
            await self._insist(Manage("sign_in"))
        for batch in range(habits.batches):
            for _ in range(chance.randint(1, habits.transactions)):
                await asyncio.sleep(chance.uniform(1, habits.pause_s))
                await self._attempt(self._choose())
            await self._insist(Reverse())
            if batch + 1 < habits.batches or not habits.last_left_open:
                await asyncio.sleep(chance.uniform(0, habits.pause_before_settling_s))
                await self._settle()
        self._hang_up()

    # -- what it wants

    def _choose(self) -> Command:
        chance, log = self._chance, self.terminal.memory.log
        card, amount_minor = TEST_CARDS[chance.choice(CARDS)], chance.randint(100, 50_000)
        roll, last = chance.random(), log[-1] if log else None
        # what a pending reversal is about to undo can be neither voided nor refunded
        free = _neither_voided_nor_refunded(log) if self.terminal.memory.unfinished is None else []
        if roll < 0.10 and free:
            return Void(chance.choice(free).stan)
        if roll < 0.18 and free:
            return _refund_of(chance.choice(free), amount_minor)
        if roll < 0.22 and self.settled:
            old = _neither_voided_nor_refunded(self.settled[-1].log)
            return _refund_of(chance.choice(old), 50) if old else Manage("echo")
        if roll < 0.28 and last is not None and last in free:
            return Reverse(last.stan)
        return Manage("echo") if roll < 0.31 else Purchase(card, amount_minor, "156")

    async def _settle(self) -> None:
        purchases = batch_log.effective_purchases(self.terminal.memory.log)
        self._disagreed = bool(purchases) and self._chance.random() < self._habits.disagrees
        leave_out = purchases[0].stan if self._disagreed else ""
        before = len(self.settled)
        for _ in range(TRIES):
            await self._attempt(Settle(leave_out=leave_out))
            if len(self.settled) > before:
                return
            await asyncio.sleep(self._chance.uniform(1, 20))
        raise AssertionError(f"{self.name} could not settle in {TRIES} tries")

    async def _insist(self, command: Command) -> None:
        for _ in range(TRIES):
            result = await self._attempt(command)
            if result is not None and result.answered and self.terminal.memory.unfinished is None:
                return
            await asyncio.sleep(self._chance.uniform(1, 20))
        raise AssertionError(f"{self.name} could not {command} in {TRIES} tries")

    # -- what it does

    async def _attempt(self, command: Command) -> Result | None:
        """The command's result; None when the power went in the middle of it."""
        try:
            self.terminal.begin(command)
            while (request := self.terminal.next_request()) is not None:
                await self._exchange(request)
        except PowerCut:
            return None
        return self.terminal.result

    async def _exchange(self, request: Message) -> None:
        """Send until there is an answer, or give up; at each step the power may go."""
        cut_at = self._draw_power_cut()
        saved = memory_table(self.terminal.memory) if cut_at else None
        self._lose_power_at("sending", cut_at, saved)
        self._tell(f"{self.name} {request.mti} {request.fields.get(11)} {request.fields.get(3, '')}")
        exchange = await self._send_and_wait(request)
        while exchange is None and self._chance.random() < self._habits.send_again:
            exchange = await self._send_and_wait(request)
        self._lose_power_at("answer", cut_at, saved)
        self._note(exchange or self.terminal.no_answer())

    async def _send_and_wait(self, request: Message) -> Exchange | None:
        line = await self._connected()
        if line is None:
            await asyncio.sleep(ANSWER_TIMEOUT_S)
            return None
        line.write(frame_of(self._language, request))
        log = list(self.terminal.memory.log)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                exchange = await self._answer(line)
        except TimeoutError:
            exchange = None
        if exchange is None and self._chance.random() < 0.5:
            self._hang_up()
        result = self.terminal.result
        if exchange is not None and result is not None and result.closed is not None:
            self._closing = SettledBatch(result.closed.batch_number, log, result.closed.result, self._disagreed)
        return exchange

    async def _answer(self, line: Line) -> Exchange | None:
        while (frame := await line.next_frame()) is not None:
            try:
                answer = self._language.decode(frame.body)
            except MessageError:
                raise AssertionError(f"{self.name} got an answer that cannot be read") from None
            exchange = self.terminal.receive(answer)
            if exchange is not None:
                return exchange
        return None

    async def _connected(self) -> Line | None:
        if self._line is None or self._line.closed:
            framing = self._language.dialect.framing
            try:
                self._line = cast(Line, await self._network.connect(lambda: Line(Framer(framing)), self._address))
            except ConnectionRefusedError:
                return None
        return self._line

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _note(self, exchange: Exchange) -> None:
        self.exchanges += 1
        number, stan = exchange.batch_number or "", exchange.request.fields.get(11, "")
        self._tell(f"{self.name} {exchange.function} {stan} of batch {number}: {exchange.code or 'no code'}")
        if exchange.given_up:
            self.given_up.add(stan)
        if exchange.response is not None and not exchange.approved:
            self.declined.append(f"{exchange.function} {stan}: {exchange.code}")
        if exchange.result is not None:
            self.settled.append(self._closing)

    # -- power

    def _draw_power_cut(self) -> str:
        if self._chance.random() >= self._habits.power_cut:
            return ""
        return self._chance.choice(("sending", "answer"))

    def _lose_power_at(self, moment: str, cut_at: str, saved: dict[str, Any] | None) -> None:
        """Begin anew with the memory as it was before the message was sent."""
        if moment != cut_at or saved is None:
            return
        self.power_cuts += 1
        self._tell(f"{self.name} loses its power at {moment}")
        self._hang_up()
        self.terminal = Terminal(self._language, memory_from(saved), self._clock)
        raise PowerCut


def _neither_voided_nor_refunded(log: list[Transaction]) -> list[Transaction]:
    refunded = {t.original.stan for t in log if t.function == "refund" and t.original is not None}
    return [t for t in batch_log.effective_purchases(log) if t.stan not in refunded]


def _refund_of(sold: Transaction, amount_minor: int) -> Refund:
    card = Card(sold.pan, sold.expiry)
    return Refund(card, min(amount_minor, sold.amount_minor), sold.currency, sold.as_original())
