"""What the embedded broker promises, and that amqtt's faults stay fenced in."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiomqtt
import pytest
from tests.loop_seconds import loop_seconds
from tests.patience import HANGING_S
from tests.unit.host.publishing.brokers import mqtt_watch
from tests.unit.host.publishing.mosquitto import free_port

from pos_host.publishing import guarded_broker
from pos_host.publishing.broker import EmbeddedBroker
from pos_host.publishing.broker_address import BrokerAddress, broker_address
from pos_host.publishing.errors import PortTaken
from pos_host.publishing.mqtt_transport import MqttTransport
from pos_host.publishing.ports import Message

CONNECT = bytes.fromhex("100e00044d5154540402000000027331")  # MQTT 3.1.1, clean, no keep-alive, as "s1"
CONNACK = bytes.fromhex("20020000")
SUBSCRIBE_TO_ALL = bytes.fromhex("8206000100012300")
DISCONNECT = bytes.fromhex("e000")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    broker = EmbeddedBroker(free_port())
    yield await broker.start()
    await broker.stop()


@pytest.fixture
def where(url: str) -> BrokerAddress:
    return broker_address(url)


async def test_clients_that_come_and_go_neither_fail_nor_see_what_they_did_not_ask_for(
    url: str, where: BrokerAddress
) -> None:
    """300 connects, 20 at a time, with one publisher and one watcher."""
    leaked = sent = 0
    done = asyncio.Event()

    async def publish() -> None:
        nonlocal sent
        async with aiomqtt.Client(where.host, where.port, identifier="publisher") as client:
            while not done.is_set():
                await client.publish(f"states/{sent % 20}", b"state", qos=1, retain=True)
                sent += 1

    async def come_and_go(number: int) -> None:
        nonlocal leaked
        async with aiomqtt.Client(where.host, where.port, identifier=f"client-{number}", timeout=HANGING_S) as client:
            await client.subscribe(f"own/{number}", qos=1)
            await asyncio.sleep(0.01)
            leaked += len(client.messages)

    async with mqtt_watch(url, "states/#") as watch:
        publishing = asyncio.create_task(publish())
        gate = asyncio.Semaphore(20)

        async def one(number: int) -> None:
            async with gate:
                await come_and_go(number)

        results = await asyncio.gather(*(one(number) for number in range(300)), return_exceptions=True)
        failed = [result for result in results if result is not None]
        done.set()
        await publishing
        await watch.until(lambda received: len([it for it in received if not it.retained]) >= sent)

    assert [] == failed
    assert 0 == leaked
    assert sent > 20


async def test_a_client_that_comes_back_is_told_what_it_missed_while_others_subscribe(where: BrokerAddress) -> None:
    regular: dict[str, Any] = {"identifier": "regular", "clean_session": False}
    async with aiomqtt.Client(where.host, where.port) as client:
        for number in range(100):
            await client.publish(f"states/{number}", b"state", qos=1, retain=True)
    async with aiomqtt.Client(where.host, where.port) as other:
        for round_ in range(3):
            async with aiomqtt.Client(where.host, where.port, **regular) as client:
                await client.subscribe("states/#", qos=1)
            await asyncio.sleep(0.2)
            client = aiomqtt.Client(where.host, where.port, **regular)
            coming_back = asyncio.create_task(client.__aenter__())
            for number in range(20):
                await asyncio.gather(*(other.subscribe(f"own/{round_}/{number}/{n}") for n in range(20)))
            await coming_back
            await client.subscribe("states/#", qos=1)
            async with asyncio.timeout(HANGING_S):
                while len(client.messages) < 100:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            await client.__aexit__(None, None, None)
            await asyncio.sleep(0.2)


async def test_the_will_of_a_connection_that_was_replaced_is_not_told(url: str, where: BrokerAddress) -> None:
    will = aiomqtt.Will("status", b"offline", qos=1, retain=True)
    async with mqtt_watch(url, "status") as watch:
        old = aiomqtt.Client(where.host, where.port, identifier="host", will=will)
        await old.__aenter__()
        async with aiomqtt.Client(where.host, where.port, identifier="host", will=will) as new:
            await new.publish("status", b"online", qos=1, retain=True)
            old._client.socket().shutdown(socket.SHUT_RDWR)
            await asyncio.sleep(0.2)
            await new.publish("status", b"still online", qos=1, retain=True)
            received = await watch.count(2)

    assert [b"online", b"still online"] == [message.payload for message in received]


def speak_and_leave(where: BrokerAddress, words: int) -> None:
    """Send at QoS 1 and say good-bye as soon as all is acknowledged, faster than any library would."""
    with socket.create_connection((where.host, where.port)) as client:
        client.sendall(CONNECT)
        assert CONNACK == client.recv(4)
        publish = b"".join(b"\x32\x0a\x00\x05words" + n.to_bytes(2, "big") + bytes([n]) for n in range(1, words + 1))
        client.sendall(publish)
        acknowledged = 0
        while acknowledged < 4 * words:
            acknowledged += len(client.recv(65536))
        client.sendall(DISCONNECT)


async def test_what_was_acknowledged_is_forwarded_though_its_sender_left(url: str, where: BrokerAddress) -> None:
    async with mqtt_watch(url, "words") as watch:
        for _ in range(5):
            await asyncio.to_thread(speak_and_leave, where, 50)
        received = await watch.count(250)

    assert [bytes([n]) for n in range(1, 51)] * 5 == [message.payload for message in received]


async def test_what_was_acknowledged_is_forwarded_before_the_broker_stops() -> None:
    broker = EmbeddedBroker(free_port())
    url = await broker.start()
    async with mqtt_watch(url, "words") as watch:
        await asyncio.to_thread(speak_and_leave, broker_address(url), 50)
        await broker.stop()
        received = await watch.count(50)

    assert [bytes([n]) for n in range(1, 51)] == [message.payload for message in received]


async def test_acknowledgements_are_not_held_back(where: BrokerAddress) -> None:
    """Nagle's algorithm would hold the second of two for 40 ms."""
    loop = asyncio.get_running_loop()
    two = [Message("a", b"1"), Message("a", b"2")]
    took_s = []
    async with MqttTransport(where, "publisher", mqtt5=False).connect(Message("will", b"gone")) as connection:
        for _ in range(30):
            started_s = loop.time()
            await connection.publish(two)
            took_s.append(loop.time() - started_s)

    assert min(took_s) < 0.03


async def test_it_takes_1883_or_a_free_port_where_that_is_taken() -> None:
    first, second = EmbeddedBroker(), EmbeddedBroker()
    urls = {await first.start(), await second.start()}
    await first.stop()
    await second.stop()

    assert 2 == len(urls)
    assert all(url.startswith("mqtt://127.0.0.1:") for url in urls)


async def test_it_insists_on_the_port_it_was_told_to_take(where: BrokerAddress) -> None:
    with pytest.raises(PortTaken, match=f"embedded:{where.port}: cannot listen.*in use") as refused:
        await EmbeddedBroker(where.port).start()

    assert "\n" not in str(refused.value)


async def test_stopping_frees_the_port_at_once() -> None:
    broker = EmbeddedBroker(free_port())
    url = await broker.start()
    async with aiomqtt.Client(broker_address(url).host, broker_address(url).port):
        pass
    await broker.stop()

    assert url == await broker.start()
    await broker.stop()


async def test_stopping_with_watchers_and_silent_connections_takes_less_than_a_second() -> None:
    broker = EmbeddedBroker(free_port())
    url = await broker.start()
    where = broker_address(url)
    silent = [await asyncio.open_connection(where.host, where.port) for _ in range(3)]
    watchers = [aiomqtt.Client(where.host, where.port) for _ in range(3)]
    for watcher in watchers:
        await watcher.__aenter__()
        await watcher.subscribe("#")

    async with loop_seconds() as took_s:
        await broker.stop()
        assert took_s() < 1

    for reader, writer in silent:
        assert b"" == await reader.read()
        writer.close()
    for watcher in watchers:
        with pytest.raises(aiomqtt.MqttError):
            await anext(aiter(watcher.messages))


async def test_a_client_that_says_nothing_is_cut_off(where: BrokerAddress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_broker, "CONNECT_WITHIN_S", 0.1)
    reader, writer = await asyncio.open_connection(where.host, where.port)

    async with asyncio.timeout(HANGING_S):
        assert b"" == await reader.read()
    writer.close()


async def test_a_subscriber_that_stops_reading_is_cut_off_and_others_go_on(
    url: str, where: BrokerAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded_broker, "READ_WITHIN_S", 0.3)
    reader, writer = await asyncio.open_connection(where.host, where.port, limit=1024)
    writer.write(CONNECT + SUBSCRIBE_TO_ALL)
    await reader.readexactly(4 + 5)
    writer.transport.pause_reading()

    payload = b"x" * 100_000
    async with mqtt_watch(url, "much") as watch, aiomqtt.Client(where.host, where.port) as client:
        for _ in range(150):
            await client.publish("much", payload, qos=1)
        await watch.count(150)
        await asyncio.sleep(0.5)
        writer.transport.resume_reading()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            async with asyncio.timeout(HANGING_S):
                await reader.readexactly(150 * len(payload))
    writer.close()


async def test_knocking_at_the_port_leaves_no_line_in_the_log(
    where: BrokerAddress, caplog: pytest.LogCaptureFixture
) -> None:
    for said in (b"", b"GET / HTTP/1.1\r\n\r\n", CONNECT[:5], CONNECT):
        _, writer = await asyncio.open_connection(where.host, where.port)
        writer.write(said)
        await asyncio.sleep(0.02)
        writer.transport.abort()
    await asyncio.sleep(0.1)

    assert [] == [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


PROGRAM = """
import asyncio, logging, sys
logging.basicConfig(level=logging.WARNING)
from pos_host.publishing.broker import EmbeddedBroker
assert not any(name in sys.modules for name in ("amqtt", "aiomqtt", "paho"))
async def main():
    broker = EmbeddedBroker({port})
    await broker.start()
    silent = await asyncio.open_connection("127.0.0.1", {port})
    await asyncio.sleep(0.05)
    {stop}
asyncio.run(main())
"""


@pytest.mark.parametrize("stop", ["await broker.stop()", "pass"])
async def test_a_process_that_ends_with_a_silent_client_says_nothing(stop: str) -> None:
    program = PROGRAM.format(port=free_port(), stop=stop)
    ended = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program], capture_output=True, text=True, timeout=HANGING_S
    )

    assert (0, "", "") == (ended.returncode, ended.stdout, ended.stderr)
