"""The options of `pos-host serve`, checked before anything starts; each error is one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pos_host.security.mac_mode import MAC_MODES, MacMode
from pos_specs.network_address import split_address

DEFAULT_LISTEN = ("127.0.0.1:8583=unionpay", "127.0.0.1:8584=hypercom", "127.0.0.1:8585=iso87-ascii")

AUTO = "auto"
"""Stands where else a dialect does: framing and dialect are recognised from each connection's first frame."""


class UsageError(Exception):
    """An option or a file it names is wrong; the text is the one line to show."""


class NotDone(Exception):
    """A verb's work was refused or failed; the text is the one line to show, and the exit code is 1."""


@dataclass(frozen=True)
class ListenerOption:
    """Where to listen (port 0 takes a free one) and what is spoken there."""

    host: str
    port: int
    dialect: str


@dataclass(frozen=True)
class ConnectOption:
    """A concentrator to connect out to, over TLS or not, and what is spoken there."""

    host: str
    port: int
    dialect: str
    tls: bool


@dataclass(frozen=True)
class TlsOptions:
    """PEM files: the host's certificate with those that issued it, its key (None: in the same file), and whose
    certificates a client must have (None: it needs none)."""

    cert: Path
    key: Path | None
    client_ca: Path | None


@dataclass(frozen=True)
class ServeOptions:
    """What a host is started with. `products` is the acquirer's own table of cards and products, None for the shipped
    one; `rules` are rule files by path, shipped ones by name; `seed` is what the chance in them is drawn from, None for
    what the files say."""

    listen: tuple[ListenerOption, ...]
    store: Path | None
    mqtt: str = "off"
    mqtt_prefix: str = "pos-host/v1"
    http: tuple[str, int] | None = None
    enrol: str = "open"
    manual_clock_ms: int | None = None
    policy: Path | None = None
    mac: MacMode = "verify"
    keys: Path | None = None
    ready_file: Path | None = None
    tls: TlsOptions | None = None
    connect: tuple[ConnectOption, ...] = ()
    connect_ca: Path | None = None
    products: Path | None = None
    rules: tuple[str, ...] = ()
    seed: int | None = None
    record: Path | None = None


def parse_listen(text: str) -> ListenerOption:
    """`127.0.0.1:8583=unionpay`; raises UsageError."""
    address, equals, dialect = text.rpartition("=")
    if not equals or not dialect:
        raise UsageError(f"--listen {text}: must be ADDR:PORT=DIALECT, such as 127.0.0.1:8583=unionpay")
    host, port = parse_address(address, f"--listen {text}")
    return ListenerOption(host, port, dialect)


def parse_listeners(texts: Sequence[str] | None) -> tuple[ListenerOption, ...]:
    """All of `--listen`; the default ones where there is none, and no listener for `off`. Raises UsageError."""
    if texts and "off" in texts:
        if len(texts) > 1:
            raise UsageError("--listen off: goes with no other --listen")
        return ()
    return tuple(parse_listen(text) for text in texts or DEFAULT_LISTEN)


def parse_connect(text: str) -> ConnectOption:
    """`10.0.0.7:9000=unionpay`, or `tls://concentrator.example:9000=unionpay`; raises UsageError."""
    address, equals, dialect = text.rpartition("=")
    if not equals or not dialect:
        raise UsageError(f"--connect {text}: must be [tls://]ADDR:PORT=DIALECT, such as 10.0.0.7:9000=unionpay")
    scheme, _, plain = address.rpartition("://")
    if scheme not in ("", "tls"):
        raise UsageError(f"--connect {text}: {scheme}:// is not spoken here; write tls:// or nothing")
    host, port = parse_address(plain, f"--connect {text}")
    if port == 0:
        raise UsageError(f"--connect {text}: nobody listens at port 0")
    if dialect == AUTO:
        raise UsageError(f"--connect {text}: a dialect is recognised where the host listens; name the concentrator's")
    return ConnectOption(host, port, dialect, address.startswith("tls://"))


def parse_tls(cert: Path | None, key: Path | None, client_ca: Path | None) -> TlsOptions | None:
    """None without any of the three; raises UsageError for a key or a client CA without a certificate."""
    if cert is not None:
        return TlsOptions(cert, key, client_ca)
    for option, path in (("--tls-key", key), ("--tls-client-ca", client_ca)):
        if path is not None:
            raise UsageError(f"{option} {path}: needs --tls-cert")
    return None


def parse_address(text: str, what: str) -> tuple[str, int]:
    """`127.0.0.1:8580` or `[::1]:8580`; raises UsageError naming `what`."""
    address = split_address(text)
    if address is None:
        raise UsageError(f"{what}: must be ADDR:PORT with a port from 0 to 65535")
    return address


def parse_store(text: str) -> Path | None:
    """`sqlite:///var/pos-host.db` (relative) or `sqlite:////abs/path.db`; None for `memory:`; raises UsageError."""
    if text == "memory:":
        return None
    if text.startswith("sqlite:///") and len(text) > len("sqlite:///"):
        return Path(text[len("sqlite:///") :])
    if text.startswith("postgresql:"):
        raise UsageError(f"--store {text}: PostgreSQL is not served yet; use sqlite:///FILE or memory:")
    raise UsageError(f"--store {text}: must be sqlite:///FILE or memory:")


def parse_clock(text: str, now_ms: int) -> int | None:
    """None for `system`; UTC milliseconds for `manual` (from `now_ms`) or `manual:ISO-TIME`; raises UsageError."""
    kind, colon, start = text.partition(":")
    if text == "system":
        return None
    if kind != "manual":
        raise UsageError(f"--clock {text}: must be system, manual or manual:ISO-TIME")
    if not colon:
        return now_ms
    try:
        moment = datetime.fromisoformat(start)
    except ValueError:
        raise UsageError(f"--clock {text}: {start!r} is not an ISO 8601 time") from None
    if moment.tzinfo is None:
        raise UsageError(f"--clock {text}: the time needs an offset, such as 2026-03-02T20:00:00+08:00")
    return int(moment.timestamp() * 1000)


def parse_mac(text: str) -> MacMode:
    """off, verify or require; raises UsageError."""
    if text not in MAC_MODES:
        raise UsageError(f"--mac {text}: must be off, verify or require")
    return text  # type: ignore[return-value]
