"""The retained topics of every terminal: which must be told anew, and when they may be."""

from __future__ import annotations

import json
from collections import deque
from itertools import islice
from typing import Any

from pos_host.publishing.ports import Message, StateBoard
from pos_host.publishing.topics import Topics

REST_S = 0.25
"""A terminal's topics are told at most once in this time: a person sees no difference, and a broker that
forwards 2,000 messages a second is not filled by a terminal that sells without pause."""

_MESSAGES_A_TERMINAL = 2
_CLEARED = hash(b"")

_Terminal = tuple[str, str]


class RetainedStates:
    """Turns changed terminals into retained messages, each terminal at most once in REST_S.

    Times are seconds of any clock that only goes forward. A message equal to the topic's last one is left
    out; the last ones are remembered as hashes, since a fleet has many topics.
    """

    def __init__(self, board: StateBoard, topics: Topics) -> None:
        self._board = board
        self._topics = topics
        self._told: dict[str, int] = {}
        self._unsure: set[_Terminal] = set()
        self._ready: dict[_Terminal, None] = {}
        self._resting: deque[tuple[float, _Terminal]] = deque()
        self._at_rest: set[_Terminal] = set()
        self._changed_at_rest: set[_Terminal] = set()

    def restart(self) -> None:
        """Tell everything anew: a broker that was just connected may know nothing, or what was long ago."""
        self._board.take_changed()
        terminals = self._board.all_terminals()
        self._told.clear()
        self._unsure = set(terminals)
        self._ready = dict.fromkeys(terminals)
        self._resting.clear()
        self._at_rest.clear()
        self._changed_at_rest.clear()

    def take(self, now_s: float, limit: int) -> list[Message]:
        """At most `limit` messages that may be sent now; they count as sent."""
        self._wake_rested(now_s)
        for terminal in self._board.take_changed():
            if terminal in self._at_rest:
                self._changed_at_rest.add(terminal)
            else:
                self._ready[terminal] = None
        messages: list[Message] = []
        for terminal in list(islice(self._ready, limit // _MESSAGES_A_TERMINAL)):
            del self._ready[terminal]
            told = self._messages(terminal)
            if told:
                self._resting.append((now_s + REST_S, terminal))
                self._at_rest.add(terminal)
            messages += told
        return messages

    def next_s(self, now_s: float) -> float | None:
        """When `take` will have more: now, when the next terminal is rested, or None if none changed."""
        if self._ready:
            return now_s
        return self._resting[0][0] if self._changed_at_rest else None

    def _wake_rested(self, now_s: float) -> None:
        while self._resting and self._resting[0][0] <= now_s:
            _, terminal = self._resting.popleft()
            self._at_rest.discard(terminal)
            if terminal in self._changed_at_rest:
                self._changed_at_rest.discard(terminal)
                self._ready[terminal] = None

    def _messages(self, terminal: _Terminal) -> list[Message]:
        states = (
            (self._topics.batch(*terminal), self._board.batch_state(*terminal)),
            (self._topics.unsettled(*terminal), self._board.unsettled_state(*terminal)),
        )
        unsure = terminal in self._unsure
        self._unsure.discard(terminal)
        messages = []
        for topic, state in states:
            payload = b"" if state is None else json_bytes(state)
            told = hash(payload)
            if unsure or told != self._told.get(topic, _CLEARED):
                if payload:
                    self._told[topic] = told
                else:
                    self._told.pop(topic, None)
                messages.append(Message(topic, payload, retain=True))
        return messages


def json_bytes(document: dict[str, Any]) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
