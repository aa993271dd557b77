"""A host without sockets: pipeline, books and journal, and lines on which terminals speak to it, byte by byte."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from tests.patience import HANGING_S

from pos_host.assembly import Assembly
from pos_host.clock import ManualClock
from pos_host.event_log import cloud_events_of
from pos_host.journal import Journal, Posting
from pos_host.ledger.book import Book
from pos_host.merchant_events import merchant_events_of
from pos_host.merchants.accounts.number_vault import NumberVault
from pos_host.security.guard import Guard
from pos_host.server import Listener, TerminalConnection
from pos_host.settlement.policy import Policy, load_policy
from pos_host.storage.memory import MemoryJournal
from pos_host.transaction.request import CardReader
from pos_specs.framing import Frame, Framer, join_frame
from pos_specs.language import open_language
from pos_specs.message import Message
from pos_specs.totals import Side

START_MS = 1_772_452_800_000
"""2026-03-02 20:00:00 in Shanghai: three hours before the shipped policy's cut-off."""

CARD_KEY = b"key of the tests"
SEALING_KEY = b"seals the numbers in the tests  "
TPDU, HEADER = bytes.fromhex("6000030000"), bytes.fromhex("603100311001")


class HostInProcess:
    """A host on a journal (in memory by default) and a clock that stands still until it is moved."""

    def __init__(
        self,
        journal: Journal | None = None,
        *,
        enrol: str = "open",
        at_ms: int = START_MS,
        policy: Policy | None = None,
        guard: Guard | None = None,
    ) -> None:
        self.journal = MemoryJournal() if journal is None else journal
        self.policy = policy or load_policy(None)
        self.clock = ManualClock(self.policy, at_ms)
        self.enrol = enrol
        self.guard = guard
        self.parts = Assembly(
            self.journal,
            self.clock,
            self.policy,
            CardReader(CARD_KEY),
            enrol=enrol,
            guard=guard,
            vault=NumberVault(SEALING_KEY, secrets.token_bytes),
        )
        self.registry, self.pipeline = self.parts.registry, self.parts.pipeline
        self.settler, self.watch, self.desk = self.parts.settler, self.parts.watch, self.parts.desk
        told = (cloud_events_of(self.journal, self.registry), merchant_events_of(self.journal, self.registry))
        self.office = self.parts.office(*told)
        self.asked: list[tuple[str, bytes]] = []
        self._listeners: dict[str, Listener] = {}

    @property
    def memory(self) -> MemoryJournal:
        assert isinstance(self.journal, MemoryJournal)
        return self.journal

    def connect(self, dialect: str) -> Line:
        """A new connection to the listener of that dialect."""
        listener = self._listeners.get(dialect)
        if listener is None:
            listener = self._listeners[dialect] = Listener(self.pipeline, open_language(dialect))
        return Line(self, listener)

    def book(self, terminal_id: str, merchant_id: str | None = None) -> Book:
        found = [book for book in self.registry.of_terminal(terminal_id) if merchant_id in (None, book.merchant_id)]
        assert 1 == len(found), f"{len(found)} terminals {terminal_id}"
        return found[0]

    def groups(self, terminal_id: str) -> dict[str, Side]:
        """The host's running totals of a terminal's open batch."""
        return self.book(terminal_id).batches[-1].groups

    async def quiet(self) -> None:
        """Until everything that was read is decided and answered."""
        async with asyncio.timeout(HANGING_S):
            await self.pipeline.drain()
        await asyncio.sleep(0)

    async def durable(self) -> None:
        """Until everything posted so far is committed, also what the host notes of its own accord."""
        done: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self.journal.post(Posting((), (), done.set_result))
        async with asyncio.timeout(HANGING_S):
            await done

    async def memory_turn(self) -> None:
        """One turn of the loop, and the commit that is due in it."""
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def twin(self) -> HostInProcess:
        """A host that begins with what this one's memory journal holds, as after a restart."""
        mine, copy = self.memory, MemoryJournal()
        copy.entries = list(mine.entries)
        copy.rows = {table: dict(rows) for table, rows in mine.rows.items()}
        return HostInProcess(copy, enrol=self.enrol, at_ms=self.clock.now_ms(), policy=self.policy, guard=self.guard)


class Line:
    """One connection, as the terminal sees it. Whole answers are in `answers`, in the order they came."""

    def __init__(self, host: HostInProcess, listener: Listener) -> None:
        self.language = listener.language
        self.answers: list[Message] = []
        self.frames: list[Frame] = []
        self.writes: list[bytes] = []
        self._host = host
        self._framer = Framer(self.language.dialect.framing)
        self._came = asyncio.Event()
        self._transport = WireInMemory(self)
        self._connection = TerminalConnection(listener)
        self._transport.other_end = self._connection
        self._connection.connection_made(self._transport)

    @property
    def closed(self) -> bool:
        return self._transport.is_closing()

    def bytes_of(self, message: Message, *, tpdu: bytes = TPDU, header: bytes = HEADER) -> bytes:
        """The whole frame of a message in this line's dialect."""
        framing = self.language.dialect.framing
        tpdu = b"" if framing.tpdu == "none" else tpdu
        header = header if framing.header == "unionpay" else framing.envelope.header.sent
        return join_frame(framing, Frame(tpdu, header, self.language.encode(message)))

    def feed(self, data: bytes) -> None:
        """Bytes arrive at the host, in whatever pieces."""
        self._host.asked.append((self.language.name, data))
        self._connection.data_received(data)

    async def ask(self, mti: str, fields: dict[int, str]) -> Message:
        """Send a message and wait for its answer; fails when the host closes the line instead."""
        answers = await self.ask_raw(self.bytes_of(Message(mti, dict(sorted(fields.items())))))
        assert 1 == len(answers), f"{len(answers)} answers to one request"
        return answers[0]

    async def ask_raw(self, data: bytes, expect: int = 1) -> list[Message]:
        """Send bytes and wait for `expect` answers or the end of the line; gives the answers that came."""
        before = len(self.answers)
        self.feed(data)
        return await self.wait_for(before + expect, since=before)

    async def wait_for(self, total: int, *, since: int = 0) -> list[Message]:
        """Until `total` answers are here, or the line is closed."""
        async with asyncio.timeout(HANGING_S):
            while len(self.answers) < total and not self.closed:
                self._came.clear()
                await self._came.wait()
        return self.answers[since:]

    def hang_up(self) -> None:
        """The terminal closes the connection; the host learns of it at once."""
        self._transport.closing = True
        self._connection.connection_lost(None)

    def arrived(self, data: bytes) -> None:
        self.writes.append(data)
        for frame in self._framer.receive_data(data):
            self.frames.append(frame)
            self.answers.append(self.language.decode(frame.body))
        self._came.set()

    def ended(self) -> None:
        self._came.set()


class WireInMemory(asyncio.Transport):
    """What lies between the host's connection and a `Line`."""

    def __init__(self, line: Line) -> None:
        super().__init__({"peername": ("192.0.2.7", 40_000)})
        self.closing = False
        self.other_end: Any = None
        self._line = line

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.closing:
            self._line.arrived(bytes(data))

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        pass

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self.other_end.connection_lost, None)
            self._line.ended()
