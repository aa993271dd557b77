"""The way to a broker: versions, limits of patience, and what a broker may do to the host."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiomqtt
import pytest
from tests.loop_seconds import loop_seconds
from tests.patience import HANGING_S
from tests.unit.host.publishing.brokers import embedded, real_mosquitto
from tests.unit.host.publishing.host_in_memory import AT_MS, EventLogInMemory, StateBoardInMemory
from tests.unit.host.publishing.mosquitto import free_port, require_mosquitto

from pos_host.publishing import mqtt_transport
from pos_host.publishing.broker_address import broker_address
from pos_host.publishing.errors import BrokerLost, BrokerUnreachable
from pos_host.publishing.mqtt_transport import MqttTransport
from pos_host.publishing.ports import Message
from pos_host.publishing.publisher import Publisher
from pos_host.publishing.topics import Topics

WILL = Message("will", b"gone")
CONNACK = bytes.fromhex("20020000")
CONNACK_5 = bytes.fromhex("2003000000")
PUBACK = bytes.fromhex("4002")


@asynccontextmanager
async def stalled_broker(*, greets: bool, acknowledgements: int = 0) -> AsyncIterator[str]:
    """A broker that stops answering: before the greeting, or after some acknowledgements."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        if greets:
            writer.write(CONNACK)
            for packet_id in range(1, acknowledgements + 1):
                await reader.read(65536)
                writer.write(PUBACK + packet_id.to_bytes(2, "big"))
        with suppress(asyncio.CancelledError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@pytest.mark.mosquitto
async def test_a_broker_that_speaks_mqtt_5_is_told_the_content_type() -> None:
    broker = real_mosquitto(require_mosquitto())
    await broker.start()
    where = broker_address(broker.url)
    async with aiomqtt.Client(where.host, where.port, protocol=aiomqtt.ProtocolVersion.V5) as watcher:
        await watcher.subscribe("#")
        async with broker.transport().connect(WILL) as connection:
            await connection.publish([Message("a", b"{}", content_type="application/cloudevents+json")])
        message = await anext(aiter(watcher.messages))
    await broker.stop()
    broker.remove()

    assert "application/cloudevents+json" == message.properties.ContentType  # type: ignore[union-attr]


async def test_a_broker_that_knows_only_mqtt_3_1_1_is_spoken_to_in_that() -> None:
    broker = embedded()
    await broker.start()
    async with (
        broker.watch("a") as watch,
        MqttTransport(broker_address(broker.url), "publisher", mqtt5=True).connect(WILL) as connection,
    ):
        await connection.publish([Message("a", b"{}")])
        await watch.count(1)
    await broker.stop()


async def test_a_broker_that_does_not_greet_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_transport, "CONNECT_TIMEOUT_S", 0.2)
    async with stalled_broker(greets=False) as url, asyncio.timeout(HANGING_S):
        with pytest.raises(BrokerUnreachable):
            async with MqttTransport(broker_address(url), "publisher").connect(WILL):
                pass


async def test_a_name_that_nobody_has_is_unreachable() -> None:
    with pytest.raises(BrokerUnreachable, match=r"mqtt://nobody\.invalid:1883: cannot be reached"):
        async with MqttTransport(broker_address("mqtt://nobody.invalid"), "publisher").connect(WILL):
            pass


async def test_plain_text_at_a_tls_port_is_unreachable() -> None:
    broker = embedded()
    await broker.start()
    where = broker_address(broker.url.replace("mqtt:", "mqtts:"))
    with pytest.raises(BrokerUnreachable, match="mqtts://"):
        async with MqttTransport(where, "publisher", mqtt5=False).connect(WILL):
            pass
    await broker.stop()


async def test_a_broker_that_acknowledges_nothing_is_taken_for_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_transport, "ACK_TIMEOUT_S", 0.2)
    async with stalled_broker(greets=True) as url:
        with pytest.raises(BrokerLost, match="no acknowledgement"):
            async with MqttTransport(broker_address(url), "publisher", mqtt5=False).connect(WILL) as connection:
                await connection.publish([Message("a", b"{}")] * 3)


async def test_stopping_leaves_a_broker_that_does_not_answer_within_a_second() -> None:
    events = EventLogInMemory()
    async with stalled_broker(greets=True, acknowledgements=1) as url:
        transport = MqttTransport(broker_address(url), "publisher", mqtt5=False)
        publisher = Publisher(
            transport, Topics(), events, StateBoardInMemory(), busy=bool, version="0.1.0", since_ms=AT_MS
        )
        await publisher.first_connect()
        events.commit(3)
        await asyncio.sleep(0.1)
        async with loop_seconds() as took_s:
            await publisher.stop()
            assert took_s() < 1.1

    assert [] == events.saved


async def test_an_unreachable_broker_at_the_start_is_reported_in_one_line_without_the_password() -> None:
    transport = MqttTransport(broker_address(f"mqtt://me:secret@127.0.0.1:{free_port()}"), "publisher")
    publisher = Publisher(
        transport, Topics(), EventLogInMemory(), StateBoardInMemory(), busy=bool, version="0.1.0", since_ms=AT_MS
    )

    with pytest.raises(BrokerUnreachable, match="refused") as refused:
        await publisher.first_connect()

    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_neither_client_nor_broker_library_is_loaded_before_it_is_needed() -> None:
    program = (
        "import sys, pos_host.publishing.broker, pos_host.publishing.mqtt_transport, pos_host.publishing.publisher\n"
        "print([name for name in ('aiomqtt', 'amqtt', 'paho', 'transitions') if name in sys.modules])"
    )

    assert "[]\n" == subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout
