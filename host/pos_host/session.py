"""The life of one connection: who speaks, in which dialect, and what waits to be sent to it."""

from __future__ import annotations

from collections.abc import Callable

from pos_specs.framing import Framer
from pos_specs.language import Language


class Session:
    """One connection. `send` collects; `flush` writes everything collected in one go."""

    __slots__ = ("_out", "_write", "closed", "framer", "hang_up", "language", "peer")

    def __init__(
        self,
        language: Language,
        peer: str,
        write: Callable[[bytes], None],
        hang_up: Callable[[], None],
    ) -> None:
        self.language = language
        self.peer = peer
        self.framer = Framer(language.dialect.framing)
        self.closed = False
        self.hang_up = hang_up
        self._write = write
        self._out: list[bytes] = []

    def send(self, data: bytes) -> None:
        """Collect an answer; nothing is written before `flush`."""
        self._out.append(data)

    def flush(self) -> None:
        """Write what was collected; answers to a connection that has gone are dropped."""
        out = self._out
        if not out:
            return
        self._out = []
        if not self.closed:
            self._write(out[0] if len(out) == 1 else b"".join(out))
