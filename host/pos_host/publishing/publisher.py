"""The publisher: events from the store in order, states as they change, commands at once.

One task does one thing after the other: a window of events, a window of states, a window of commands,
then rest. Events are acknowledged before the cursor moves, so each is sent at least once; everything
else is told anew after each connection.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pos_host.clock import iso_utc
from pos_host.publishing.duty_cycle import DutyCycle
from pos_host.publishing.errors import BrokerLost, BrokerUnreachable, PublishingError
from pos_host.publishing.events import Event, cloud_event
from pos_host.publishing.ports import Connection, EventLog, Load, Message, StateBoard, Transport
from pos_host.publishing.retained_states import RetainedStates, json_bytes
from pos_host.publishing.topics import Topics

WINDOW = 100
"""Messages given to the broker before waiting for all of them: a broker that holds back its last
acknowledgement for 40 ms, as Mosquitto does, is then waited for at most 25 times a second."""

BUSY_WINDOW = 20
"""The same under heavy load: ten milliseconds of the loop at a stretch."""

PAGE = 200
"""Events read from the store at once: 100 KiB."""

GATHER_S = 0.01
"""Between two looks into the store while single events trickle in: 100 look-ups a second at most."""

IDLE_S = 0.25
"""A look around without a call: states may change without an event, when only time went on."""

SAVE_EVERY_S = 1.0
"""The cursor is saved at most once a second: after a crash a second of events is sent again."""

FIRST_RETRY_S, LONGEST_RETRY_S = 0.1, 5.0
"""A broker that restarts is back soon, one that is down is asked every 5 s."""

DRAIN_S = 0.5
"""Time to flush when stopping."""

STOP_S = 0.9
"""When this is over, a broker that does not answer is left: the host has other things to stop."""

LOSS_KNOWN_WITHIN_S = 0.05
"""A failed send waits so long for the reason: the loss of the connection, which names it better."""

MOST_COMMANDS = 10_000
"""Commands that wait for a broker: a reminder to each terminal of a large fleet. Older ones are dropped."""

_CLOUD_EVENT = "application/cloudevents+json"

_log = logging.getLogger(__name__)


class Publisher:
    """Publishes from `first_connect` until `stop`; a broker that goes away is connected again.

    `version` and `since_ms` (UTC milliseconds) are told in the host's status; `cpu_s` is the processor
    time of the loop's thread.
    """

    def __init__(
        self,
        transport: Transport,
        topics: Topics,
        events: EventLog,
        board: StateBoard,
        *,
        busy: Load,
        version: str,
        since_ms: int,
        cpu_s: Callable[[], float] = time.thread_time,
    ) -> None:
        self._transport = transport
        self._topics = topics
        self._events = events
        self._states = RetainedStates(board, topics)
        self._busy = busy
        self._cpu_s = cpu_s
        self._duty = DutyCycle()
        online = {"state": "online", "since": iso_utc(since_ms), "version": version}
        self._online = Message(topics.host_status, json_bytes(online), retain=True)
        self._offline = Message(topics.host_status, json_bytes({"state": "offline"}), retain=True)
        self._commands: deque[Message] = deque(maxlen=MOST_COMMANDS)
        self._dropping = False
        self._page: deque[Event] = deque()
        self._last_page = 0
        self._cursor = self._saved = 0
        self._saved_at_s = self._looked_at_s = 0.0
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def first_connect(self) -> None:
        """Begin; returns once the broker shows the host online, raises BrokerUnreachable if it cannot."""
        self._cursor = self._saved = await self._events.published_through()
        connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(connected), name="publisher")
        self._task.add_done_callback(lambda _: connected.done() or connected.cancel())
        await connected

    def send_command(self, merchant_id: str, terminal_id: str, command: dict[str, Any]) -> None:
        """Send a command to a terminal that listens; it is not retained, and not kept over a restart."""
        if len(self._commands) == MOST_COMMANDS and not self._dropping:
            _log.warning("mqtt: %d commands wait for the broker, the oldest are dropped", MOST_COMMANDS)
            self._dropping = True
        topic = self._topics.commands(merchant_id, terminal_id)
        self._commands.append(Message(topic, json_bytes(command)))
        self._events.wake.set()

    async def stop(self) -> None:
        """Flush what can be flushed, show the host offline and end, within a second."""
        self._stopping.set()
        self._events.wake.set()
        if self._task is not None:
            await _end_within(self._task, STOP_S)
            try:
                await self._save_cursor()
            except Exception:
                _log.exception("mqtt: the cursor could not be saved, the last events will be sent again")

    async def _run(self, connected: asyncio.Future[None]) -> None:
        retry_s = FIRST_RETRY_S
        while not self._stopping.is_set():
            was_online = connected.done()
            try:
                async with self._transport.connect(will=self._offline) as connection:
                    await connection.publish([self._online])
                    _log.info("mqtt: connected to %s", self._transport.address)
                    retry_s = FIRST_RETRY_S
                    if not was_online:
                        connected.set_result(None)
                    await self._publish_until_lost(connection)
            except PublishingError as error:
                if not connected.done():
                    connected.set_exception(_unreachable(error))
                    return
                level = logging.WARNING if isinstance(error, BrokerLost) else logging.DEBUG
                _log.log(level, "mqtt: %s; trying again, events wait in the store", error)
                await self._rest(retry_s)
                retry_s = min(retry_s * 2, LONGEST_RETRY_S)
            except Exception as error:
                if not connected.done():
                    connected.set_exception(error)
                    return
                _log.exception("mqtt: publishing failed; trying again, events wait in the store")
                await self._rest(LONGEST_RETRY_S)

    async def _publish_until_lost(self, connection: Connection) -> None:
        """Publish until told to stop; raises BrokerLost as soon as the connection is gone."""
        self._page.clear()
        self._states.restart()
        work = asyncio.create_task(self._publish_until_stopped(connection), name="publisher-work")
        lost = asyncio.create_task(connection.lost(), name="publisher-lost")
        try:
            await asyncio.wait({work, lost}, return_when=asyncio.FIRST_COMPLETED)
            if work.done() and work.exception() is not None:
                await asyncio.wait({lost}, timeout=LOSS_KNOWN_WITHIN_S)
            await (lost if lost.done() else work)
        finally:
            for task in (work, lost):
                task.cancel()
            await asyncio.gather(work, lost, return_exceptions=True)

    async def _publish_until_stopped(self, connection: Connection) -> None:
        while not self._stopping.is_set():
            busy = self._busy()
            started_s = self._cpu_s()
            sent = await self._publish_windows(connection, BUSY_WINDOW if busy else WINDOW)
            rest_s = self._duty.rest_s(sent, self._cpu_s() - started_s, busy=busy)
            await self._save_cursor_when_due()
            if sent == 0:
                await self._wait_for_work()
            await self._rest(max(rest_s, self._gathering_s()))
        await self._drain(connection)
        await connection.publish([self._offline])

    async def _drain(self, connection: Connection) -> None:
        """Send what waits, for DRAIN_S; a store that fails now is not the broker's to suffer for."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_S):
                    while await self._publish_windows(connection, WINDOW):
                        pass
        except PublishingError:
            raise
        except Exception:
            _log.exception("mqtt: not everything could be sent before the end; events wait in the store")

    async def _publish_windows(self, connection: Connection, window: int) -> int:
        """One window of each kind; gives how many messages went out."""
        events = await self._next_events(window)
        if events:
            await connection.publish([self._event_message(event) for event in events])
            self._cursor = events[-1].sequence
            for _ in events:
                self._page.popleft()
        states = self._states.take(asyncio.get_running_loop().time(), window)
        if states:
            await connection.publish(states)
        return len(events) + len(states) + await self._publish_commands(connection, window)

    async def _publish_commands(self, connection: Connection, window: int) -> int:
        commands = [self._commands.popleft() for _ in range(min(window, len(self._commands)))]
        if commands:
            try:
                await connection.publish(commands)
            except BaseException:
                self._commands.extendleft(reversed(commands))
                raise
            self._dropping = False
        return len(commands)

    async def _next_events(self, window: int) -> list[Event]:
        if not self._page:
            self._looked_at_s = asyncio.get_running_loop().time()
            self._page.extend(await self._events.events_after(self._cursor, PAGE))
            self._last_page = len(self._page)
        return [self._page[place] for place in range(min(window, len(self._page)))]

    def _event_message(self, event: Event) -> Message:
        document = cloud_event(event, self._events.source_id)
        return Message(self._topics.events(event.type), json_bytes(document), content_type=_CLOUD_EVENT)

    async def _wait_for_work(self) -> None:
        """Until something is committed, commanded or changed, or IDLE_S is over."""
        loop = asyncio.get_running_loop()
        next_s = self._states.next_s(loop.time())
        longest_s = IDLE_S if next_s is None else min(IDLE_S, max(0.0, next_s - loop.time()))
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._events.wake.wait()
        self._events.wake.clear()

    def _gathering_s(self) -> float:
        """How long to let single events gather; not at all while a page at a time waits."""
        if self._last_page == PAGE or self._page:
            return 0.0
        return self._looked_at_s + GATHER_S - asyncio.get_running_loop().time()

    async def _rest(self, seconds: float) -> None:
        """Sleep unless told to stop."""
        if seconds <= 0:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _save_cursor_when_due(self) -> None:
        if asyncio.get_running_loop().time() - self._saved_at_s >= SAVE_EVERY_S:
            await self._save_cursor()

    async def _save_cursor(self) -> None:
        if self._cursor != self._saved:
            cursor = self._cursor
            await self._events.save_published(cursor)
            self._saved = cursor
            self._saved_at_s = asyncio.get_running_loop().time()


def _unreachable(error: PublishingError) -> PublishingError:
    """A connection lost before the first word was said counts as none."""
    return BrokerUnreachable(error.address, error.reason) if isinstance(error, BrokerLost) else error


async def _end_within(task: asyncio.Task[None], seconds: float) -> None:
    """Wait for `task`, then cancel it; twice, since its good-bye to the broker may hang as well."""
    await asyncio.wait({task}, timeout=seconds)
    for _ in range(2):
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=0.05)
    if task.done() and not task.cancelled() and task.exception() is not None:
        _log.error("mqtt: the publisher had failed", exc_info=task.exception())
