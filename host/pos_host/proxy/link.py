"""One connection through a proxy: two sockets, and a flow from each to the other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from random import Random
from typing import cast

from pos_host.os_errors import in_words
from pos_host.proxy.flow import Flow
from pos_host.proxy.pieces import End, Piece
from pos_host.proxy.toxic_documents import ToxicSpec
from pos_host.reset_connection import reset_connection

CONNECT_TIMEOUT_S = 10.0
"""A host that takes no connection in this time is not there; terminals give up sooner or later than that anyway."""

MOST_WAITING_BYTES = 65_536
"""Bytes that wait in one direction, then its sender is read no further: a toxic that slows down slows the sender down,
and a connection costs no more than this."""

Tap = Callable[["Link", str, bytes], None]
"""Told of the bytes as they come, before any harm: link, stream, data; of each stream's end by b""."""


class Side(asyncio.Protocol):
    """One of the two sockets; what it reads goes into `flow`, towards `other`."""

    other: Side

    def __init__(self, link: Link, stream: str, chance_of: Callable[[str], Random]) -> None:
        self.link = link
        self.stream = stream
        self.flow = Flow(stream, chance_of)
        self.transport: asyncio.Transport | None = None
        self.ended = False
        self.heard_end = False
        self.full = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.link.connected(self)

    def data_received(self, data: bytes) -> None:
        self.link.tap(self.link, self.stream, data)
        self._take(data, "")

    def eof_received(self) -> bool:
        self.heard_end = True
        self._take(b"", "fin")
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.heard_end = True
        self._take(b"", "reset" if isinstance(exc, ConnectionResetError) else "close")
        self.link.lost()

    def pause_writing(self) -> None:
        self.full = True
        self.other.look()

    def resume_writing(self) -> None:
        self.full = False
        self.other.look()

    def _take(self, data: bytes, end: End) -> None:
        self.flow.take(data, end, asyncio.get_running_loop().time())
        self.look()

    def look(self) -> None:
        """Give the other side what is due, set the timer for what is not, and read on where there is room."""
        loop = asyncio.get_running_loop()
        if not self.other.full:
            for piece in self.flow.due(loop.time()):
                self.other.give(piece)
        if self.link.over:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at_s = self.flow.next_s()
        if at_s is not None and not self.other.full:
            self._timer = loop.call_at(at_s, self.look)
        self._mind_the_room()
        self.link.tidy()

    def give(self, piece: Piece) -> None:
        """Write a piece to this side's peer."""
        transport = self.transport
        if transport is None:
            return
        if piece.data:
            transport.write(piece.data)
        if piece.end == "fin":
            self.ended = True
            with contextlib.suppress(OSError, RuntimeError):
                transport.write_eof()
            if self.other.ended:
                self.link.close()
        elif piece.end == "close":
            self.link.close()
        elif piece.end == "reset":
            self.link.reset()

    def stop(self) -> None:
        """No timer any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _mind_the_room(self) -> None:
        if self.transport is None:
            return
        with contextlib.suppress(RuntimeError):  # a transport that is closing
            if self.flow.waiting_bytes >= MOST_WAITING_BYTES or self.other.transport is None or self.other.full:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()


class Link:
    """A terminal's connection and the one that stands for it at the host. `client` accepts, `server` connects."""

    def __init__(
        self,
        number: int,
        upstream: tuple[str, int],
        toxics: list[ToxicSpec],
        chance_of: Callable[[str], Random],
        tap: Tap,
        gone: Callable[[Link], None],
        failed: Callable[[str], None],
    ) -> None:
        self.number = number
        self.tap = tap
        self._upstream = upstream
        self._toxics = toxics
        self._gone = gone
        self._failed = failed
        self.client = Side(self, "upstream", chance_of)
        self.server = Side(self, "downstream", chance_of)
        self.client.other, self.server.other = self.server, self.client
        self._connecting: asyncio.Task[None] | None = None
        self.over = False

    def connected(self, side: Side) -> None:
        """One of the sockets is there; with both, what waits begins to move."""
        if side is self.client:
            cast(asyncio.Transport, side.transport).pause_reading()
            self._connecting = asyncio.create_task(self._connect())
            return
        self.set_toxics(self._toxics)

    def set_toxics(self, specs: list[ToxicSpec]) -> None:
        """Have these toxics from now on, in both directions."""
        self._toxics = specs
        if self.server.transport is None:
            return
        now_s = asyncio.get_running_loop().time()
        for side in (self.client, self.server):
            side.flow.set_toxics(specs, now_s)
            side.look()

    def tidy(self) -> None:
        """Close what is over though a toxic swallowed the ends: nothing more can come, and nothing is on its way."""
        if all(side.heard_end and side.flow.next_s() is None for side in (self.client, self.server)):
            self.close()

    def lost(self) -> None:
        """A socket is gone: when both are, so is the link."""
        if self.over or (self.client.transport is None and self.server.transport is None):
            self._end()

    def close(self) -> None:
        """Close both sockets once what was written to them has left."""
        for side in (self.client, self.server):
            if side.transport is not None:
                side.transport.close()
        self._end()

    def reset(self) -> None:
        """End both connections by RST."""
        for side in (self.client, self.server):
            if side.transport is not None:
                reset_connection(side.transport)
        self._end()

    def _end(self) -> None:
        if not self.over:
            self.over = True
            for side in (self.client, self.server):
                side.stop()
                self.tap(self, side.stream, b"")
            if self._connecting is not None:
                self._connecting.cancel()
            self._gone(self)

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await asyncio.get_running_loop().create_connection(lambda: self.server, *self._upstream)
        except (OSError, TimeoutError) as error:
            self._failed(f"{self._upstream[0]}:{self._upstream[1]}: {_why_not(error)}")
            self.close()


def _why_not(error: OSError) -> str:
    """Why a connection failed, in the system's plain words; a name that cannot be resolved has a negative number."""
    if error.errno is None:
        return "no answer"
    return in_words(error)
