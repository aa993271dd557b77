"""Accepting over TLS: a client that is refused is told of in the log, which asyncio's own server would not do."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Coroutine

from pos_host.logs import Logger
from pos_host.tls import why_refused

log = Logger("pos_host.tls")

HANDSHAKE_TIMEOUT_S = 10.0
"""A peer that says nothing holds a connection no longer; over a modem line a handshake takes two or three seconds."""

OUT_OF_FILES_S = 1.0
"""Pause after an accept that failed, as asyncio's server makes it: most likely the files have run out."""


class TlsServer:
    """Accepts at one address; each client that ends its handshake gets a protocol from `make`."""

    def __init__(self, context: ssl.SSLContext, make: Callable[[], asyncio.Protocol]) -> None:
        self._context = context
        self._make = make
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: socket.socket | None = None

    def open(self, host: str, port: int, backlog: int) -> tuple[str, int]:
        """Listen; gives the address in use. Raises OSError when it is taken."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=backlog)
        listening.setblocking(False)
        self._listening = listening
        self._begin(self._accept(listening))
        address = listening.getsockname()
        return address[0], address[1]

    def close(self) -> None:
        """Accept no more, and end the handshakes that are going on."""
        for task in list(self._tasks):
            task.cancel()
        if self._listening is not None:
            self._listening.close()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, address = await loop.sock_accept(listening)
            except OSError as error:
                log.warning("accept_failed", reason=error.strerror or str(error))
                await asyncio.sleep(OUT_OF_FILES_S)
                continue
            self._begin(self._shake_hands(client, f"{address[0]}:{address[1]}"))

    async def _shake_hands(self, client: socket.socket, peer: str) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._make, client, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_TIMEOUT_S
            )
        except OSError as error:
            log.warning("connection_refused", peer=peer, reason=why_refused(error))
        except asyncio.CancelledError:
            with contextlib.suppress(OSError):
                client.close()
            raise
