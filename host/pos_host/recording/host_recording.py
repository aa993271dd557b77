"""Records what a host is asked and what it sends: answers as they are made, and on a connection with which a fault
meddles what really goes out there from then on."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakValueDictionary

from pos_host.exchanges import Exchange
from pos_host.recording.recorder import Recorder
from pos_specs.framing import Framer
from pos_specs.language import Language

CUT_OFF = "the connection ended within a frame"


class HostRecording:
    """Told of each exchange, and by its `lines` of the bytes of each connection; `now_ms` gives UTC milliseconds.

    A recording that cannot be written ends, and `tell` is told why; no terminal waits for its answer because of it.
    """

    def __init__(self, recorder: Recorder, now_ms: Callable[[], int], tell: Callable[[OSError], None]) -> None:
        self._recorder = recorder
        self._now_ms = now_ms
        self._tell = tell
        self._lines: WeakValueDictionary[str, Line] = WeakValueDictionary()
        self._count = 0
        self._stopped = False

    def opened(self, peer: str) -> Line:
        """A new connection: to be told what is sent on it and when it ends, and forgotten with it."""
        self._count += 1
        line = self._lines[peer] = Line(self._count, self._write)
        return line

    def exchange(self, exchange: Exchange) -> None:
        """Record a request, and its answer unless that is heard on the line."""
        line = self._lines.get(exchange.peer) or self.opened(exchange.peer)
        language = exchange.language

        def write(recorder: Recorder, now_ms: int) -> None:
            recorder.frame(exchange.at_ms, line.number, "to_host", language, exchange.frame)
            if exchange.reply and not line.is_heard:
                for frame in Framer(language.dialect.framing).receive_data(exchange.reply):
                    recorder.frame(now_ms, line.number, "to_terminal", language, frame, exchange.function)

        if exchange.fault:
            line.listen(language)
        self._write(write)
        if not line.is_heard:
            line.owe(len(exchange.reply))

    def close(self) -> None:
        """End the recording."""
        self._stopped = True
        self._recorder.close()

    def _write(self, write: Callable[[Recorder, int], None]) -> None:
        if self._stopped:
            return
        try:
            write(self._recorder, self._now_ms())
        except OSError as error:
            self._stopped = True
            self._tell(error)


class Line:
    """One connection. What is sent on it is recorded from `listen` on; what was recorded as an answer before, and is
    not sent yet, is owed and left out."""

    __slots__ = ("__weakref__", "_framer", "_language", "_owed", "_write", "number")

    def __init__(self, number: int, write: Callable[[Callable[[Recorder, int], None]], None]) -> None:
        self.number = number
        self._write = write
        self._owed = 0
        self._framer: Framer | None = None
        self._language: Language | None = None

    @property
    def is_heard(self) -> bool:
        """Whether answers are recorded as they are sent."""
        return self._framer is not None

    def listen(self, language: Language) -> None:
        """Record what is sent from now on."""
        if self._framer is None:
            self._framer, self._language = Framer(language.dialect.framing), language

    def owe(self, count: int) -> None:
        """So many bytes are recorded, and not sent yet."""
        self._owed += count

    def sent(self, data: bytes) -> None:
        """Bytes went out."""
        owed = min(self._owed, len(data))
        self._owed -= owed
        framer, language = self._framer, self._language
        if framer is None or language is None or framer.error is not None:
            return
        heard = data[owed:]
        frames = framer.receive_data(heard)

        def write(recorder: Recorder, now_ms: int) -> None:
            for frame in frames:
                recorder.frame(now_ms, self.number, "to_terminal", language, frame)
            if framer.error is not None:
                why = f"no frame: {framer.error}"
                recorder.unframed(now_ms, self.number, "to_terminal", language, len(heard), why)

        self._write(write)

    def ended(self) -> None:
        """The connection is gone."""
        framer, language = self._framer, self._language
        if framer is not None and language is not None and framer.waiting:
            size = framer.waiting
            self._write(
                lambda recorder, now_ms: recorder.unframed(now_ms, self.number, "to_terminal", language, size, CUT_OFF)
            )
