"""Protocols that note what happens to them, for tests of the network in memory."""

from __future__ import annotations

import asyncio
from typing import cast

from pos_host.testing.virtual_network import VirtualNetwork

ADDRESS = ("host", 8583)


class Noting(asyncio.Protocol):
    """Notes what it hears and when; `echo` sends it back."""

    def __init__(self, *, echo: bool = False) -> None:
        self.heard: list[tuple[float, bytes]] = []
        self.ended: list[Exception | None] = []
        self.transport: asyncio.Transport
        self._echo = echo

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.heard.append((round(asyncio.get_running_loop().time(), 3), data))
        if self._echo:
            self.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.append(exc)

    @property
    def bytes_heard(self) -> bytes:
        return b"".join(data for _, data in self.heard)


class Serving:
    """Everybody who was accepted at `ADDRESS`."""

    def __init__(self, network: VirtualNetwork, *, echo: bool = False) -> None:
        self.accepted: list[Noting] = []
        self._echo = echo
        network.listen(ADDRESS, self._accept)

    def _accept(self) -> Noting:
        self.accepted.append(Noting(echo=self._echo))
        return self.accepted[-1]


async def connected(network: VirtualNetwork) -> Noting:
    return cast(Noting, await network.connect(Noting, ADDRESS))
