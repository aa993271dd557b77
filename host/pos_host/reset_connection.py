"""Ends a connection as a peer does that died: with RST."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

NO_LINGER = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: closing the socket sends RST and drops what was not sent."""


def reset_connection(transport: asyncio.Transport) -> None:
    """Send RST and drop what was not sent; a transport without a socket, as in memory, is aborted."""
    wire = transport.get_extra_info("socket")
    if wire is not None:
        with contextlib.suppress(OSError), socket.socket(fileno=socket.dup(wire.fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    transport.abort()
