"""What passes through a proxy, cut into frames and recorded: each side's bytes as it sent them, before any harm."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from pos_host.proxy.link import Link
from pos_host.recording.recorder import Recorder
from pos_specs.framing import Framer
from pos_specs.language import Language
from pos_specs.recording import Direction

DIRECTIONS: dict[str, Direction] = {"upstream": "to_host", "downstream": "to_terminal"}


class WireTap:
    """Records the frames of every connection; `now_ms` gives UTC milliseconds.

    A recording that cannot be written ends, and `tell` is told why; the connections go on.
    """

    def __init__(
        self, recorder: Recorder, language: Language, now_ms: Callable[[], int], tell: Callable[[str], None]
    ) -> None:
        self._recorder = recorder
        self._language = language
        self._now_ms = now_ms
        self._framers: WeakKeyDictionary[Link, dict[str, Framer]] = WeakKeyDictionary()
        self._count = 0
        self._tell = tell
        self._stopped = False
        self._numbers: WeakKeyDictionary[Link, int] = WeakKeyDictionary()

    def heard(self, link: Link, stream: str, data: bytes) -> None:
        """Take the next bytes of a connection; none at its end."""
        if self._stopped or not (data or link in self._framers):
            return
        try:
            self._record(link, stream, data)
        except OSError as error:
            self._stopped = True
            self._tell(f"the recording ends here: {error.strerror or error}")

    def _record(self, link: Link, stream: str, data: bytes) -> None:
        if link not in self._framers:
            framing = self._language.dialect.framing
            self._framers[link] = {name: Framer(framing) for name in DIRECTIONS}
            self._count += 1
            self._numbers[link] = self._count
        framer, number, now_ms = self._framers[link][stream], self._numbers[link], self._now_ms()
        if not data:
            if framer.waiting:
                why = "no frame: the connection ended within it"
                self._recorder.unframed(now_ms, number, DIRECTIONS[stream], self._language, framer.waiting, why)
            return
        broken = framer.error is not None
        for frame in framer.receive_data(data):
            self._recorder.frame(now_ms, number, DIRECTIONS[stream], self._language, frame)
        if framer.error is not None and not broken:
            why = f"no frame: {framer.error}"
            self._recorder.unframed(now_ms, number, DIRECTIONS[stream], self._language, len(data), why)
