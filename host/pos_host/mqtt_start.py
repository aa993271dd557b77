"""Starting broker and publisher; imported only when MQTT is on, since its libraries are slow to load."""

from __future__ import annotations

from collections.abc import Callable

from pos_host.event_log import BookBoard, JournalEvents
from pos_host.journal import Journal
from pos_host.ledger.registry import Registry
from pos_host.options import UsageError
from pos_host.publishing.broker import EmbeddedBroker
from pos_host.publishing.broker_address import broker_address
from pos_host.publishing.errors import PublishingError
from pos_host.publishing.mqtt_transport import MqttTransport
from pos_host.publishing.publisher import Publisher
from pos_host.publishing.topics import Topics
from pos_specs.release import release


async def start(
    mqtt: str,
    prefix: str,
    *,
    journal: Journal,
    registry: Registry,
    busy: Callable[[], bool],
    since_ms: int,
) -> tuple[EmbeddedBroker | None, Publisher, str, Callable[[], None]]:
    """Broker (when embedded), publisher, URL, and what to call after each commit; raises UsageError."""
    broker: EmbeddedBroker | None = None
    try:
        url = mqtt
        if mqtt == "embedded" or mqtt.startswith("embedded:"):
            broker = EmbeddedBroker(_insisted_port(mqtt))
            url = await broker.start()
        address = broker_address(url)
        events = JournalEvents(journal, registry)
        publisher = Publisher(
            MqttTransport(address, f"pos-host-{journal.store_id}", mqtt5=broker is None),
            Topics(prefix),
            events,
            BookBoard(registry),
            busy=busy,
            version=release(),
            since_ms=since_ms,
        )
        await publisher.first_connect()
    except PublishingError as error:
        if broker is not None:
            await broker.stop()
        raise UsageError(f"--mqtt {mqtt}: {error}") from None
    return broker, publisher, str(address), events.wake.set


def _insisted_port(mqtt: str) -> int | None:
    _, colon, port = mqtt.partition(":")
    if not colon:
        return None
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"--mqtt {mqtt}: must be embedded:PORT with a port from 1 to 65535")
    return int(port)
