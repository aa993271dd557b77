"""What went over the wire lately: each request with its answer, kept in memory for those who watch.

The messages API, expectations, recordings and reports read from here. Requests are kept as they came, card number and
all: nothing of an exchange may leave the process unmasked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from pos_specs.framing import Frame
from pos_specs.language import Language
from pos_specs.message import Message

KEPT = 1000
"""Exchanges that are remembered: some minutes of a busy test bench, in a few megabytes."""


class Exchange(NamedTuple):
    """One request and what became of it.

    `number` counts from 1 and never repeats within a process. `request` is None where the frame could not be read, and
    then `reason` says why. `reply` is the whole frame of the answer, b"" where none was made; with a `fault` it is
    what would have been sent, and the fault's kind says what was done to it. `rules` are the ids of the scenario
    rules that acted.
    """

    number: int
    at_ms: int
    peer: str
    language: Language
    frame: Frame
    request: Message | None
    reply: bytes
    merchant_id: str
    terminal_id: str
    function: str
    outcome: str
    reason: str
    rules: tuple[str, ...] = ()
    fault: str = ""


class Exchanges:
    """The last exchanges, oldest first in `kept`; `watchers` are told of each as it is answered, on the loop."""

    def __init__(self) -> None:
        self.kept: deque[Exchange] = deque(maxlen=KEPT)
        self.watchers: list[Callable[[Exchange], None]] = []
        self.count = 0

    def add(
        self,
        at_ms: int,
        peer: str,
        language: Language,
        frame: Frame,
        request: Message | None,
        reply: bytes,
        merchant_id: str,
        terminal_id: str,
        function: str,
        outcome: str,
        reason: str,
        rules: tuple[str, ...] = (),
        fault: str = "",
    ) -> None:
        """Keep an exchange, and tell whoever watches."""
        self.count = number = self.count + 1
        columns = (number, at_ms, peer, language, frame, request, reply, merchant_id, terminal_id, function)
        exchange = _new(Exchange, (*columns, outcome, reason, rules, fault))
        self.kept.append(exchange)
        if self.watchers:
            for watch in self.watchers:
                watch(exchange)


_new = tuple.__new__
