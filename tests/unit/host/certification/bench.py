"""A certification in virtual time: a host, its suite, and one terminal in memory that does what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from itertools import count
from typing import cast

import structlog

from pos_host.assembly import Assembly
from pos_host.certification.certification import Certification
from pos_host.certification.suite import Step, Suite, load_suite
from pos_host.certification.verdicts import FAILED, NOT_SEEN, Judgement
from pos_host.exchanges import Exchange
from pos_host.security.guard import Guard
from pos_host.security.vault import KeyVault
from pos_host.server import Listener, TerminalConnection
from pos_host.settlement.policy import load_policy
from pos_host.storage.memory import MemoryJournal
from pos_host.testing.virtual_clock import VirtualClock
from pos_host.testing.virtual_loop import run_virtually
from pos_host.testing.virtual_network import VirtualNetwork
from pos_host.transaction.request import CardReader
from pos_specs.errors import MessageError
from pos_specs.framing import Framer
from pos_specs.language import Language, open_language
from pos_specs.message import Message
from pos_specs.security.key_file import load_key_file
from pos_terminal import batch_log
from pos_terminal.cards import TEST_CARDS
from pos_terminal.client import Line, frame_of
from pos_terminal.commands import (
    Authorise,
    Command,
    Complete,
    Manage,
    Purchase,
    Refund,
    Reverse,
    SellOffline,
    Settle,
    Void,
)
from pos_terminal.exchange import Exchange as TerminalExchange
from pos_terminal.exchange import Result
from pos_terminal.memory import Memory
from pos_terminal.pin import Pin
from pos_terminal.terminal import Terminal
from pos_terminal.transaction import CHIP

ADDRESS = ("host", 1)
START_MS = 1_772_452_800_000
TIMEOUT_S = 60.0
TRIES = 12
SALES = 34
"""More than there are steps of a sale, each of which takes one."""

CUP, VISA = TEST_CARDS["unionpay"], TEST_CARDS["visa"]
PIN = Pin("123456")
MERCHANT = "898000000000001"

MakeTerminal = Callable[[Language, Memory, Callable[[], datetime]], Terminal]
Tamper = Callable[["Shop", str, Message], Message]


@dataclass
class Outcome:
    """What a certification came to, every exchange of it, and what the operator was told to do after each."""

    judgements: list[Judgement]
    exchanges: list[Exchange]
    told: list[Step | None]
    suite: Suite
    complete: bool

    @property
    def failed(self) -> set[str]:
        return {judgement.rule.id for judgement in self.judgements if judgement.verdict == FAILED}

    @property
    def not_seen(self) -> set[str]:
        return {judgement.rule.id for judgement in self.judgements if judgement.verdict == NOT_SEEN}

    def of(self, id_: str) -> Judgement:
        return next(judgement for judgement in self.judgements if judgement.rule.id == id_)


class Shop:
    """A shop with one terminal, in whose memory class `memory` is; `tamper` changes what goes out. It waits
    `patience_s` for an answer, by default as long as the certification is told. `takes_parts`: of a sale a part may
    be approved, in a dialect that has that."""

    patience_s = TIMEOUT_S
    takes_parts = True

    def __init__(
        self, network: VirtualNetwork, dialect: str, make: MakeTerminal, tamper: Tamper | None, memory: type[Memory]
    ) -> None:
        self.language = open_language(dialect)
        self.memory = memory(dialect, "T0000001", MERCHANT)
        self.terminal = make(self.language, self.memory, lambda: datetime(2026, 3, 2, 20, 0))
        self._network = network
        self._tamper = tamper
        self._line: Line | None = None

    async def do(self, command: Command) -> Result:
        """One command, and what has to go before it, until it is answered or given up."""
        for _ in range(TRIES):
            before = self.memory.unfinished
            result = await self.attempt(command)
            if result.answered or (before is None and not isinstance(command, Settle | Reverse)):
                break
        return result

    async def attempt(self, command: Command) -> Result:
        """A command, and what has to go before it, once."""
        self.terminal.begin(command)
        while (request := self.terminal.next_request()) is not None:
            await self._exchange(request)
        assert self.terminal.result is not None
        return self.terminal.result

    async def _exchange(self, request: Message) -> None:
        function = self.language.function_of(request)
        name = "" if function is None else function.name
        if self._tamper is not None:
            request = self._tamper(self, name, request)
        await self.send(request)
        exchange: TerminalExchange | None = None
        try:
            async with asyncio.timeout(self.patience_s):
                exchange = await self._answer()
        except TimeoutError:
            pass
        if exchange is None:
            self.terminal.no_answer()

    async def send(self, request: Message) -> None:
        """A message on the line, which is made where there is none."""
        await self.send_raw(frame_of(self.language, request))

    async def send_raw(self, data: bytes) -> None:
        """Bytes on the line."""
        if self._line is None or self._line.closed:
            framing = self.language.dialect.framing
            self._line = cast(Line, await self._network.connect(lambda: Line(Framer(framing)), ADDRESS))
        self._line.write(data)

    async def _answer(self) -> TerminalExchange | None:
        assert self._line is not None
        while (frame := await self._line.next_frame()) is not None:
            try:
                answer = self.language.decode(frame.body)
            except MessageError:
                continue
            exchange = self.terminal.receive(answer)
            if exchange is not None:
                self.terminal.heed_header(frame.header)
                return exchange
        return None


async def business(shop: Shop) -> None:
    """Everything that the suites ask of an operator: sales, voids, refunds, three batches settled."""
    dialect, memory = shop.language.name, shop.memory
    amounts = count(1_000, 7)
    await shop.do(Manage("sign_in"))
    await shop.do(Manage("sign_in"))
    for number in range(SALES):
        card = CUP if number % 2 else VISA
        pin = PIN if card is CUP and number % 3 == 0 and dialect == "unionpay" else None
        await shop.do(Purchase(card, next(amounts), "156", pin=pin))
    await shop.do(Purchase(CUP, next(amounts), "156", CHIP))
    await shop.do(Reverse())
    await shop.do(Purchase(CUP, next(amounts), "156", partial=shop.takes_parts))
    await shop.do(Void(_sold(memory, 0)))
    for place in (1, 2):
        sale = next(t for t in memory.log if t.stan == _sold(memory, place))
        await shop.do(Refund(CUP if sale.pan == CUP.pan else VISA, 100, "156", sale.as_original()))
    if (await shop.do(Authorise(CUP, 5_000, "156"))).approved:
        await shop.do(Complete(advice=dialect != "unionpay"))
    if dialect == "hypercom":
        await shop.do(SellOffline(CUP, next(amounts), "156", approval_code="123456"))
        await shop.do(SellOffline(CUP, next(amounts), "156", approval_code="123456"))
    await shop.do(Settle())
    for _ in range(2):
        await shop.do(Purchase(CUP, next(amounts), "156"))
        await shop.do(Settle())
    await shop.do(Purchase(CUP, next(amounts), "156"))


async def business_near_the_last_stan(shop: Shop) -> None:
    """The same by a terminal whose STANs begin again meanwhile."""
    shop.memory.stan = 999_970
    await business(shop)


def _sold(memory: Memory, place: int) -> str:
    refunded = {t.original.stan for t in memory.log if t.original is not None}
    return [t.stan for t in batch_log.effective_purchases(memory.log) if t.stan not in refunded][place]


shipped = cache(load_suite)
"""Each suite is read once: half of a short run would go into reading it."""


def certify(
    dialect: str,
    *,
    make: MakeTerminal = Terminal,
    tamper: Tamper | None = None,
    live: Callable[[Shop], Awaitable[None]] = business,
    memory: type[Memory] = Memory,
    suite: Suite | None = None,
) -> Outcome:
    """Certify a terminal that does `live`, in virtual time."""
    loaded = suite or shipped(dialect)
    with structlog.testing.capture_logs():
        return run_virtually(_certify(loaded, lambda network: Shop(network, dialect, make, tamper, memory), live))


async def _certify(
    suite: Suite, open_shop: Callable[[VirtualNetwork], Shop], live: Callable[[Shop], Awaitable[None]]
) -> Outcome:
    policy, network = load_policy(None), VirtualNetwork()
    material = count(1)
    vault = KeyVault(
        load_key_file(), bytes(range(32)), lambda length: bytes(next(material) % 256 for _ in range(length))
    )
    parts = Assembly(
        MemoryJournal(),
        VirtualClock(policy, START_MS),
        policy,
        CardReader(b"key of the tests"),
        guard=Guard("verify", vault),
    )
    told: list[tuple[Exchange, Step | None]] = []
    certification = Certification(suite, parts, timeout_s=TIMEOUT_S, seed=0, tell=lambda *what: told.append(what))
    network.listen(ADDRESS, partial(TerminalConnection, Listener(parts.pipeline, open_language(suite.dialect))))
    await live(open_shop(network))
    await asyncio.sleep(2 * TIMEOUT_S)
    complete = certification.complete
    judgements = certification.judgements()
    certification.stop()
    exchanges, steps = [exchange for exchange, _ in told], [step for _, step in told]
    return Outcome(judgements, exchanges, steps, suite, complete)


def failures(outcome: Outcome) -> Sequence[str]:
    """Which rules failed and why, for a test's message."""
    return [f"{j.rule.id}: {j.reason}" for j in outcome.judgements if j.verdict == FAILED]
