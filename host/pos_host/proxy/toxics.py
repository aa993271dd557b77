"""The harm, one class a kind: pieces in, pieces out, with time and chance as arguments; no sockets, no waiting.

A toxic is made for one direction of one connection. `begin` says what happens without any data, `pass_on` what becomes
of a piece. Pieces leave in their order, except where a toxic is there to change it: what a later one would overtake
waits. The kinds, their attributes and units are those of Toxiproxy where it has the kind (docs/proxy.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from pos_host.proxy.pieces import Piece

MS = 1000.0
US = 1_000_000.0
BYTES_PER_KB = 1000


class Toxic:
    """A toxic at work on one direction of one connection; this one does nothing.

    `wake_at_s` is when it wants to be woken, None for never.
    """

    def __init__(self, attributes: Mapping[str, float], chance: Random) -> None:
        self._attributes = attributes
        self._chance = chance
        self._last_s = 0.0
        self.wake_at_s: float | None = None

    def begin(self, now_s: float) -> None:
        """The connection begins, or the toxic comes to one that is there."""

    def pass_on(self, piece: Piece) -> list[Piece]:
        """What leaves for a piece that came, none of it before the piece's time."""
        return [piece]

    def wake(self, now_s: float) -> list[Piece]:
        """What leaves at the moment that was asked for."""
        self.wake_at_s = None
        return []

    def end(self, now_s: float) -> list[Piece]:
        """What leaves when the toxic is taken away."""
        return []

    def _in_order(self, piece: Piece, at_s: float) -> Piece:
        """The piece at that moment, or at that of the one before it, whichever is later."""
        self._last_s = max(self._last_s, at_s)
        return piece._replace(at_s=self._last_s)

    def _happens(self) -> bool:
        """Drawn per piece from the attribute `chance`."""
        return self._chance.random() < self._attributes["chance"]


class Latency(Toxic):
    """`latency` ± `jitter` milliseconds for each piece of data."""

    def pass_on(self, piece: Piece) -> list[Piece]:
        if piece.end:
            return [self._in_order(piece, piece.at_s)]
        jitter = self._attributes["jitter"]
        delay_ms = self._attributes["latency"] + (self._chance.uniform(-jitter, jitter) if jitter else 0.0)
        return [self._in_order(piece, piece.at_s + max(delay_ms, 0.0) / MS)]


class Bandwidth(Toxic):
    """At most `rate` kilobytes a second; with 0 nothing passes."""

    def pass_on(self, piece: Piece) -> list[Piece]:
        rate = self._attributes["rate"] * BYTES_PER_KB
        if not piece.data:
            return [self._in_order(piece, piece.at_s)]
        if not rate:
            return []
        start_s = max(self._last_s, piece.at_s)
        return [self._in_order(piece, start_s + len(piece.data) / rate)]


class SlowClose(Toxic):
    """The end of the connection `delay` milliseconds late."""

    def pass_on(self, piece: Piece) -> list[Piece]:
        return [piece._replace(at_s=piece.at_s + self._attributes["delay"] / MS) if piece.end else piece]


class Timeout(Toxic):
    """Nothing passes, and after `timeout` milliseconds the connection is closed; with 0 when the toxic goes."""

    def begin(self, now_s: float) -> None:
        timeout_ms = self._attributes["timeout"]
        self.wake_at_s = now_s + timeout_ms / MS if timeout_ms else None

    def pass_on(self, piece: Piece) -> list[Piece]:
        return []

    def wake(self, now_s: float) -> list[Piece]:
        self.wake_at_s = None
        return [Piece(now_s, b"", "close")]

    def end(self, now_s: float) -> list[Piece]:
        return [Piece(now_s, b"", "close")]


class ResetPeer(Toxic):
    """RST after `timeout` milliseconds; until then everything passes, with 0 nothing ever does."""

    def begin(self, now_s: float) -> None:
        self.wake_at_s = now_s + self._attributes["timeout"] / MS

    def pass_on(self, piece: Piece) -> list[Piece]:
        return [piece] if self._attributes["timeout"] else []

    def wake(self, now_s: float) -> list[Piece]:
        self.wake_at_s = None
        return [Piece(now_s, b"", "reset")]


class Slicer(Toxic):
    """Pieces of `average_size` ± `size_variation` bytes, `delay` microseconds between them."""

    def pass_on(self, piece: Piece) -> list[Piece]:
        slices: list[Piece] = []
        at_s, start = piece.at_s, 0
        while start < len(piece.data):
            size = self._size()
            slices.append(self._in_order(piece._replace(data=piece.data[start : start + size], end=""), at_s))
            start += size
            at_s = self._last_s + self._attributes["delay"] / US
        if piece.end:
            slices.append(self._in_order(piece._replace(data=b""), piece.at_s))
        return slices

    def _size(self) -> int:
        average, variation = int(self._attributes["average_size"]), int(self._attributes["size_variation"])
        return max(1, average + (self._chance.randint(-variation, variation) if variation else 0))


class LimitData(Toxic):
    """The connection is closed after `bytes` bytes."""

    def __init__(self, attributes: Mapping[str, float], chance: Random) -> None:
        super().__init__(attributes, chance)
        self._left = int(attributes["bytes"])

    def pass_on(self, piece: Piece) -> list[Piece]:
        if self._left <= 0 and piece.data:
            return []
        passed = piece._replace(data=piece.data[: self._left])
        self._left -= len(piece.data)
        return [passed] if self._left > 0 else [passed._replace(end="close")]


class Corrupt(Toxic):
    """With `chance` a bit of a piece is turned over, at `offset` from its beginning, anywhere with −1."""

    def pass_on(self, piece: Piece) -> list[Piece]:
        if not piece.data or not self._happens():
            return [piece]
        offset = int(self._attributes["offset"])
        place = self._chance.randrange(len(piece.data)) if offset < 0 else min(offset, len(piece.data) - 1)
        turned = piece.data[place] ^ 1 << self._chance.randrange(8)
        return [piece._replace(data=piece.data[:place] + bytes((turned,)) + piece.data[place + 1 :])]


class Duplicate(Toxic):
    """With `chance` a piece passes twice, the copy `delay` milliseconds later."""

    def pass_on(self, piece: Piece) -> list[Piece]:
        passed = self._in_order(piece, piece.at_s)
        if not piece.data or not self._happens():
            return [passed]
        copy = self._in_order(piece._replace(end=""), passed.at_s + self._attributes["delay"] / MS)
        return [passed._replace(end=""), copy, *([passed._replace(data=b"", at_s=copy.at_s)] if piece.end else [])]


class Reorder(Toxic):
    """With `chance` a piece lets the next one pass first; it waits for that at most `delay` milliseconds."""

    def __init__(self, attributes: Mapping[str, float], chance: Random) -> None:
        super().__init__(attributes, chance)
        self._held: Piece | None = None

    def pass_on(self, piece: Piece) -> list[Piece]:
        if self._held is not None:
            overtaken = self.wake(piece.at_s)
            if not piece.data:
                return [*overtaken, piece]
            return [piece._replace(end=""), *overtaken, *([piece._replace(data=b"")] if piece.end else [])]
        if piece.data and not piece.end and self._happens():
            self._held = piece
            self.wake_at_s = piece.at_s + self._attributes["delay"] / MS
            return []
        return [piece]

    def wake(self, now_s: float) -> list[Piece]:
        held, self._held, self.wake_at_s = self._held, None, None
        return [] if held is None else [held._replace(at_s=max(held.at_s, now_s))]

    def end(self, now_s: float) -> list[Piece]:
        return self.wake(now_s)


class HalfOpen(Toxic):
    """After `bytes` bytes nothing passes any more, neither data nor an end: the other side believes in a connection
    that is dead, as when a router between forgets it."""

    def __init__(self, attributes: Mapping[str, float], chance: Random) -> None:
        super().__init__(attributes, chance)
        self._left = int(attributes["bytes"])

    def pass_on(self, piece: Piece) -> list[Piece]:
        if self._left <= 0:
            return []
        passed = piece._replace(data=piece.data[: self._left])
        self._left -= len(piece.data)
        return [passed] if self._left > 0 else [passed._replace(end="")]


KINDS: dict[str, type[Toxic]] = {
    "latency": Latency,
    "jitter": Latency,
    "bandwidth": Bandwidth,
    "slow_close": SlowClose,
    "timeout": Timeout,
    "reset_peer": ResetPeer,
    "slicer": Slicer,
    "limit_data": LimitData,
    "corrupt": Corrupt,
    "duplicate": Duplicate,
    "reorder": Reorder,
    "half_open": HalfOpen,
    "down": Toxic,
}
"""A kind's class by its name. `down` does nothing to a connection: the proxy has none while it is there."""
