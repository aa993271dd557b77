"""One direction of a connection through a proxy: what waits in it, what the toxics make of it. Knows no socket."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from pos_host.proxy.pieces import End, Piece
from pos_host.proxy.toxic_documents import ToxicSpec
from pos_host.proxy.toxics import KINDS, Toxic


class _Stage(NamedTuple):
    spec: ToxicSpec
    toxic: Toxic


class Flow:
    """Takes what one side sent, and gives what the other is to get, when it is due.

    `chance_of` gives a toxic's chance by its name, the same for the same connection and seed. `waiting_bytes` is what
    was taken and not given, or lost, yet.
    """

    def __init__(self, stream: str, chance_of: Callable[[str], Random]) -> None:
        self._stream = stream
        self._chance_of = chance_of
        self._stages: list[_Stage] = []
        self._leaving: list[tuple[float, int, Piece]] = []
        self._count = 0
        self.waiting_bytes = 0

    def set_toxics(self, specs: list[ToxicSpec], now_s: float) -> None:
        """Have these toxics from now on. One that stays as it was goes on as it was; what one that goes still holds
        leaves."""
        wanted = [spec for spec in specs if spec.stream == self._stream]
        for place, stage in enumerate(self._stages):
            if stage.spec not in wanted:
                self._send(stage.toxic.end(now_s), place + 1)
        kept = self._stages
        self._stages = [
            next((stage for stage in kept if stage.spec == spec), None) or self._made(spec, now_s) for spec in wanted
        ]

    def take(self, data: bytes, end: End, now_s: float) -> None:
        """Take what came at this moment."""
        self._send([Piece(now_s, data, end)], 0)

    def due(self, now_s: float) -> list[Piece]:
        """What is to leave by now, in its order."""
        self._wake(now_s)
        pieces: list[Piece] = []
        while self._leaving and self._leaving[0][0] <= now_s:
            piece = heapq.heappop(self._leaving)[2]
            self.waiting_bytes -= len(piece.data)
            pieces.append(piece)
        return pieces

    def next_s(self) -> float | None:
        """When something is due next, None for never."""
        moments = [stage.toxic.wake_at_s for stage in self._stages if stage.toxic.wake_at_s is not None]
        if self._leaving:
            moments.append(self._leaving[0][0])
        return min(moments, default=None)

    def _made(self, spec: ToxicSpec, now_s: float) -> _Stage:
        chance = self._chance_of(spec.name)
        harms = chance.random() < spec.toxicity
        toxic = (KINDS[spec.kind] if harms else Toxic)(spec.attributes, chance)
        toxic.begin(now_s)
        return _Stage(spec, toxic)

    def _wake(self, now_s: float) -> None:
        for place, stage in enumerate(self._stages):
            at_s = stage.toxic.wake_at_s
            if at_s is not None and at_s <= now_s:
                self._send(stage.toxic.wake(now_s), place + 1)

    def _send(self, pieces: list[Piece], first: int) -> None:
        """Send pieces through the stages from `first` on."""
        for stage in self._stages[first:]:
            pieces = [passed for piece in pieces for passed in stage.toxic.pass_on(piece)]
        for piece in pieces:
            self._count += 1
            self.waiting_bytes += len(piece.data)
            heapq.heappush(self._leaving, (piece.at_s, self._count, piece))
