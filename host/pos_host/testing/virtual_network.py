"""A network in memory: `asyncio.Protocol`s talk through it in virtual time, and its weather does them harm.

One `write` is one message. What a connection delivers, it delivers in order, as TCP does; a new connection may
overtake an old one, which is how a late original comes after its reversal.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

from pos_host.testing.weather import CALM, Fates, Weather

Address = tuple[str, int]
ProtocolFactory = Callable[[], asyncio.Protocol]

CONNECT_S = 0.001
"""What a connection takes to be made, or to be refused."""


class VirtualNetwork:
    """Who listens where, and every connection between them. `seed` decides over all faults."""

    def __init__(self, weather: Weather = CALM, seed: int | str = 0) -> None:
        self.fates = Fates(weather, Random(seed))
        self.messages = 0
        self._listening: dict[Address, ProtocolFactory] = {}
        self._serving: dict[Address, list[VirtualTransport]] = {}

    def listen(self, address: Address, factory: ProtocolFactory) -> None:
        """Accept at `address`; each connection gets a protocol of its own."""
        if address in self._listening:
            raise OSError(f"{address[0]}:{address[1]} is taken")
        self._listening[address] = factory
        self._serving[address] = []

    async def connect(self, factory: ProtocolFactory, address: Address) -> asyncio.Protocol:
        """A new connection's protocol; raises ConnectionRefusedError where nobody listens."""
        await asyncio.sleep(CONNECT_S)
        accept = self._listening.get(address)
        if accept is None:
            raise ConnectionRefusedError(f"nobody listens at {address[0]}:{address[1]}")
        here, there = VirtualTransport(self, factory()), VirtualTransport(self, accept())
        here.join(there)
        self._serving[address] = [*filter(VirtualTransport.is_open, self._serving[address]), there]
        there.protocol.connection_made(there)
        here.protocol.connection_made(here)
        return here.protocol

    def kill(self, address: Address) -> None:
        """The process that listens there dies: its protocols hear nothing more, its peers get what the kernel
        had already taken and then lose their connection."""
        del self._listening[address]
        for transport in self._serving.pop(address):
            transport.die()


class VirtualTransport(asyncio.Transport):
    """One end of a connection."""

    peer: VirtualTransport

    def __init__(self, network: VirtualNetwork, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self._network = network
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._dead = False
        self._reading = True
        self._arriving: deque[bytes | None] = deque()
        self._unread: deque[bytes | None] = deque()
        self._latest_s = 0.0

    def join(self, peer: VirtualTransport) -> None:
        """Make this and `peer` the two ends of one connection."""
        self.peer, peer.peer = peer, self

    # -- what a protocol asks of its transport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing:
            return
        fates, message = self._network.fates, bytes(data)
        self._network.messages += 1
        if fates.cut():
            self._cut()
        elif not fates.lost():
            self._send(message)
            copy_after_s = fates.copy_after_s()
            if copy_after_s is not None:
                self._loop.call_later(copy_after_s, self._send_copy, message)

    def close(self) -> None:
        """End the connection; what was written still arrives."""
        if self._closing:
            return
        self._hang_up(None)
        self.peer.arrives(None, self.peer.not_before(self._loop.time()))

    def abort(self) -> None:
        if not self._closing:
            self._cut()

    def is_closing(self) -> bool:
        return self._closing

    def is_open(self) -> bool:
        return not self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        while self._unread and self._reading:
            self._deliver(self._unread.popleft())

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("virtual", 0) if name == "peername" else default

    # -- what the network does

    def die(self) -> None:
        """The process at this end is gone; the other end is told after what is still on its way."""
        self._dead = True
        self.close()

    def arrives(self, data: bytes | None, at_s: float) -> None:
        """Deliver a segment at `at_s`, or the end of the connection.

        One timer each, but the segment comes from the queue: timers of equal time may change places.
        """
        self._arriving.append(data)
        self._loop.call_at(at_s, self._arrived)

    def not_before(self, at_s: float) -> float:
        """The moment `at_s`, or when the last of what is on its way arrives, if that is later."""
        self._latest_s = max(self._latest_s, at_s)
        return self._latest_s

    def _send(self, message: bytes) -> None:
        peer = self.peer
        start_s = self._loop.time()
        for delay_s, segment in self._network.fates.segments(message):
            start_s = peer.not_before(start_s + delay_s)
            peer.arrives(segment, start_s)

    def _send_copy(self, message: bytes) -> None:
        if not self._closing:
            self._send(message)

    def _arrived(self) -> None:
        if not self._arriving:
            return
        data = self._arriving.popleft()
        if self._reading:
            self._deliver(data)
        else:
            self._unread.append(data)

    def _deliver(self, data: bytes | None) -> None:
        if self._closing:
            return
        if data is not None:
            self.protocol.data_received(data)
        elif not self.protocol.eof_received():
            self._hang_up(None)

    def _cut(self) -> None:
        """Both ends lose the connection, and whatever was on its way is gone."""
        for end in (self, self.peer):
            end._arriving.clear()
            end._hang_up(ConnectionResetError("the connection was cut"))

    def _hang_up(self, error: Exception | None) -> None:
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._lost, error)

    def _lost(self, error: Exception | None) -> None:
        if not self._dead:
            self.protocol.connection_lost(error)
