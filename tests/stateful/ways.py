"""Whether a model took every way of the lives that it is about: a way that nobody goes is not tested by it."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pos_host.merchants.lives import Life

Way = tuple[str, str]
"""A state and the action that leads out of it."""


@contextmanager
def every_way_taken(*lives: Life, but: Container[Way] = ()) -> Iterator[None]:
    """Within it the table of each of `lives` must have allowed every way at least once, but for those `but` names:
    what a terminal's message or another life brings about asks no table."""
    taken: set[tuple[str, str, str]] = set()
    asked = Life.after

    def after(life: Life, state: str, action: str) -> str:
        to = asked(life, state, action)
        taken.add((life.name, state, action))
        return to

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Life, "after", after)
        yield
    ways = {(life.name, *way) for life in lives for way in ways_of(life) if way not in but}
    assert ways <= taken, f"the model never took {sorted(ways - taken)}"


def toured(machine: Any) -> None:
    """Take a machine through fixed steps to the ways that chance rarely takes; what must always hold is looked at
    after each."""
    try:
        for _ in machine.tour():
            for invariant in machine.invariants:
                invariant.function(machine)
    finally:
        machine.teardown()


def ways_of(life: Life) -> Iterator[Way]:
    """Every way of its table."""
    return ((state, action) for state, actions in life.table.items() for action in actions)
