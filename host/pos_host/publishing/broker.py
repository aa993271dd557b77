"""The embedded broker: MQTT for people who have none, on loopback, in the host's own process."""

from __future__ import annotations

import asyncio
import importlib
import logging
import socket
from typing import TYPE_CHECKING

from pos_host.publishing.errors import PortTaken

if TYPE_CHECKING:
    from pos_host.publishing.guarded_broker import GuardedBroker

LOOPBACK = "127.0.0.1"
"""Anybody may connect without a password, so nobody from outside."""

USUAL_PORT = 1883

BACKLOG = 128
"""Connections that may wait to be accepted: a fleet that connects at once."""

STOP_S = 1.0
"""Subscribers that do not let go for so long are left to the end of the process."""


class EmbeddedBroker:
    """An amqtt broker on 127.0.0.1, for everybody, MQTT 3.1.1; amqtt is imported only by `start`.

    It listens on `port`; without one on 1883, or on a free port where that is taken.
    """

    def __init__(self, port: int | None = None) -> None:
        self._port = port
        self._broker: GuardedBroker | None = None

    async def start(self) -> str:
        """Listen and give the URL; raises PortTaken only for a port that was asked for."""
        listening = self._listen()
        _quieten_libraries()
        try:
            module = await asyncio.to_thread(importlib.import_module, "pos_host.publishing.guarded_broker")
            broker: GuardedBroker = module.GuardedBroker(listening)
            await broker.start()
        except BaseException:
            listening.close()
            raise
        self._broker = broker
        return f"mqtt://{LOOPBACK}:{listening.getsockname()[1]}"

    async def stop(self) -> None:
        """Close all connections and the port."""
        if self._broker is not None:
            broker, self._broker = self._broker, None
            await broker.end_within(STOP_S)

    def _listen(self) -> socket.socket:
        for port in (USUAL_PORT, 0) if self._port is None else (self._port,):
            try:
                return socket.create_server((LOOPBACK, port), backlog=BACKLOG)
            except (OSError, OverflowError) as error:
                reason = getattr(error, "strerror", None) or str(error)
        raise PortTaken(USUAL_PORT if self._port is None else self._port, reason)


_LEVELS = {
    "amqtt": logging.WARNING,
    "amqtt.mqtt.protocol": logging.ERROR,  # warns of acknowledgements that crossed a client's good-bye
    "transitions": logging.WARNING,
}

_CLIENTS_FAULTS = (
    "No data from",
    "Invalid connection from",
    "Failed to initialize client session",
    "Task failed and will be skipped",
    "[MQTT-",
)
"""How amqtt begins what it says, some of it as errors with a traceback, when a client leaves in the middle
of something, reads too slowly, or only knocks at the port."""


def _is_the_brokers(record: logging.LogRecord) -> bool:
    cancelled = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not cancelled and not record.getMessage().startswith(_CLIENTS_FAULTS)


def _quieten_libraries() -> None:
    """Leave of the libraries' log lines what concerns the broker and not one of its clients."""
    for name, level in _LEVELS.items():
        logging.getLogger(name).setLevel(level)
    logging.getLogger("amqtt.broker").addFilter(_is_the_brokers)  # a second time changes nothing
