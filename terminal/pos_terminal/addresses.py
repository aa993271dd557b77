"""Where a host listens: `ADDR:PORT` as people write it, or a host's ready file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from pos_specs.network_address import shown_address, split_address

DEFAULT_PORTS = {"unionpay": 8583, "hypercom": 8584, "iso87-ascii": 8585}
"""Where `pos-host serve` listens without options."""


class AddressError(ValueError):
    """Not an address, or a file that names none."""


class Address(NamedTuple):
    """A listener of a host."""

    host: str
    port: int

    def __str__(self) -> str:
        return shown_address(self.host, self.port)


class ReadyFile(NamedTuple):
    """What a running host wrote down: its listeners by dialect, its admin API and the token for it."""

    listeners: dict[str, Address]
    http: str | None
    token: str | None


def parse_address(text: str) -> Address:
    """`127.0.0.1:8583` or `[::1]:8583`; raises AddressError."""
    address = split_address(text)
    if address is None or address[1] == 0:
        raise AddressError(f"{text!r} is no ADDR:PORT, such as 127.0.0.1:8583")
    return Address(*address)


def default_address(dialect: str) -> Address:
    """Where a host started without options speaks `dialect`; raises AddressError for another dialect."""
    port = DEFAULT_PORTS.get(dialect)
    if port is None:
        raise AddressError(f"give --host: no default port for dialect {dialect}")
    return Address("127.0.0.1", port)


def read_ready_file(path: Path) -> ReadyFile:
    """What `pos-host serve --ready-file` wrote; raises AddressError."""
    try:
        table: dict[str, Any] = json.loads(path.read_text("utf-8"))
        listeners = {entry["dialect"]: Address(str(entry["host"]), int(entry["port"])) for entry in table["listeners"]}
    except OSError as error:
        raise AddressError(f"{path}: {error.strerror or 'cannot be read'}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AddressError(f"{path}: not a host's ready file") from None
    http = table.get("http")
    return ReadyFile(listeners, http if http and http != "off" else None, table.get("admin_token"))
