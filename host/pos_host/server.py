"""Connections and listeners: bytes from sockets into the pipeline, and back."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, cast

from pos_host.logs import Logger
from pos_host.pipeline import Pipeline
from pos_host.session import Session
from pos_specs.language import Language

if TYPE_CHECKING:
    import ssl

    from pos_host.tls_server import TlsServer

log = Logger("pos_host.server")

BACKLOG = 1024
"""Connections that may wait to be accepted: a fleet that reconnects after a power cut comes all at once."""


class Endpoint:
    """A place where one dialect is spoken, and the connections that are open there."""

    def __init__(self, pipeline: Pipeline, language: Language) -> None:
        self.pipeline = pipeline
        self.language = language
        self.connections: set[TerminalConnection] = set()

    def stop_accepting(self) -> None:
        """Have no new connections; those that are open stay."""
        raise NotImplementedError

    def pause(self) -> None:
        """Read no more from any connection: without this a drain under load never ends."""
        for connection in list(self.connections):
            connection.pause()

    def close(self) -> None:
        for connection in list(self.connections):
            connection.close()


class TerminalConnection(asyncio.Protocol):
    """One terminal's (or concentrator's) connection."""

    __slots__ = ("_endpoint", "_heard", "_session", "_transport")

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        name = f"{peer[0]}:{peer[1]}" if peer else "?"
        wire = self._transport
        tap = self._endpoint.pipeline.exchanges.tap
        self._heard = None if tap is None else tap(name)
        write = wire.write if self._heard is None else self._write_heard
        self._session = Session(self._endpoint.language, name, write, wire.close, wire)
        self._endpoint.connections.add(self)
        log.debug("connection_opened", peer=name, dialect=self._endpoint.language.name)

    def data_received(self, data: bytes) -> None:
        session = self._session
        for frame in session.framer.receive_data(data):
            self._endpoint.pipeline.receive(frame, session)
        error = session.framer.error
        if error is not None and not session.finishing:
            log.warning("connection_closed", peer=session.peer, reason=f"framing: {error}")
            session.finish()

    def connection_lost(self, exc: Exception | None) -> None:
        session = self._session
        session.lost()
        if self._heard is not None:
            self._heard.ended()
        self._endpoint.connections.discard(self)
        if session.framer.waiting:
            log.warning(
                "connection_closed",
                peer=session.peer,
                reason=f"by the peer, {session.framer.waiting} bytes into a frame",
            )

    def _write_heard(self, data: bytes) -> None:
        self._transport.write(data)
        if self._heard is not None:
            self._heard.sent(data)

    def pause(self) -> None:
        """Read no more; what was read is still answered."""
        with contextlib.suppress(RuntimeError):
            self._transport.pause_reading()

    def close(self) -> None:
        """Close after sending what is buffered."""
        self._transport.close()


class Listener(Endpoint):
    """One listening address and the dialect spoken there, over TLS where `tls` is given."""

    def __init__(self, pipeline: Pipeline, language: Language, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(pipeline, language)
        self._tls = tls
        self._server: asyncio.Server | TlsServer | None = None

    async def open(self, host: str, port: int) -> tuple[str, int]:
        """Listen; gives the address in use. Raises OSError when it is taken."""
        make = self.protocol
        if self._tls is not None:
            from pos_host.tls_server import TlsServer

            self._server = secured = TlsServer(self._tls, make)
            return secured.open(host, port, BACKLOG)
        self._server = server = await asyncio.get_running_loop().create_server(make, host, port, backlog=BACKLOG)
        address = server.sockets[0].getsockname()
        return address[0], address[1]

    def protocol(self) -> asyncio.Protocol:
        """What receives the bytes of a new connection."""
        return TerminalConnection(self)

    def stop_accepting(self) -> None:
        if self._server is not None:
            self._server.close()
