"""A frame: what stands between the length of one message and that of the next."""

from __future__ import annotations

from typing import NamedTuple

TPDU_BYTES = 5
TPDU_ID = 0x60
"""TPDU identifier of a data packet; 0x68 marks an error packet (hypercom.md 1.2)."""


class Frame(NamedTuple):
    """One frame: `tpdu` and `header` as sent (empty where the framing has none), `body` from the MTI on."""

    tpdu: bytes
    header: bytes
    body: bytes

    def __repr__(self) -> str:
        """The shape only: the body holds card data and a repr ends in logs."""
        return f"Frame(tpdu={self.tpdu.hex()}, header={self.header.hex()}, body of {len(self.body)} bytes)"
