"""A broker in memory, for tests: the publisher runs on it as on a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from pos_host.publishing.errors import BrokerLost, BrokerUnreachable
from pos_host.publishing.ports import Connection, Message


class MemoryBroker:
    """A broker and the way to it: `messages` is all that came, in order, `retained` the last of each topic.

    `go_away` and `come_back` take it down and up again; like a broker without a disk it then knows nothing.
    """

    address = "memory:"

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.retained: dict[str, bytes] = {}
        self.arrived = asyncio.Event()
        self._connections: set[_MemoryConnection] = set()
        self._is_there = True

    @asynccontextmanager
    async def connect(self, will: Message) -> AsyncIterator[Connection]:
        if not self._is_there:
            raise BrokerUnreachable(self.address, "it went away")
        connection = _MemoryConnection(self)
        self._connections.add(connection)
        try:
            yield connection
        except BaseException:
            if self._is_there:
                self.take(will)
            raise
        finally:
            self._connections.discard(connection)

    def take(self, message: Message) -> None:
        """Keep a message as a broker does."""
        self.messages.append(message)
        if message.retain and message.payload:
            self.retained[message.topic] = message.payload
        elif message.retain:
            self.retained.pop(message.topic, None)
        self.arrived.set()

    def cut(self) -> None:
        """End every connection as a torn cable does."""
        for connection in self._connections:
            connection.gone.set()

    def go_away(self) -> None:
        """End every connection and take no new one."""
        self._is_there = False
        self.retained.clear()
        self.cut()

    def come_back(self) -> None:
        """Take connections again."""
        self._is_there = True


class _MemoryConnection:
    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self.gone = asyncio.Event()

    async def publish(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if self.gone.is_set():
                raise BrokerLost(self._broker.address, "it went away")
            self._broker.take(message)
            await asyncio.sleep(0)

    async def lost(self) -> None:
        await self.gone.wait()
        raise BrokerLost(self._broker.address, "it went away")
