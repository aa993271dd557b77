"""In which order a recording is played again: what must wait for what."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pos_specs.language import Language
from pos_specs.recorded_exchanges import RecordedExchange, exchanges_of
from pos_specs.recording import RecordedFrame


def plan_replay(frames: Iterable[RecordedFrame], speak: Callable[[str], Language]) -> list[list[RecordedExchange]]:
    """The requests of a recording in lanes: within one, each waits for the answer to the one before.

    A lane has all connections that a terminal used, so that a reversal on a new connection does not overtake its
    original; lanes know nothing of each other. `speak` gives the language of a dialect by name.
    """
    steps = exchanges_of(frames, speak)
    lanes: dict[int, list[RecordedExchange]] = {}
    for step, lane in zip(steps, _lanes(steps), strict=True):
        lanes.setdefault(lane, []).append(step)
    return list(lanes.values())


def _lanes(steps: list[RecordedExchange]) -> list[int]:
    """The lane of each step, by joining the connections that a terminal has used."""
    joined: dict[object, object] = {}

    def root(key: object) -> object:
        while joined.setdefault(key, key) != key:
            key = joined[key]
        return key

    for step in steps:
        if step.terminal[2]:
            joined[root(("connection", step.connection))] = root(step.terminal)
    numbers: dict[object, int] = {}
    return [numbers.setdefault(root(("connection", step.connection)), len(numbers)) for step in steps]
