"""What can go wrong between the host and an MQTT broker.

    PublishingError
    ├── AddressNotUsable   an --mqtt or --mqtt-prefix value is wrong: the operator's fault
    ├── PortTaken          the embedded broker cannot have the port it was told to take
    ├── BrokerUnreachable  no connection could be made
    └── BrokerLost         a connection that stood is gone; what was not acknowledged is sent again

Every text is one line and names the address, never a password.
"""

from __future__ import annotations


class PublishingError(Exception):
    """Root of every error of publishing."""


class AddressNotUsable(PublishingError):
    """A broker's URL or a topic prefix is wrong; the text says how."""


class PortTaken(PublishingError):
    """The embedded broker cannot listen on `port`."""

    def __init__(self, port: int, reason: str) -> None:
        super().__init__(f"mqtt embedded:{port}: cannot listen on 127.0.0.1:{port}: {reason}")
        self.port = port
        self.reason = reason


class BrokerUnreachable(PublishingError):
    """No connection to the broker at `address` could be made."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"{address}: cannot be reached: {reason}")
        self.address = address
        self.reason = reason


class BrokerLost(PublishingError):
    """The connection to the broker at `address` ended."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"{address}: connection lost: {reason}")
        self.address = address
        self.reason = reason
