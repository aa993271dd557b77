"""The brokers that publishing is tested against, all used in the same way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple, Protocol

import aiomqtt
from paho.mqtt.client import topic_matches_sub
from tests.patience import HANGING_S
from tests.unit.host.publishing.mosquitto import Mosquitto, free_port

from pos_host.publishing.broker import EmbeddedBroker
from pos_host.publishing.broker_address import broker_address
from pos_host.publishing.memory import MemoryBroker
from pos_host.publishing.mqtt_transport import MqttTransport
from pos_host.publishing.ports import Connection, Message, Transport


class Received(NamedTuple):
    topic: str
    payload: bytes
    retained: bool

    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.payload)
        return document


class Watch:
    """What a subscriber received, in order."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.arrived = asyncio.Event()

    def add(self, message: Received) -> None:
        self.received.append(message)
        self.arrived.set()

    async def until(self, enough: Callable[[list[Received]], object]) -> list[Received]:
        """All messages, once `enough` is true of them."""
        async with asyncio.timeout(HANGING_S):
            while not enough(self.received):
                self.arrived.clear()
                await self.arrived.wait()
        return self.received

    async def count(self, number: int) -> list[Received]:
        return await self.until(lambda received: len(received) >= number)


class BrokerUnderTest(Protocol):
    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def transport(self, client_id: str = "publisher") -> Transport: ...

    def watch(self, topic_filter: str) -> Any: ...

    async def transport_that_can_be_cut(self) -> Transport: ...

    def cut(self) -> None: ...

    def remove(self) -> None: ...


class Relay:
    """Carries bytes between clients and a broker until its connections are cut."""

    def __init__(self, broker_port: int) -> None:
        self._broker_port = broker_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return f"mqtt://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def stop(self) -> None:
        self.cut()
        if self._server is not None:
            self._server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._broker_port)
        writers = {writer, to_writer}
        self._writers |= writers
        await asyncio.gather(self._carry(reader, to_writer), self._carry(to_reader, writer))
        self._writers -= writers

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()


class Gate:
    """A way to a broker that can be closed, so that a watcher is there before the publisher."""

    def __init__(self, transport: Transport) -> None:
        self.address = transport.address
        self.open = asyncio.Event()
        self.open.set()
        self._transport = transport

    @asynccontextmanager
    async def connect(self, will: Message) -> AsyncIterator[Connection]:
        await self.open.wait()
        async with self._transport.connect(will) as connection:
            yield connection


class InMemory:
    def __init__(self) -> None:
        self.broker = MemoryBroker()

    async def start(self) -> None:
        self.broker.come_back()

    async def stop(self) -> None:
        self.broker.go_away()

    def transport(self, client_id: str = "publisher") -> Transport:
        return self.broker

    async def transport_that_can_be_cut(self) -> Transport:
        return self.broker

    def cut(self) -> None:
        self.broker.cut()

    def remove(self) -> None:
        pass

    @asynccontextmanager
    async def watch(self, topic_filter: str) -> AsyncIterator[Watch]:
        watch = Watch()
        for topic, payload in self.broker.retained.items():
            if topic_matches_sub(topic_filter, topic):
                watch.add(Received(topic, payload, retained=True))
        task = asyncio.create_task(self._follow(topic_filter, watch, len(self.broker.messages)))
        yield watch
        task.cancel()

    async def _follow(self, topic_filter: str, watch: Watch, place: int) -> None:
        while True:
            for topic, payload, *_ in self.broker.messages[place:]:
                place += 1
                if topic_matches_sub(topic_filter, topic):
                    watch.add(Received(topic, payload, retained=False))
            self.broker.arrived.clear()
            await self.broker.arrived.wait()


@asynccontextmanager
async def mqtt_watch(url: str, topic_filter: str, version: int = 4) -> AsyncIterator[Watch]:
    where = broker_address(url)
    watch = Watch()
    async with aiomqtt.Client(where.host, where.port, protocol=aiomqtt.ProtocolVersion(version)) as client:
        await client.subscribe(topic_filter, qos=1)

        async def follow() -> None:
            async for message in client.messages:
                payload = message.payload
                assert isinstance(payload, bytes)
                watch.add(Received(str(message.topic), payload, message.retain))

        task = asyncio.create_task(follow())
        try:
            yield watch
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if client._disconnected.done():
                client._disconnected.exception()  # a broker that a test took away: seen, not to be reported


class OverMqtt:
    """A broker behind a port; `mqtt5` says whether it speaks that."""

    def __init__(self, broker: EmbeddedBroker | Mosquitto, *, mqtt5: bool) -> None:
        self.broker = broker
        self.url = ""
        self._mqtt5 = mqtt5
        self._relay: Relay | None = None

    async def start(self) -> None:
        self.url = await self.broker.start()

    async def stop(self) -> None:
        if self._relay is not None:
            await self._relay.stop()
        await self.broker.stop()

    def transport(self, client_id: str = "publisher") -> Transport:
        return MqttTransport(broker_address(self.url), client_id, mqtt5=self._mqtt5)

    def watch(self, topic_filter: str) -> Any:
        return mqtt_watch(self.url, topic_filter, version=5 if self._mqtt5 else 4)

    async def transport_that_can_be_cut(self) -> Transport:
        self._relay = Relay(broker_address(self.url).port)
        return MqttTransport(broker_address(await self._relay.start()), "publisher", mqtt5=self._mqtt5)

    def cut(self) -> None:
        if self._relay is not None:
            self._relay.cut()

    def remove(self) -> None:
        if isinstance(self.broker, Mosquitto):
            self.broker.remove()


def embedded() -> OverMqtt:
    return OverMqtt(EmbeddedBroker(free_port()), mqtt5=False)


def real_mosquitto(program: str) -> OverMqtt:
    return OverMqtt(Mosquitto(program), mqtt5=True)
