"""The life of one connection: who speaks, in which dialect, and what waits to be sent to it."""

from __future__ import annotations

from collections.abc import Callable

from pos_specs.framing import Framer
from pos_specs.language import Language


class Session:
    """One connection. `send` collects; `flush` writes everything collected in one go.

    `awaited` counts the requests that came and are not answered yet; `closed` says that the peer is gone, `finishing`
    that the host will close it once all is answered, `ended` that it reads nothing more of what came.
    """

    __slots__ = ("_close", "_out", "_write", "awaited", "closed", "ended", "finishing", "framer", "language", "peer")

    def __init__(
        self,
        language: Language,
        peer: str,
        write: Callable[[bytes], None],
        close: Callable[[], None],
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

    def send(self, data: bytes) -> None:
        """Collect an answer; nothing is written before `flush`."""
        self.awaited -= 1
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

    def hang_up(self) -> None:
        """Read nothing more, and close the connection once everything that was read is answered."""
        self.ended = True
        self.finish()
