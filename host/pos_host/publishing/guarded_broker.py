"""amqtt's broker with its known faults fenced in. Importing this imports amqtt, which takes 0.1 s and more.

- Three of its loops walk the dictionary of subscriptions while clients that come and go change it.
- It sends the retained messages of everybody's subscriptions to each client that connects.
  Of 300 clients that came and went 47 failed, and 3,103 messages reached clients that never asked.
- It acknowledges a message before it forwards it, and forgets those that wait when their sender says
  good-bye: the last word of a host that stops was lost.
- A connection that says nothing stays for ever, and leaves a traceback at the end.
- A subscriber that stops reading makes it keep every message from then on.

The guarded names are private, hence `amqtt==0.12.1` in pyproject.toml and the churn test.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from amqtt.adapters import ReaderAdapter, StreamReaderAdapter, StreamWriterAdapter, WriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import ListenerType
from amqtt.errors import MQTTError
from amqtt.mqtt.disconnect import DisconnectPacket
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import Session

CONNECT_WITHIN_S = 10.0
"""A client that has sent no CONNECT by then is cut off (MQTT 3.1.1, 3.1.4: "a reasonable amount of time")."""

READ_WITHIN_S = 10.0
"""A subscriber whose buffers stay full for so long is cut off; what waits for it is kept until then."""

FORWARD_WITHIN_S = 1.0
"""Forwarding a client's last words takes milliseconds; a client that comes again waits no longer for it."""

_LISTENER = "default"
_CONFIG = {
    "listeners": {_LISTENER: {"type": "tcp"}},
    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
}

_log = logging.getLogger(__name__)


class SnapshotDict(dict[str, list[tuple[Session, int]]]):
    """A dictionary whose loops walk a copy, so that it may change under them."""

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.keys()))

    def items(self) -> list[tuple[str, list[tuple[Session, int]]]]:  # type: ignore[override]
        return list(super().items())


class PatientWriter(StreamWriterAdapter):
    """Writes to a client for as long as it reads."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        super().__init__(writer)
        self._transport = writer.transport

    async def drain(self) -> None:
        """Wait until the client has read enough; raises ConnectionResetError if it does not."""
        if self._transport.get_write_buffer_size() == 0:
            return
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                await super().drain()
        except TimeoutError:
            self._transport.abort()
            raise ConnectionResetError(f"read nothing for {READ_WITHIN_S:.0f} s") from None


class GuardedBroker(Broker):
    """An MQTT 3.1.1 broker that listens on the socket `listening`, lets everybody in and tells no $SYS."""

    def __init__(self, listening: socket.socket) -> None:
        super().__init__(dict(_CONFIG))
        self._listening = listening
        self._subscriptions = SnapshotDict()
        self._clients: set[asyncio.Task[Any]] = set()
        self._strangers: set[asyncio.Task[Any]] = set()

    async def end_within(self, seconds: float) -> None:
        """Forward what came, close every connection and the port; what has not closed by then is cut off."""
        for task in self._strangers:
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds / 2):
                await self._all_forwarded()
        try:
            async with asyncio.timeout(seconds / 2):
                await self.shutdown()
        except TimeoutError:
            _log.info("mqtt: the embedded broker cuts off %d clients", len(self._clients))
            for server in self._servers.values():
                server.instance.close()
        for task in self._clients:
            task.cancel()

    async def _all_forwarded(self) -> None:
        while self._has_to_forward():  # noqa: ASYNC110 - amqtt has no event for it
            await asyncio.sleep(0)

    def _has_to_forward(self) -> bool:
        return (
            not self._broadcast_queue.empty()
            or any(not session.delivered_message_queue.empty() for session, _ in self._sessions.values())
            or any(not task.done() for task in self._tasks_queue)
        )

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        """One client from its connection to its end, which is never an error of the host's."""
        task = asyncio.current_task()
        if task is None:
            return
        self._clients.add(task)
        # asyncio leaves Nagle's algorithm on for a socket that was made with protocol 0: 40 ms a window.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await self._client_connected(listener_name, StreamReaderAdapter(reader), PatientWriter(writer))
        except asyncio.CancelledError:
            pass  # the broker ends; left to asyncio's streams this would be a traceback
        except Exception as error:
            _log.info("mqtt: a client of the embedded broker was cut off: %r", error)
        finally:
            self._clients.discard(task)
            writer.close()

    async def _create_server_instance(
        self,
        listener_name: str,
        listener_type: ListenerType,
        address: str | None,
        port: int,
        ssl_context: ssl.SSLContext | None,
    ) -> asyncio.Server:
        client_connected = partial(self.stream_connected, listener_name=listener_name)
        return await asyncio.start_server(client_connected, sock=self._listening)

    async def _initialize_client_session(
        self, reader: ReaderAdapter, writer: WriterAdapter, remote_address: str, remote_port: int
    ) -> tuple[BrokerProtocolHandler, Session]:
        task = asyncio.current_task()
        if task is not None:
            self._strangers.add(task)
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                return await super()._initialize_client_session(reader, writer, remote_address, remote_port)
        except TimeoutError:
            raise MQTTError(f"no CONNECT within {CONNECT_WITHIN_S:.0f} s") from None
        finally:
            if task is not None:
                self._strangers.discard(task)

    async def _client_message_loop(self, client_session: Session, handler: BrokerProtocolHandler) -> None:
        wait_disconnect = handler.wait_disconnect

        async def wait_until_forwarded() -> DisconnectPacket | None:
            packet = await wait_disconnect()
            await _forwarded(client_session)
            return packet

        handler.wait_disconnect = wait_until_forwarded  # type: ignore[method-assign]
        await super()._client_message_loop(client_session, handler)

    async def _delete_session(self, client_id: str) -> None:
        """Called when a client comes again under its name: first what it said before, but not its will."""
        session, _ = self._sessions.get(client_id, (None, None))
        if session is not None:
            session.will_flag = False  # else its old connection, when it ends, shows a living host offline
            with suppress(TimeoutError):
                async with asyncio.timeout(FORWARD_WITHIN_S):
                    await _forwarded(session)
        await super()._delete_session(client_id)

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        subscribers = self._subscriptions.get(subscription[0], ())
        if any(subscriber.client_id == session.client_id for subscriber, _ in subscribers):
            await super()._publish_retained_messages_for_subscription(subscription, session)


async def _forwarded(session: Session) -> None:
    """Wait until all that the session's client sent is on its way to the subscribers."""
    while not session.delivered_message_queue.empty():  # noqa: ASYNC110 - amqtt has no event for it
        await asyncio.sleep(0)
