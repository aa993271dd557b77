"""What went over the wire lately: each request with its answer, kept in memory for those who watch.

The messages API, expectations, recordings and reports read from here. Requests are kept as they came, card number and
all: nothing of an exchange may leave the process unmasked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from pos_host.logs import Logger
from pos_specs.errors import MessageError
from pos_specs.framing import Frame, Framer
from pos_specs.language import Language
from pos_specs.message import Message

log = Logger("pos_host.exchanges")

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

    def __repr__(self) -> str:
        """Without the messages: a repr ends in logs, and the bytes of an answer hold card data."""
        return f"Exchange({self.number}, {self.function or 'unreadable'}, {self.terminal_id}, {self.outcome})"

    @property
    def answer(self) -> Message | None:
        """The answer as it was made, before a fault; None where there is none, or none in the dialect."""
        if not self.reply:
            return None
        try:
            frames = Framer(self.language.dialect.framing).receive_data(self.reply)
            return self.language.decode(frames[0].body) if frames else None
        except MessageError:
            return None

    @property
    def response_code(self) -> str:
        """The response code of the answer, "" where there is none."""
        answer, number = self.answer, self.language.dialect.element_for("response_code")
        return "" if answer is None or number is None else answer.fields.get(number, "")


class Heard(Protocol):
    """Who hears what is sent on a connection."""

    def sent(self, data: bytes) -> None: ...

    def ended(self) -> None: ...


class Exchanges:
    """The last exchanges, oldest first in `kept`; `watchers` are told of each as it is answered, on the loop. `tap`
    gives who is to hear the bytes of a new connection, by its peer.

    `forgotten` is the number of the latest exchange that is not to be told of any more; those of `on_end` are told
    when no more will come.
    """

    def __init__(self) -> None:
        self.kept: deque[Exchange] = deque(maxlen=KEPT)
        self.watchers: list[Callable[[Exchange], None]] = []
        self.count = 0
        self.forgotten = 0
        self.on_end: list[Callable[[], None]] = []
        self.tap: Callable[[str], Heard] | None = None

    def since(self, number: int) -> list[Exchange]:
        """The exchanges that are kept and came after that one, oldest first, those forgotten left out."""
        after = max(number, self.forgotten)
        return [exchange for exchange in self.kept if exchange.number > after]

    def forget(self) -> int:
        """Tell no more of what came so far; gives the number of the latest exchange."""
        self.forgotten = self.count
        return self.count

    def succeed(self, before: Exchanges) -> None:
        """Take the place of the exchanges of a host that started over: same watchers, numbers that go on."""
        self.watchers, self.on_end, self.tap = before.watchers, before.on_end, before.tap
        self.count = self.forgotten = before.count

    def end(self) -> None:
        """Say that no more will come."""
        for tell in list(self.on_end):
            tell()

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
            self._tell(exchange)

    def _tell(self, exchange: Exchange) -> None:
        for watch in tuple(self.watchers):
            try:
                watch(exchange)
            except Exception as error:  # our mistake, and no reason to lose an answer or to hold up a terminal
                log.error("watcher_failed", number=exchange.number, reason=type(error).__name__, exc_info=error)


_new = tuple.__new__
