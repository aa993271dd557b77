"""What publishing needs from the rest of the host, and from a broker; the rest of the host implements it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, Protocol, TypeAlias

from pos_host.publishing.events import Event


class EventLog(Protocol):
    """The committed events of the host, in order, and how far they were published."""

    @property
    def source_id(self) -> str:
        """Names this store among others; it is part of every event's id, so it never changes."""

    @property
    def wake(self) -> asyncio.Event:
        """Set whenever new events were committed. Only the publisher waits for it and clears it."""

    async def events_after(self, sequence: int, limit: int) -> list[Event]:
        """The first `limit` events with a higher sequence, in order."""

    async def published_through(self) -> int:
        """The sequence last saved; 0 before the first."""

    async def save_published(self, sequence: int) -> None:
        """Remember that all events up to `sequence` were acknowledged by the broker."""


class StateBoard(Protocol):
    """What is true now of each terminal, named by merchant and terminal id."""

    def take_changed(self) -> set[tuple[str, str]]:
        """The terminals whose state changed since the last call."""

    def all_terminals(self) -> list[tuple[str, str]]:
        """Every terminal there is: all are told anew after each connection."""

    def batch_state(self, merchant_id: str, terminal_id: str) -> dict[str, Any] | None:
        """The JSON object of the terminal's current batch; None if it has none."""

    def unsettled_state(self, merchant_id: str, terminal_id: str) -> dict[str, Any] | None:
        """The JSON object of the terminal's flag; None while it has none."""


Load: TypeAlias = Callable[[], bool]
"""True while the wire is under heavy load: publishing then takes a tenth of the time at most."""


class Message(NamedTuple):
    """One MQTT message; an empty retained payload clears the topic. Brokers of MQTT 5 are told
    the `content_type`."""

    topic: str
    payload: bytes
    retain: bool = False
    content_type: str = "application/json"


class Connection(Protocol):
    """A connection to a broker that stands."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Send in order, at QoS 1, and return once the broker acknowledged all; raises BrokerLost."""

    async def lost(self) -> None:
        """Wait until the connection is gone, then raise BrokerLost."""


class Transport(Protocol):
    """A way to a broker."""

    @property
    def address(self) -> str:
        """The broker's URL without a password, for people."""

    def connect(self, will: Message) -> AbstractAsyncContextManager[Connection]:
        """Connect; `will` is what the broker publishes if the connection ends without a good-bye.

        Raises BrokerUnreachable.
        """
