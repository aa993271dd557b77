"""Listeners: bytes from sockets into the pipeline, and back. The only file that knows `asyncio.Protocol`."""

from __future__ import annotations

import asyncio
import contextlib
from typing import cast

from pos_host.logs import Logger
from pos_host.pipeline import Pipeline
from pos_host.session import Session
from pos_specs.language import Language

log = Logger("pos_host.server")

BACKLOG = 1024
"""Connections that may wait to be accepted: a fleet that reconnects after a power cut comes all at once."""


class TerminalConnection(asyncio.Protocol):
    """One terminal's (or concentrator's) connection."""

    __slots__ = ("_listener", "_session", "_transport")

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        name = f"{peer[0]}:{peer[1]}" if peer else "?"
        self._session = Session(self._listener.language, name, self._transport.write, self._transport.close)
        self._listener.connections.add(self)
        log.debug("connection_opened", peer=name, dialect=self._listener.language.name)

    def data_received(self, data: bytes) -> None:
        session, pipeline = self._session, self._listener.pipeline
        for frame in session.framer.receive_data(data):
            pipeline.receive(frame, session)
            if self._transport.is_closing():
                break  # what stands behind cannot be answered any more
        error = session.framer.error
        if error is not None and not self._transport.is_closing():
            log.warning("connection_closed", peer=session.peer, reason=f"framing: {error}")
            pipeline.flush()
            self._transport.close()
            return
        pipeline.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        session = self._session
        session.closed = True
        self._listener.connections.discard(self)
        if session.framer.waiting:
            log.warning(
                "connection_closed",
                peer=session.peer,
                reason=f"by the peer, {session.framer.waiting} bytes into a frame",
            )

    def pause(self) -> None:
        """Read no more; what was read is still answered."""
        with contextlib.suppress(RuntimeError):
            self._transport.pause_reading()

    def close(self) -> None:
        """Close after sending what is buffered."""
        self._transport.close()


class Listener:
    """One listening address and the dialect spoken there."""

    def __init__(self, pipeline: Pipeline, language: Language) -> None:
        self.pipeline = pipeline
        self.language = language
        self.connections: set[TerminalConnection] = set()
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> tuple[str, int]:
        """Listen; gives the address in use. Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: TerminalConnection(self), host, port, backlog=BACKLOG)
        address = self._server.sockets[0].getsockname()
        return address[0], address[1]

    def stop_accepting(self) -> None:
        if self._server is not None:
            self._server.close()

    def pause(self) -> None:
        """Read no more from any connection: without this a drain under load never ends."""
        for connection in list(self.connections):
            connection.pause()

    def close(self) -> None:
        for connection in list(self.connections):
            connection.close()
