"""A UnionPay terminal that trades on a real connection as fast as it is answered, and remembers what it saw."""

from __future__ import annotations

import asyncio
from datetime import datetime
from random import Random
from typing import NamedTuple

from pos_specs.errors import MessageError
from pos_specs.framing import Framer
from pos_specs.language import Language
from pos_specs.message import Message
from pos_terminal import batch_log
from pos_terminal.cards import TEST_CARDS, Card
from pos_terminal.client import Line, frame_of
from pos_terminal.commands import Command, Manage, Purchase, Refund, Reverse, Settle, Void
from pos_terminal.exchange import ClosedBatch, Exchange
from pos_terminal.memory import Memory
from pos_terminal.terminal import Terminal

MERCHANT = "898310000000001"
CARDS = ("unionpay", "unionpay-debit", "visa")

SETTLE_AFTER = 25
"""Records in a batch before it is settled: many kills fall into open batches, some into settlements."""

DISAGREE = 0.5
"""Share of settlements whose totals leave a purchase out, so that the batch is uploaded too."""

ANSWER_TIMEOUT_S = 30.0
"""A host that lives answers in milliseconds; nothing here is lost but by its death."""

AUDITED = frozenset({"purchase", "purchase_void", "refund", "reversal"})


class Approval(NamedTuple):
    """An approval as the terminal saw it."""

    terminal_id: str
    batch_number: str
    function: str
    stan: str
    amount_minor: int
    rrn: str
    approval_code: str


class TradingClient:
    """One terminal over many connections; its choices follow from `seed`."""

    def __init__(self, number: int, language: Language, seed: int) -> None:
        memory = Memory(language.name, f"K{number:07d}", MERCHANT)
        self.terminal = Terminal(language, memory, datetime.now)
        self.approvals: list[Approval] = []
        self.closed: list[ClosedBatch] = []
        self.declined: list[str] = []
        self.repeated = 0
        self.request: Message | None = None
        self._language = language
        self._chance = Random(f"{seed}/{number}")
        self.terminal.begin(Manage("sign_in"))

    async def trade(self, port: int) -> None:
        """Trade until the host is gone; a request that it did not answer stays in `request`."""
        self._after_a_death()
        line = await self._connect(port)
        while line is not None and await self._exchange(line):
            if self.terminal.result is not None:
                self.terminal.begin(self._choose())

    async def settle(self, port: int) -> None:
        """Finish what is unanswered and unfinished, then close the batch."""
        line = await self._connect(port)
        assert line is not None
        for command in (None, Reverse(), Settle()):
            if command is not None:
                self.terminal.begin(command)
            while self.request is not None or self.terminal.result is None:
                if not await self._exchange(line):
                    assert self.terminal.result is not None, "the host is gone"
        line.close()

    def _after_a_death(self) -> None:
        """Nobody knows whether the host posted the last request: send it again, or give it up (and reverse it)."""
        if self.request is None:
            return
        if self._chance.random() < 0.7:
            self.repeated += 1
            return
        self.terminal.no_answer()
        self.request = None
        self.terminal.begin(self._choose())

    async def _connect(self, port: int) -> Line | None:
        loop = asyncio.get_running_loop()
        framing = self._language.dialect.framing
        try:
            _, line = await loop.create_connection(lambda: Line(Framer(framing)), "127.0.0.1", port)
        except OSError:
            return None
        return line

    async def _exchange(self, line: Line) -> bool:
        """One request and its answer; False when there is nothing to send or the connection ended."""
        if self.request is None:
            self.request = self.terminal.next_request()
        if self.request is None:
            return False
        line.write(frame_of(self._language, self.request))
        exchange = None
        while exchange is None:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                frame = await line.next_frame()
            if frame is None:
                return False
            exchange = self._take(frame.body)
        self.request = None
        self._remember(exchange)
        return True

    def _take(self, body: bytes) -> Exchange | None:
        try:
            answer = self._language.decode(body)
        except MessageError:
            raise AssertionError("the host sent what cannot be read") from None
        return self.terminal.receive(answer)

    def _remember(self, exchange: Exchange) -> None:
        result = self.terminal.result
        if result is not None and result.closed is not None:
            self.closed.append(result.closed)
        if exchange.function not in AUDITED or exchange.response is None:
            return
        fields, answer = exchange.request.fields, exchange.response.fields
        if exchange.code != "00":
            self.declined.append(f"{self.terminal.memory.terminal_id} {exchange.function} {fields[11]} {exchange.code}")
            return
        number = self._language.meaning("batch_number", exchange.request) or ""
        self.approvals.append(
            Approval(
                self.terminal.memory.terminal_id,
                number,
                exchange.function,
                fields[11],
                int(fields[4]),
                answer.get(37, ""),
                answer.get(38, ""),
            )
        )

    def _choose(self) -> Command:
        chance, memory = self._chance, self.terminal.memory
        if memory.unfinished is not None:
            return Reverse()
        purchases = batch_log.effective_purchases(memory.log)
        if memory.settlement is not None or len(memory.log) >= SETTLE_AFTER:
            disagrees = purchases and chance.random() < DISAGREE
            return Settle(leave_out=purchases[0].stan if disagrees else "")
        roll, amount_minor = chance.random(), chance.randint(100, 50_000)
        if purchases and roll < 0.06:
            return Void(chance.choice(purchases).stan)
        if purchases and roll < 0.10:
            sold = chance.choice(purchases)
            card = Card(sold.pan, sold.expiry)
            return Refund(card, min(amount_minor, sold.amount_minor), sold.currency, sold.as_original())
        if roll < 0.14 and memory.log and memory.log[-1].effective and memory.log[-1].function != "refund":
            return Reverse(memory.log[-1].stan)
        return Purchase(TEST_CARDS[chance.choice(CARDS)], amount_minor, "156")
