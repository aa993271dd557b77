"""Where a broker is: `mqtt://` and `mqtts://` URLs."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from pos_host.publishing.errors import AddressNotUsable
from pos_specs.network_address import shown_address

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True)
class BrokerAddress:
    """A broker's place; `str()` gives the URL without user and password."""

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{shown_address(self.host, self.port)}"


def broker_address(url: str) -> BrokerAddress:
    """The address in `mqtt://[user[:password]@]host[:port]`, or `mqtts://` for TLS.

    Raises AddressNotUsable, without the URL's password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressNotUsable("the MQTT URL has no readable host and port") from None
    wrong = _what_is_wrong(parts)
    if wrong or parts.hostname is None:
        raise AddressNotUsable(f"MQTT URL {parts._replace(netloc='…').geturl()!r}: {wrong}")
    return BrokerAddress(
        host=parts.hostname,
        port=_PORTS[parts.scheme] if port is None else port,
        tls=parts.scheme == "mqtts",
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def _what_is_wrong(parts: SplitResult) -> str | None:
    if parts.scheme not in _PORTS:
        return "must begin with mqtt:// or mqtts://"
    if not parts.hostname:
        return "names no host"
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return "must end after host and port"
    return None
