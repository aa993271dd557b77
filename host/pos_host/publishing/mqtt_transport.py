"""The way to an MQTT broker, through aiomqtt, which is imported at the first connection."""

from __future__ import annotations

import asyncio
import importlib
import logging
import math
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from pos_host.publishing.broker_address import BrokerAddress
from pos_host.publishing.errors import BrokerLost, BrokerUnreachable
from pos_host.publishing.ports import Connection, Message

if TYPE_CHECKING:
    import aiomqtt
    from paho.mqtt.properties import Properties

CONNECT_TIMEOUT_S = 2.0
"""A broker that does not take the connection, or does not greet, for so long is not there."""

ACK_TIMEOUT_S = 5.0
"""A broker that does not acknowledge for so long is taken for lost."""

KEEPALIVE_S = 15
"""The broker tells the host's death one and a half times this later at most: 23 s."""

IN_FLIGHT = 20
"""Messages sent and not yet acknowledged: what MQTT clients and Mosquitto allow by default."""

MQTT_3_1_1, MQTT_5 = 4, 5

_library_log = logging.getLogger("pos_host.publishing.mqtt_library")
_library_log.setLevel(logging.CRITICAL)  # what it says, as errors, BrokerLost and BrokerUnreachable say too


class MqttTransport:
    """Connects to the broker at `where`, by MQTT 5 if it knows it, else by 3.1.1.

    `client_id` must be the same after a restart: the broker then ends the old connection, and its will,
    before the new one begins. `mqtt5=False` leaves out the attempt for a broker known not to speak it.
    """

    def __init__(self, where: BrokerAddress, client_id: str, *, mqtt5: bool = True) -> None:
        self._where = where
        self._client_id = client_id
        self._versions: tuple[int, ...] = (MQTT_5, MQTT_3_1_1) if mqtt5 else (MQTT_3_1_1,)

    @property
    def address(self) -> str:
        return str(self._where)

    @asynccontextmanager
    async def connect(self, will: Message) -> AsyncIterator[Connection]:
        """A connection by the first version that the broker takes; raises BrokerUnreachable, BrokerLost."""
        library = await asyncio.to_thread(importlib.import_module, "aiomqtt")
        try:
            async with AsyncExitStack() as stack:
                yield await self._enter(stack, will)
        except library.MqttError as error:
            raise BrokerLost(self.address, _one_line(error)) from error

    async def _enter(self, stack: AsyncExitStack, will: Message) -> _MqttConnection:
        import aiomqtt

        reason = ""
        for version in self._versions:
            client = self._client(version, will)
            try:
                await stack.enter_async_context(client)
            except (aiomqtt.MqttError, OSError, ValueError) as error:
                client._client.disconnect()  # a greeting that never came leaves its socket open
                reason = _one_line(error)
                if _nobody_is_there(error.__context__):
                    break
                continue
            self._versions = tuple(sorted(self._versions, key=lambda known: known != version))
            return _MqttConnection(client, self.address, mqtt5=version == MQTT_5)
        raise BrokerUnreachable(self.address, reason)

    def _client(self, version: int, will: Message) -> aiomqtt.Client:
        import aiomqtt

        client = aiomqtt.Client(
            self._where.host,
            self._where.port,
            username=self._where.username,
            password=self._where.password,
            identifier=self._client_id,
            protocol=aiomqtt.ProtocolVersion(version),
            will=aiomqtt.Will(will.topic, will.payload, qos=1, retain=will.retain),
            timeout=CONNECT_TIMEOUT_S,
            logger=_library_log,
            keepalive=KEEPALIVE_S,
            max_inflight_messages=IN_FLIGHT,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],  # else 20 messages take 40 ms
            tls_params=aiomqtt.TLSParameters() if self._where.tls else None,
        )
        client._client.connect_timeout = CONNECT_TIMEOUT_S  # aiomqtt has no name of its own for it
        return client


class _MqttConnection:
    """A connection that stands."""

    def __init__(self, client: aiomqtt.Client, address: str, *, mqtt5: bool) -> None:
        self._client = client
        self._address = address
        self._mqtt5 = mqtt5
        self._properties: dict[str, Properties] = {}

    async def publish(self, messages: Sequence[Message]) -> None:
        import aiomqtt

        try:
            async with asyncio.timeout(ACK_TIMEOUT_S), asyncio.TaskGroup() as group:
                for message in messages:
                    group.create_task(self._publish(message))
        except TimeoutError:
            raise BrokerLost(self._address, f"no acknowledgement within {ACK_TIMEOUT_S:.0f} s") from None
        except ExceptionGroup as failed:
            _, others = failed.split(aiomqtt.MqttError)
            if others is not None:
                raise
            raise BrokerLost(self._address, _one_line(failed.exceptions[0])) from None

    async def lost(self) -> None:
        import aiomqtt

        try:
            async for _ in self._client.messages:  # nothing is subscribed: it ends with the connection
                pass
        except aiomqtt.MqttError as error:
            raise BrokerLost(self._address, _one_line(error.__cause__ or error)) from None

    async def _publish(self, message: Message) -> None:
        await self._client.publish(
            message.topic,
            message.payload,
            qos=1,
            retain=message.retain,
            properties=self._content_type(message.content_type) if self._mqtt5 and message.payload else None,
            timeout=math.inf,  # one timer for all of them, in publish
        )

    def _content_type(self, content_type: str) -> Properties:
        """MQTT 5's properties of a message, made once for each content type."""
        if content_type not in self._properties:
            from paho.mqtt.packettypes import PacketTypes
            from paho.mqtt.properties import Properties

            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.ContentType = content_type
            self._properties[content_type] = properties
        return self._properties[content_type]


def _nobody_is_there(cause: BaseException | None) -> bool:
    """True if another version of MQTT would find nobody either; one that only waited in vain might."""
    return isinstance(cause, OSError) and not isinstance(cause, TimeoutError)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
