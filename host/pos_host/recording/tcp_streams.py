"""Puts TCP segments together into the bytes that each side sent, in order and once, connection by connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pos_host.recording.tcp_segments import RST, SYN, Endpoint, Segment

MOST_AHEAD_BYTES = 1 << 20
"""Bytes of one direction that may wait for a segment that is missing; what is behind it is then taken as it is, with
the gap told."""

HALF = 1 << 31
WHOLE = 1 << 32


class Chunk(NamedTuple):
    """Bytes of one connection, numbered from 1: `to_server` or back. `gap` bytes before them are not in the capture."""

    at_ms: float
    connection: int
    to_server: bool
    data: bytes
    gap: int = 0


def streams_of(segments: Iterable[Segment], port: int) -> Iterator[Chunk]:
    """The bytes of every connection to `port`, in the order in which each piece was complete.

    A segment that comes again brings nothing new, one that comes too early waits. A capture may begin within a
    connection: its first segment is then taken as the beginning.
    """
    connections: dict[tuple[Endpoint, Endpoint], _Connection] = {}
    count = 0
    for segment in segments:
        if port not in (segment.target[1], segment.source[1]):
            continue
        to_server = segment.target[1] == port
        key = (segment.source, segment.target) if to_server else (segment.target, segment.source)
        known = connections.get(key)
        if known is None or (segment.flags & SYN and to_server and known.began_otherwise(segment)):
            if known is not None:
                yield from known.rest(segment.at_ms)
            count += 1
            known = connections[key] = _Connection(count)
        yield from known.take(segment, to_server)
        if segment.flags & RST:
            yield from known.rest(segment.at_ms)
            del connections[key]
    for known in connections.values():
        yield from known.rest(known.last_ms)


class _Connection:
    """The two directions of one connection."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._directions = {True: _Direction(), False: _Direction()}
        self.last_ms = 0.0

    def began_otherwise(self, segment: Segment) -> bool:
        """True for a SYN that is no repetition of this connection's own: the ports are used again."""
        first = self._directions[True].first
        return first is not None and first != (segment.sequence + 1) % WHOLE

    def take(self, segment: Segment, to_server: bool) -> Iterator[Chunk]:
        self.last_ms = segment.at_ms
        for data, gap in self._directions[to_server].take(segment):
            yield Chunk(segment.at_ms, self._number, to_server, data, gap)

    def rest(self, at_ms: float) -> Iterator[Chunk]:
        """What still waits for a segment that never came."""
        for to_server, direction in self._directions.items():
            for data, gap in direction.rest():
                yield Chunk(at_ms, self._number, to_server, data, gap)


class _Direction:
    """One direction: what is expected next, and what came too early, by its distance from the beginning."""

    def __init__(self) -> None:
        self.first: int | None = None
        self._next = 0
        self._early: dict[int, bytes] = {}

    def take(self, segment: Segment) -> Iterator[tuple[bytes, int]]:
        sequence = (segment.sequence + 1) % WHOLE if segment.flags & SYN else segment.sequence
        if self.first is None:
            if not segment.flags & SYN and not segment.data:
                return
            self.first = sequence
        if not segment.data:
            return
        place = self._place(sequence)
        if len(segment.data) > len(self._early.get(place, b"")):
            self._early[place] = segment.data
        yield from self._ready()
        if sum(map(len, self._early.values())) > MOST_AHEAD_BYTES:
            yield from self.rest()

    def rest(self) -> Iterator[tuple[bytes, int]]:
        """Everything that waits, past the gaps."""
        while self._early:
            nearest = min(self._early)
            gap = max(nearest - self._next, 0)
            self._next = max(nearest, self._next)
            for data, _ in self._ready():
                yield data, gap
                gap = 0

    def _place(self, sequence: int) -> int:
        """How far from the beginning a sequence number is, past its wrap, before the beginning negative."""
        distance = (sequence - (self.first or 0) - self._next) % WHOLE
        return self._next + (distance - WHOLE if distance >= HALF else distance)

    def _ready(self) -> Iterator[tuple[bytes, int]]:
        """What follows without a gap, each byte once."""
        while self._early and (place := min(self._early)) <= self._next:
            data = self._early.pop(place)[self._next - place :]
            if data:
                self._next += len(data)
                yield data, 0
