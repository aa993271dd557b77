"""What moves through a proxy: bytes, or the end of a direction, each with the moment at which it is to leave."""

from __future__ import annotations

from typing import Literal, NamedTuple

End = Literal["", "fin", "close", "reset"]
"""How a direction ends: its sender wrote its last byte; the connection is over; it is over by RST."""


class Piece(NamedTuple):
    """`data` that leaves at `at_s` of the loop's time; an `end` comes behind its data."""

    at_s: float
    data: bytes
    end: End = ""
