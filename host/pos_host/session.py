"""The life of one connection: who speaks, in which dialect, and what waits to be sent to it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from pos_specs.framing import Framer
from pos_specs.language import Language

if TYPE_CHECKING:
    from asyncio import Transport


class Holding(Protocol):
    """What answers go through instead, once a fault holds them back."""

    def send(self, data: bytes) -> None: ...

    def act(self, kind: str, values: Mapping[str, Any], data: bytes) -> None: ...

    def drop(self) -> None: ...


class Session:
    """One connection. `send` collects; `flush` writes everything collected in one go.

    `awaited` counts the requests that came and are not answered yet; `closed` says that the peer is gone, `finishing`
    that the host will close it once all is answered, `ended` that it reads nothing more of what came. `outlet` holds
    answers back once a rule's fault wanted that, None before.
    """

    __slots__ = (
        "_close",
        "_out",
        "_write",
        "awaited",
        "closed",
        "ended",
        "finishing",
        "framer",
        "language",
        "outlet",
        "peer",
        "transport",
    )

    def __init__(
        self,
        language: Language,
        peer: str,
        write: Callable[[bytes], None],
        close: Callable[[], None],
        transport: Transport | None = None,
    ) -> None:
        self.language = language
        self.peer = peer
        self.framer = Framer(language.dialect.framing)
        self.awaited = 0
        self.closed = False
        self.ended = False
        self._close = close
        self.finishing = False
        self._write = write
        self._out: list[bytes] = []
        self.outlet: Holding | None = None
        self.transport = transport

    def send(self, data: bytes) -> None:
        """Collect an answer; nothing is written before `flush`."""
        if self.outlet is not None:
            self.outlet.send(data)
            return
        self.awaited -= 1
        self._out.append(data)

    def collect(self, data: bytes, answers: int) -> None:
        """Collect bytes that end so many answers, past the outlet."""
        self.awaited -= answers
        if data:
            self._out.append(data)

    def unanswered(self) -> None:
        """A request that was read gets no answer."""
        self.awaited -= 1
        if self.finishing:
            self.finish()

    def flush(self) -> None:
        """Write what was collected; answers to a connection that has gone are dropped."""
        out = self._out
        if not out:
            return
        self._out = []
        if not self.closed:
            self._write(out[0] if len(out) == 1 else b"".join(out))
        if self.finishing:
            self.finish()

    def finish(self) -> None:
        """Close the connection once everything that came is answered."""
        self.finishing = True
        if self.awaited <= 0 and not self._out:
            self._close()

    def drop(self) -> None:
        """Close the connection now: what was collected still goes out, nothing that is decided after it."""
        self._end()
        self._close()

    def reset(self) -> None:
        """End the connection with RST; a transport without a socket, as in memory, is aborted."""
        self._end()
        if self.transport is None:
            self._close()
            return
        from pos_host.reset_connection import reset_connection

        reset_connection(self.transport)

    def _end(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # uvloop raises when the peer closed meanwhile
            self.flush()
        self.ended = self.closed = True

    def lost(self) -> None:
        """The peer is gone."""
        self.closed = True
        if self.outlet is not None:
            self.outlet.drop()

    def hang_up(self) -> None:
        """Read nothing more, and close the connection once everything that was read is answered."""
        self.ended = True
        self.finish()
