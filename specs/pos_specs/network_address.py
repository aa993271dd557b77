"""A network address as people write it."""

from __future__ import annotations

MOST_LABEL_CHARACTERS = 63
"""Of each part between the dots of a host's name (RFC 1035, 2.3.4): what is longer makes a resolver fail in ways of its
own."""

PORT_DIGITS = 5


def split_address(text: str) -> tuple[str, int] | None:
    """Host and port of `127.0.0.1:8583`, `[::1]:8583` or `host.example:8583`; None for what is no address."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not _may_be_a_host(host) or not (port.isascii() and port.isdigit() and len(port) <= PORT_DIGITS):
        return None
    return (host, int(port)) if int(port) < 65536 else None


def shown_address(host: str, port: int) -> str:
    """Host and port as `split_address` reads them, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _may_be_a_host(text: str) -> bool:
    if not text.isascii() or not text.isprintable() or " " in text:
        return False
    return all(0 < len(label) <= MOST_LABEL_CHARACTERS for label in text.removesuffix(".").split("."))
