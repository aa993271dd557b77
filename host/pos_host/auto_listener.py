"""A listener where any dialect may be spoken: each connection is recognised by its first frame."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, cast

from pos_host.decoding.first_frame import KEPT_BYTES, FirstFrame, Recognised
from pos_host.decoding.recognise import REFRAMED_KEPT
from pos_host.logs import Logger
from pos_host.options import AUTO
from pos_host.pipeline import Pipeline
from pos_host.server import Listener, TerminalConnection
from pos_specs.envelope import Framing
from pos_specs.language import Language

if TYPE_CHECKING:
    import ssl

log = Logger("pos_host.auto_listener")

RECOGNISED_WITHIN_S = 3.0
"""From a peer's first byte on: a frame takes much less, also over a modem, and a terminal waits longer for answers."""


class AutoListener(Listener):
    """One listening address where any of `languages` may be spoken, over TLS where `tls` is given."""

    def __init__(self, pipeline: Pipeline, languages: list[Language], tls: ssl.SSLContext | None = None) -> None:
        languages = list({language.name: language for language in languages}.values())
        super().__init__(pipeline, languages[0], tls)
        self.languages = languages
        self.unknown: set[UnknownConnection] = set()
        self._spoken: dict[tuple[str, Framing], Listener] = {}

    def protocol(self) -> asyncio.Protocol:
        return UnknownConnection(self)

    def speaking(self, language: Language) -> Listener:
        """The listener as one of `language` alone; its connections are this one's."""
        key = language.name, language.dialect.framing
        spoken = self._spoken.get(key)
        if spoken is None:
            if len(self._spoken) >= REFRAMED_KEPT:
                self._spoken.clear()
            spoken = self._spoken[key] = Listener(self.pipeline, language)
            spoken.connections = self.connections
        return spoken

    def pause(self) -> None:
        super().pause()
        for connection in list(self.unknown):
            connection.pause()

    def close(self) -> None:
        super().close()
        for connection in list(self.unknown):
            connection.close()


class UnknownConnection(asyncio.Protocol):
    """A connection until its first frame is recognised; then a TerminalConnection takes its place."""

    __slots__ = ("_deadline", "_done", "_first", "_listener", "_peer", "_transport")

    def __init__(self, listener: AutoListener) -> None:
        self._listener = listener
        self._first = FirstFrame(listener.languages)
        self._deadline: asyncio.TimerHandle | None = None
        self._done = False
        self._peer = "?"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        if peer:
            self._peer = f"{peer[0]}:{peer[1]}"
        self._listener.unknown.add(self)
        log.debug("connection_opened", peer=self._peer, dialect=AUTO)

    def data_received(self, data: bytes) -> None:
        if self._done:
            return
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().call_later(RECOGNISED_WITHIN_S, self._give_up, "in time")
        found = self._first.receive_data(data)
        if found is not None:
            self._hand_over(found)
        elif self._first.is_full:
            self._give_up(f"in the first {KEPT_BYTES} bytes")

    def connection_lost(self, exc: Exception | None) -> None:
        if self._first.received and not self._done:
            self._tell("before the peer closed the connection")
        self._leave()

    def pause(self) -> None:
        """Read no more; what came so far was no request yet."""
        with contextlib.suppress(RuntimeError):
            self._transport.pause_reading()

    def close(self) -> None:
        self._transport.close()

    def _hand_over(self, found: Recognised) -> None:
        self._leave()
        language = found.language
        seen = {"framing": found.framing, "why": found.why, "also_fits": found.fits}
        log.info("recognised", peer=self._peer, dialect=language.name, **seen)
        connection = TerminalConnection(self._listener.speaking(language))
        self._transport.set_protocol(connection)
        connection.connection_made(self._transport)
        connection.data_received(self._first.received)

    def _give_up(self, when: str) -> None:
        self._leave()
        self._tell(when)
        self._transport.close()

    def _tell(self, when: str) -> None:
        log.warning("connection_closed", peer=self._peer, reason=f"not recognised {when}: {self._first.explain()}")

    def _leave(self) -> None:
        self._done = True
        self._listener.unknown.discard(self)
        if self._deadline is not None:
            self._deadline.cancel()
