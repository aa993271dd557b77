"""Makes a recording out of a capture: streams into frames, frames rewritten as in every recording."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pos_host.recording.recorder import Recorder
from pos_host.recording.tcp_streams import Chunk
from pos_specs.framing import Framer
from pos_specs.language import Language
from pos_specs.recording import Direction


class Imported(NamedTuple):
    """What was found: connections, frames, and places where bytes are missing or are no frame."""

    connections: int
    frames: int
    gaps: int
    broken: int


def import_streams(chunks: Iterable[Chunk], recorder: Recorder, language: Language) -> Imported:
    """Record every frame of the streams; after a gap the next bytes are taken as the beginning of a frame."""
    framers: dict[tuple[int, bool], Framer] = {}
    frames = gaps = broken = 0
    for chunk in chunks:
        key = chunk.connection, chunk.to_server
        direction: Direction = "to_host" if chunk.to_server else "to_terminal"
        at_ms = round(chunk.at_ms)
        if chunk.gap:
            gaps += 1
            framers.pop(key, None)
            why = f"{chunk.gap} bytes are not in the capture"
            recorder.unframed(at_ms, chunk.connection, direction, language, chunk.gap, why)
        framer = framers.setdefault(key, Framer(language.dialect.framing))
        was_broken = framer.error is not None
        for frame in framer.receive_data(chunk.data):
            frames += 1
            recorder.frame(at_ms, chunk.connection, direction, language, frame)
        if framer.error is not None and not was_broken:
            broken += 1
            why = f"no frame: {framer.error}"
            recorder.unframed(at_ms, chunk.connection, direction, language, len(chunk.data), why)
    return Imported(len({connection for connection, _ in framers}), frames, gaps, broken)
