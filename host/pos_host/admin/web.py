"""The HTTP server: uvicorn on the host's own loop, socket and signals."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp

STOP_WITHIN_S = 0.5
"""How long requests under way may take once the server stops; the rest of a second is uvicorn's own ticks."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The host owns the signals."""
        yield


class Web:
    """One HTTP server, on whatever loop it is started on."""

    def __init__(self) -> None:
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self, app: ASGIApp, host: str, port: int) -> str:
        """Serve `app`, port 0 taking a free one; gives the URL. Raises OSError when the address cannot be had."""
        listener = await _listen(host, port)
        config = uvicorn.Config(
            app,
            loop="none",
            http="h11",
            ws="none",
            log_config=None,
            log_level="critical",  # what goes wrong in the app is logged there, once
            access_log=False,
            server_header=False,
            forwarded_allow_ips=["127.0.0.1", "::1"],  # a proxy here says who asks: not everybody is loopback
        )
        await asyncio.to_thread(config.load)  # imports
        server = self._server = _Server(config)
        serving = self._serving = asyncio.create_task(server.serve(sockets=[listener]), name="web")
        accepting = asyncio.create_task(server.accepting.wait())
        await asyncio.wait([serving, accepting], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            accepting.cancel()
            listener.close()
            serving.result()
            raise RuntimeError("the HTTP server ended while it started")
        return _url(host, listener.getsockname()[1])

    async def stop(self) -> None:
        """Stop accepting, let short requests end, cut the others off; within a second. Harmless when not started."""
        server, serving = self._server, self._serving
        if server is None or serving is None:
            return
        server.should_exit = True
        await asyncio.wait([serving], timeout=STOP_WITHIN_S)
        if not serving.done():
            _cut_off(server)
        await serving


def _cut_off(server: uvicorn.Server) -> None:
    """End the requests under way and the connections of peers that do not take their answer."""
    server.force_exit = True
    for task in list(server.server_state.tasks):
        task.cancel()
    for connection in list(server.server_state.connections):
        if connection.transport is not None:
            connection.transport.abort()


async def _listen(host: str, port: int) -> socket.socket:
    """Our own bind: uvicorn's would end the process where the port is taken."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    return socket.create_server(address[:2], family=socket.AddressFamily(family))


def _url(host: str, port: int) -> str:
    """An address that a client on this machine can open, also when the server listens on all of them."""
    try:
        address = ip_address(host)
    except ValueError:
        return f"http://{host}:{port}"
    if address.is_unspecified:
        address = ip_address("127.0.0.1" if address.version == 4 else "::1")
    return f"http://[{address}]:{port}" if address.version == 6 else f"http://{address}:{port}"
