"""The publisher's times, on a clock that jumps: no machine is too busy for them."""

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.unit.host.publishing.host_in_memory import AT_MS, EventLogInMemory, StateBoardInMemory

from pos_host.publishing import publisher as module
from pos_host.publishing.events import Event
from pos_host.publishing.memory import MemoryBroker
from pos_host.publishing.ports import Connection, Message
from pos_host.publishing.publisher import BUSY_WINDOW, MOST_COMMANDS, Publisher
from pos_host.publishing.topics import Topics
from pos_host.testing.virtual_loop import run_virtually


def virtually(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The test, lived through on a virtual loop of its own."""

    @functools.wraps(test)
    def lived(*fixtures: Any, **named: Any) -> None:
        run_virtually(test(*fixtures, **named))

    return lived


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


def publisher_of(broker: MemoryBroker, events: EventLogInMemory, **options: Any) -> Publisher:
    settings: dict[str, Any] = {"busy": bool, "version": "0.1.0", "since_ms": AT_MS}
    return Publisher(broker, Topics(), events, StateBoardInMemory(), **settings | options)


def told(broker: MemoryBroker, what: str = "/events/") -> int:
    return len([message for message in broker.messages if what in message.topic])


@virtually
async def test_under_load_a_window_of_events_is_followed_by_nine_times_its_own_time(broker: MemoryBroker) -> None:
    seconds = iter(range(1000))
    events = EventLogInMemory()
    events.commit(3 * BUSY_WINDOW)
    publisher = publisher_of(broker, events, busy=lambda: True, cpu_s=lambda: next(seconds) * 0.02)
    await publisher.first_connect()
    await asyncio.sleep(0.05)
    assert BUSY_WINDOW == told(broker)
    await asyncio.sleep(0.2)
    assert 2 * BUSY_WINDOW == told(broker)
    await publisher.stop()

    assert 3 * BUSY_WINDOW == told(broker)


@virtually
async def test_the_cursor_is_saved_at_most_once_a_second_and_at_the_end(broker: MemoryBroker) -> None:
    events = EventLogInMemory()
    publisher = publisher_of(broker, events)
    await publisher.first_connect()
    for _ in range(20):
        events.commit()
        await asyncio.sleep(0.02)
    saved = len(events.saved)
    await publisher.stop()

    assert saved <= 1
    assert 20 == events.saved[-1]


@virtually
async def test_single_events_that_trickle_in_are_looked_for_a_hundred_times_a_second_at_most(
    broker: MemoryBroker,
) -> None:
    events = EventLogInMemory()
    publisher = publisher_of(broker, events)
    await publisher.first_connect()
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    for _ in range(200):
        events.commit()
        await asyncio.sleep(0.001)
    looks_a_second = events.looks / (loop.time() - started_s)
    await publisher.stop()

    assert looks_a_second <= 110
    assert 200 == told(broker)


@virtually
async def test_a_single_event_is_told_at_once(broker: MemoryBroker) -> None:
    events = EventLogInMemory()
    publisher = publisher_of(broker, events)
    await publisher.first_connect()
    await asyncio.sleep(0.05)
    events.commit()
    await asyncio.sleep(0.005)
    assert 1 == told(broker)
    await publisher.stop()


class BrokenLog(EventLogInMemory):
    """A store that cannot be read for a while."""

    broken = False

    async def events_after(self, sequence: int, limit: int) -> list[Event]:
        if self.broken:
            raise RuntimeError("disk full")
        return await super().events_after(sequence, limit)


@virtually
async def test_a_store_that_fails_is_tried_again_and_the_failure_is_in_the_log(
    broker: MemoryBroker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_RETRY_S", 0.05)
    events = BrokenLog()
    publisher = publisher_of(broker, events)
    await publisher.first_connect()
    events.broken = True
    events.commit()
    await asyncio.sleep(0.1)
    events.broken = False
    await asyncio.sleep(0.1)
    assert 1 == told(broker)
    await publisher.stop()

    assert "publishing failed" in caplog.text
    assert "disk full" in caplog.text


@virtually
async def test_a_store_that_fails_at_the_end_does_not_keep_the_host_online(
    broker: MemoryBroker, caplog: pytest.LogCaptureFixture
) -> None:
    class Closed(BrokenLog):
        async def save_published(self, sequence: int) -> None:
            raise RuntimeError("closed")

    events = Closed()
    publisher = publisher_of(broker, events)
    await publisher.first_connect()
    events.broken = True
    publisher._cursor = 7
    await publisher.stop()

    assert b'{"state":"offline"}' == broker.retained["pos-host/v1/host/status"]
    assert "not everything could be sent" in caplog.text
    assert "the cursor could not be saved" in caplog.text


@virtually
async def test_a_store_that_fails_at_the_start_is_an_error_of_the_start(broker: MemoryBroker) -> None:
    class NoCursor(EventLogInMemory):
        async def published_through(self) -> int:
            raise RuntimeError("no such table")

    with pytest.raises(RuntimeError, match="no such table"):
        await publisher_of(broker, NoCursor()).first_connect()


@virtually
async def test_a_broker_that_stays_away_is_one_warning_and_its_return_one_line(
    broker: MemoryBroker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="pos_host")
    publisher = publisher_of(broker, EventLogInMemory())
    await publisher.first_connect()
    caplog.clear()
    broker.go_away()
    await asyncio.sleep(0.5)
    broker.come_back()
    await asyncio.sleep(0.6)
    await publisher.stop()

    lines = [record.levelname for record in caplog.records]
    assert ["WARNING", "INFO"] == lines


@virtually
async def test_commands_given_while_the_broker_is_away_are_sent_when_it_is_back_up_to_a_limit(
    broker: MemoryBroker, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = publisher_of(broker, EventLogInMemory())
    await publisher.first_connect()
    broker.go_away()
    for number in range(MOST_COMMANDS + 2):
        publisher.send_command("M1", "T1", {"command": "settle_now", "id": number})
    broker.come_back()
    async with asyncio.timeout(10):
        while told(broker, "/commands") < MOST_COMMANDS:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await publisher.stop()

    assert MOST_COMMANDS == told(broker, "/commands")
    assert 1 == caplog.text.count("the oldest are dropped")


@virtually
async def test_a_publisher_that_never_began_can_be_stopped(broker: MemoryBroker) -> None:
    await publisher_of(broker, EventLogInMemory()).stop()

    assert [] == broker.messages


@virtually
async def test_stopping_while_the_first_connection_is_made_ends_the_waiting() -> None:
    class Slow(MemoryBroker):
        @asynccontextmanager
        async def connect(self, will: Message) -> AsyncIterator[Connection]:
            await asyncio.sleep(60)
            async with super().connect(will) as connection:
                yield connection

    publisher = publisher_of(Slow(), EventLogInMemory())
    connecting = asyncio.create_task(publisher.first_connect())
    await asyncio.sleep(0.01)
    async with asyncio.timeout(1.1):
        await publisher.stop()

    with pytest.raises(asyncio.CancelledError):
        await connecting
