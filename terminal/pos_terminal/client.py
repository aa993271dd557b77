"""The terminal's line to the host: connects, sends, waits, connects again."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import Callable
from typing import cast

from pos_specs.errors import MessageError
from pos_specs.framing import Frame, Framer, join_frame
from pos_specs.language import Language
from pos_specs.message import Message
from pos_terminal.commands import Command, Stored
from pos_terminal.exchange import Exchange, Result
from pos_terminal.memory import Memory
from pos_terminal.terminal import Terminal

TPDU = bytes.fromhex("6000030000")
"""To NII 003, from nobody in particular (hypercom.md 1.2)."""

CONNECT_TIMEOUT_S = 10.0
"""A host that does not take a connection in this time is not there; the wait for an answer comes after."""


HUNG_UP = "the host hung up"
REFUSED_IN_TLS = "the host hung up before it said anything, as it does where it wants another certificate (--tls-cert)"
"""A refused certificate shows as that alone in TLS 1.3, where the client's handshake is over before the host's."""


class NoConnection(Exception):
    """The host cannot be reached."""


class Line(asyncio.Protocol):
    """One connection: frames in, bytes out. A lost connection gives None to whoever waits; `ending` says why it ended,
    "" where the terminal hung up itself."""

    def __init__(self, framer: Framer, *, over_tls: bool = False) -> None:
        self._framer = framer
        self._unheard = REFUSED_IN_TLS if over_tls else HUNG_UP
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Frame | None] | None = None
        self._frames: list[Frame] = []
        self.closed = False
        self.ending = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._unheard = HUNG_UP
        self._frames += self._framer.receive_data(data)
        if self._framer.error is not None:
            self.ending = f"what came is no frame ({self._framer.error})"
            self.close()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.closed:
            self.ending = self._why_lost(error)
        self.closed = True
        self._wake()

    def _why_lost(self, error: Exception | None) -> str:
        """A connection that is reset before anything came over TLS was refused as one that is closed."""
        if not isinstance(error, OSError) or (self._unheard is REFUSED_IN_TLS and isinstance(error, ConnectionError)):
            return self._unheard
        return why_not(error)

    def write(self, data: bytes) -> None:
        """Send bytes; nothing happens on a line that is closed."""
        if self._transport is not None and not self.closed:
            self._transport.write(data)

    async def next_frame(self) -> Frame | None:
        """The next frame, or None when the connection has ended."""
        while not self._frames:
            if self.closed:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._frames.pop(0)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()
        self.closed = True

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Client:
    """Carries a terminal's messages to one host and back.

    `keep` is called with the memory before each message is sent and after each answer; `lose` is asked after
    each answer whether it got lost on the way; `timeout_s` bounds the wait for one answer. With `tls` the host must
    be certified for the name `host`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        language: Language,
        *,
        timeout_s: float,
        keep: Callable[[Memory], None] | None = None,
        lose: Callable[[], bool] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._tls = tls
        self._language = language
        self.timeout_s = timeout_s
        self._keep = keep
        self._lose = lose
        self._line: Line | None = None

    async def perform(
        self, terminal: Terminal, command: Command, tell: Callable[[Exchange], None] | None = None
    ) -> Result:
        """Carry out one command, telling of each exchange as it ends.

        Raises whatever `Terminal.begin` raises, and NoConnection while nothing has been sent, nor saved but what is
        done without the host.
        """
        terminal.begin(command)
        if isinstance(command, Stored):
            self._save(terminal)
        if terminal.result is not None:
            return terminal.result
        line = await self._connected()
        while (request := terminal.next_request()) is not None:
            if line.closed:
                line = await self._connected_or(line)
            self._save(terminal)
            exchange = await self._exchange(line, terminal, request)
            self._save(terminal)
            if tell is not None:
                tell(exchange)
        if terminal.result is None:
            raise NoConnection("the command has come to nothing")
        return terminal.result

    async def knock(self) -> None:
        """Connect, to see that there is a host; raises NoConnection."""
        await self._connected()

    async def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
            self._line = None

    async def _connected(self) -> Line:
        if self._line is None or self._line.closed:
            loop = asyncio.get_running_loop()
            framing = self._language.dialect.framing
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    _, self._line = await loop.create_connection(
                        lambda: Line(Framer(framing), over_tls=self._tls is not None),
                        self._host,
                        self._port,
                        ssl=self._tls,
                    )
            except (OSError, TimeoutError) as error:
                raise NoConnection(f"{self._host}:{self._port}: {why_not(error)}") from None
        return self._line

    async def _connected_or(self, line: Line) -> Line:
        """A new line, or the dead one: the message then simply gets no answer."""
        try:
            return await self._connected()
        except NoConnection:
            return line

    async def _exchange(self, line: Line, terminal: Terminal, request: Message) -> Exchange:
        began = time.perf_counter()
        line.write(frame_of(self._language, request))
        try:
            async with asyncio.timeout(self.timeout_s):
                exchange = await self._answer(line, terminal)
        except TimeoutError:
            exchange = None
        if exchange is None:
            exchange = terminal.no_answer(line.ending)
        exchange.latency_ms = (time.perf_counter() - began) * 1000
        return exchange

    async def _answer(self, line: Line, terminal: Terminal) -> Exchange | None:
        """The exchange made by the first answer that fits; what does not fit is not waited for by anybody."""
        while True:
            frame = await line.next_frame()
            if frame is None:
                return None
            if self._lose is not None and self._lose():
                continue
            try:
                answer = self._language.decode(frame.body)
            except MessageError:
                continue
            exchange = terminal.receive(answer)
            if exchange is not None:
                terminal.heed_header(frame.header)
                return exchange

    def _save(self, terminal: Terminal) -> None:
        if self._keep is not None:
            self._keep(terminal.memory)


def why_not(error: OSError) -> str:
    """Why a connection failed, in the system's plain words."""
    if isinstance(error, ssl.SSLError):
        from pos_terminal.tls import why_refused

        return why_refused(error)
    if isinstance(error, TimeoutError) or error.errno is None:
        return "no answer"
    return os.strerror(error.errno) if error.errno > 0 else error.strerror or "no such address"


def frame_of(language: Language, message: Message) -> bytes:
    """The bytes of a request as they stand on the line."""
    framing = language.dialect.framing
    tpdu = b"" if framing.tpdu == "none" else TPDU
    return join_frame(framing, Frame(tpdu, framing.envelope.header.sent, language.encode(message)))
