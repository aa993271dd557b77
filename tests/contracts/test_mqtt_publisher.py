"""What a publisher promises, on every broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.loop_seconds import loop_seconds
from tests.patience import HANGING_S
from tests.unit.host.publishing.brokers import BrokerUnderTest, Gate, InMemory, Watch, embedded, real_mosquitto
from tests.unit.host.publishing.host_in_memory import AT_MS, EventLogInMemory, StateBoardInMemory
from tests.unit.host.publishing.mosquitto import require_mosquitto

from pos_host.publishing import publisher as publisher_module
from pos_host.publishing.errors import BrokerUnreachable
from pos_host.publishing.ports import Transport
from pos_host.publishing.publisher import Publisher
from pos_host.publishing.retained_states import REST_S
from pos_host.publishing.topics import Topics

EVERYTHING = "pos-host/v1/#"


@pytest.fixture(params=["memory", "embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[BrokerUnderTest]:
    chosen: BrokerUnderTest
    match request.param:
        case "memory":
            chosen = InMemory()
        case "embedded":
            chosen = embedded()
        case _:
            chosen = real_mosquitto(require_mosquitto())
    await chosen.start()
    yield chosen
    await chosen.stop()
    chosen.remove()


@pytest.fixture
def events() -> EventLogInMemory:
    return EventLogInMemory()


@pytest.fixture
def board() -> StateBoardInMemory:
    return StateBoardInMemory()


def publisher_of(
    broker: BrokerUnderTest,
    events: EventLogInMemory,
    board: StateBoardInMemory,
    *,
    busy: bool = False,
    transport: Transport | None = None,
) -> Publisher:
    way = transport or broker.transport()
    return Publisher(way, Topics(), events, board, busy=lambda: busy, version="0.1.0", since_ms=AT_MS)


@asynccontextmanager
async def publishing(
    broker: BrokerUnderTest, events: EventLogInMemory, board: StateBoardInMemory, **options: Any
) -> AsyncIterator[Publisher]:
    publisher = publisher_of(broker, events, board, **options)
    await publisher.first_connect()
    try:
        yield publisher
    finally:
        await publisher.stop()


def sequences(watch: Watch) -> list[int]:
    return [message.json()["sequence"] for message in watch.received if "/events/" in message.topic]


async def test_events_arrive_in_order_as_cloud_events(
    broker: BrokerUnderTest, events: EventLogInMemory, board: StateBoardInMemory
) -> None:
    async with broker.watch("pos-host/v1/events/#") as watch, publishing(broker, events, board):
        events.commit(amount_minor=1200)
        events.commit(event_type="batch.settled")
        received = await watch.count(2)

    assert ["pos-host/v1/events/transaction.approved", "pos-host/v1/events/batch.settled"] == [
        message.topic for message in received
    ]
    assert {
        "specversion": "1.0",
        "id": "host-7-1",
        "source": "pos-host/host-7",
        "type": "transaction.approved",
        "subject": "M1/T1",
        "time": "2026-03-02T11:00:00.000Z",
        "datacontenttype": "application/json",
        "sequence": 1,
        "data": {"stan": 1, "amount_minor": 1200},
    } == received[0].json()
    assert not received[0].retained


async def test_five_hundred_waiting_events_all_arrive_in_order_and_the_cursor_is_saved(
    broker: BrokerUnderTest, events: EventLogInMemory, board: StateBoardInMemory
) -> None:
    events.commit(500)
    async with broker.watch("pos-host/v1/events/+") as watch:
        async with publishing(broker, events, board):
            await watch.count(500)
        assert list(range(1, 501)) == sequences(watch)
    assert 500 == events.saved[-1]


async def test_publishing_goes_on_after_the_saved_cursor(broker: BrokerUnderTest, board: StateBoardInMemory) -> None:
    events = EventLogInMemory(published_through=3)
    events.commit(5)
    async with broker.watch("pos-host/v1/events/+") as watch, publishing(broker, events, board):
        await watch.count(2)
        assert [4, 5] == sequences(watch)


async def test_the_host_is_shown_online_and_after_its_stop_offline(
    broker: BrokerUnderTest, events: EventLogInMemory, board: StateBoardInMemory
) -> None:
    async with publishing(broker, events, board), broker.watch("pos-host/v1/host/status") as watch:
        (status,) = await watch.count(1)
        online = {"state": "online", "since": "2026-03-02T11:00:00.000Z", "version": "0.1.0"}
        assert (online, True) == (status.json(), status.retained)
    async with broker.watch("pos-host/v1/host/status") as watch:
        (status,) = await watch.count(1)
        assert ({"state": "offline"}, True) == (status.json(), status.retained)


async def test_a_connection_that_is_cut_shows_the_host_offline_until_it_is_back(
    broker: BrokerUnderTest, events: EventLogInMemory, board: StateBoardInMemory
) -> None:
    transport = await broker.transport_that_can_be_cut()
    async with (
        broker.watch("pos-host/v1/host/status") as watch,
        publishing(broker, events, board, transport=transport),
    ):
        await watch.count(1)
        broker.cut()
        received = await watch.count(3)

    assert ["online", "offline", "online"] == [message.json()["state"] for message in received[:3]]


async def test_the_state_of_every_terminal_is_there_for_who_comes_later(
    broker: BrokerUnderTest, events: EventLogInMemory, board: StateBoardInMemory
) -> None:
    board.set_batch("M1", "T1", number="000001", state="open")
    board.set_batch("M2", "T1", number="000009", state="settling")
    board.set_flag("M2", "T1", {"severity": "due"})
    async with publishing(broker, events, board), broker.watch("pos-host/v1/terminals/#") as watch:
        received = await watch.until(lambda received: len([it for it in received if it.payload]) >= 3)
        states = {message.topic: message.json() for message in received if message.payload}

    assert {
        "pos-host/v1/terminals/M1/T1/batch": {"number": "000001", "state": "open"},
        "pos-host/v1/terminals/M2/T1/batch": {"number": "000009", "state": "settling"},
        "pos-host/v1/terminals/M2/T1/unsettled": {"severity": "due"},
    } == states


async def test_a_flag_is_retained_while_it_stands_and_cleared_when_it_is_gone(
    broker: BrokerUnderTest, events: EventLogInMemory, board: StateBoardInMemory
) -> None:
    flags = "pos-host/v1/terminals/+/+/unsettled"
    async with publishing(broker, events, board):
        async with broker.watch(flags) as watch:
            board.set_flag("M1", "T1", {"severity": "due"})
            await watch.count(1)
            board.set_flag("M1", "T1", {"severity": "overdue"})
            await watch.count(2)
            async with broker.watch(flags) as later:
                (flag,) = await later.count(1)
                assert ({"severity": "overdue"}, True) == (flag.json(), flag.retained)
            board.set_flag("M1", "T1", None)
            assert b"" == (await watch.count(3))[-1].payload
        async with broker.watch(EVERYTHING) as later:
            await later.count(1)
            await asyncio.sleep(0.1)
            assert [] == [message for message in later.received if message.topic.endswith("unsettled")]


async def test_a_flag_that_went_while_the_host_was_down_is_cleared_at_its_start(
    broker: BrokerUnderTest, events: EventLogInMemory, board: StateBoardInMemory
) -> None:
    board.set_batch("M1", "T1", number="000001")
    board.set_flag("M1", "T1", {"severity": "due"})
    flags = "pos-host/v1/terminals/+/+/unsettled"
    async with broker.watch(flags) as watch:
        async with publishing(broker, events, board):
            await watch.count(1)
        board.flags.clear()
        async with publishing(broker, events, board):
            assert b"" == (await watch.count(2))[-1].payload


async def test_a_topic_is_told_at_most_once_in_250_ms_and_ends_with_the_last_state(
    broker: BrokerUnderTest, events: EventLogInMemory, board: StateBoardInMemory
) -> None:
    began_s = time.monotonic()
    async with broker.watch("pos-host/v1/terminals/+/+/batch") as watch, publishing(broker, events, board):
        for count in range(1, 101):
            board.set_batch("M1", "T1", count=count)
            events.wake.set()
            await asyncio.sleep(0.007)
        received = await watch.until(lambda received: received and received[-1].json()["count"] == 100)
    took_s = time.monotonic() - began_s

    assert 3 <= len(received) <= took_s / REST_S + 1


async def test_commands_reach_who_listens_and_are_not_retained(
    broker: BrokerUnderTest, events: EventLogInMemory, board: StateBoardInMemory
) -> None:
    command = {"command": "settle_now", "id": "c1", "expires_at": "2026-03-02T15:00:00Z", "reason": "due"}
    async with publishing(broker, events, board) as publisher:
        async with broker.watch("pos-host/v1/terminals/M1/T1/commands") as watch:
            publisher.send_command("M1", "T1", command)
            (received,) = await watch.count(1)
            assert (command, False) == (received.json(), received.retained)
        async with broker.watch(EVERYTHING) as later:
            await later.count(1)
            assert [] == [message for message in later.received if message.topic.endswith("commands")]


async def test_ids_with_slashes_and_wildcards_keep_to_their_own_topics(
    broker: BrokerUnderTest, events: EventLogInMemory, board: StateBoardInMemory
) -> None:
    board.set_batch("M/1 +#", "T\x00é/%", number="000001")
    async with broker.watch("pos-host/v1/terminals/+/+/batch") as watch, publishing(broker, events, board):
        (received,) = await watch.count(1)

    assert "pos-host/v1/terminals/M%2F1%20%2B%23/T%00%C3%A9%2F%25/batch" == received.topic


async def test_what_happens_while_the_broker_restarts_is_told_afterwards(
    broker: BrokerUnderTest, events: EventLogInMemory, board: StateBoardInMemory
) -> None:
    board.set_batch("M1", "T1", number="000001")
    gate = Gate(broker.transport())
    async with publishing(broker, events, board, transport=gate):
        async with broker.watch("pos-host/v1/events/+") as watch:
            events.commit(30)
            await watch.count(30)
            assert list(range(1, 31)) == sequences(watch)
        gate.open.clear()
        await broker.stop()
        events.commit(30)
        await asyncio.sleep(0.05)
        await broker.start()
        events.commit(30)
        async with broker.watch(EVERYTHING) as watch:
            gate.open.set()
            await watch.until(lambda _: 90 in sequences(watch))
            await watch.until(lambda _: "pos-host/v1/terminals/M1/T1/batch" in topics(watch))

    assert "pos-host/v1/host/status" in topics(watch)
    assert list(range(31, 91)) == sequences(watch)
    assert 90 == events.saved[-1]


def topics(watch: Watch) -> set[str]:
    return {message.topic for message in watch.received}


async def test_connections_that_are_cut_again_and_again_lose_no_event(
    broker: BrokerUnderTest, events: EventLogInMemory, board: StateBoardInMemory
) -> None:
    transport = await broker.transport_that_can_be_cut()
    events.commit(1500)
    async with broker.watch("pos-host/v1/events/+") as watch:
        async with publishing(broker, events, board, transport=transport):
            for _ in range(5):
                await watch.count(len(watch.received) + 120)
                broker.cut()
            await watch.until(lambda received: received[-1].json()["sequence"] == 1500)
        first_told = list(dict.fromkeys(sequences(watch)))

    assert list(range(1, 1501)) == first_told
    assert 1500 == events.saved[-1]


async def test_an_unreachable_broker_is_an_error_at_the_start(
    broker: BrokerUnderTest, events: EventLogInMemory, board: StateBoardInMemory
) -> None:
    publisher = publisher_of(broker, events, board)
    await broker.stop()

    with pytest.raises(BrokerUnreachable, match="cannot be reached") as refused:
        await publisher.first_connect()

    assert "\n" not in str(refused.value)
    await publisher.stop()


async def test_stopping_without_a_broker_takes_less_than_a_second(
    broker: BrokerUnderTest, events: EventLogInMemory, board: StateBoardInMemory
) -> None:
    publisher = publisher_of(broker, events, board)
    await publisher.first_connect()
    await broker.stop()
    events.commit(5)
    await asyncio.sleep(0.2)

    async with loop_seconds() as took_s:
        await publisher.stop()
        assert took_s() < 1


async def test_stopping_sends_what_was_just_committed(
    broker: BrokerUnderTest,
    events: EventLogInMemory,
    board: StateBoardInMemory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for limit in ("DRAIN_S", "STOP_S"):
        monkeypatch.setattr(publisher_module, limit, HANGING_S)
    async with broker.watch(EVERYTHING) as watch:
        publisher = publisher_of(broker, events, board, busy=True)
        await publisher.first_connect()
        events.commit(40)
        await publisher.stop()
        await watch.until(lambda received: received and received[-1].payload == b'{"state":"offline"}')
        assert list(range(1, 41)) == sequences(watch)
    assert 40 == events.saved[-1]


async def test_under_heavy_load_publishing_takes_about_a_tenth_of_the_time_and_loses_nothing(
    broker: BrokerUnderTest, events: EventLogInMemory, board: StateBoardInMemory
) -> None:
    events.commit(200)
    async with broker.watch("pos-host/v1/events/+") as watch, publishing(broker, events, board, busy=True):
        await watch.count(1)
        started_s, started_cpu_s = time.monotonic(), time.thread_time()
        await watch.count(200)
        took_s, took_cpu_s = time.monotonic() - started_s, time.thread_time() - started_cpu_s

    assert list(range(1, 201)) == sequences(watch)
    # A tenth for publishing; the broker's forwarding and this watcher use the same thread.
    assert took_cpu_s < 0.35 * took_s
