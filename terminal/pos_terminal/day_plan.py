"""What each terminal of a day is to do, drawn from the seed alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from pos_terminal.trading import Intent, draw_intent


class TerminalPlan(NamedTuple):
    """One terminal's day. `loss` decides which answers get lost."""

    terminal_id: str
    intents: tuple[Intent, ...]
    disagrees: bool
    forgets: bool
    loss: Random


@dataclass(frozen=True, slots=True)
class DayPlan:
    """A whole day."""

    seed: int
    terminals: tuple[TerminalPlan, ...] = field(default=())


def plan_day(*, seed: int, terminals: int, transactions: int, disagree: int, forget: int, prefix: str) -> DayPlan:
    """The day of `seed`: the same seed gives the same plan.

    Raises ValueError when more terminals are to disagree and forget than there are.
    """
    if disagree + forget > terminals:
        raise ValueError(f"{disagree} to disagree and {forget} to forget, but only {terminals} terminals")
    chance = Random(seed)
    odd_ones = chance.sample(range(terminals), disagree + forget)
    disagreeing, forgetting = set(odd_ones[:disagree]), set(odd_ones[disagree:])
    return DayPlan(
        seed,
        tuple(
            _plan_terminal(seed, terminal_id(prefix, number), transactions, number in disagreeing, number in forgetting)
            for number in range(terminals)
        ),
    )


def terminal_id(prefix: str, number: int) -> str:
    """The id of the terminal of that number, from 0: `T0000001`, `T0000002` …; eight characters."""
    return f"{prefix}{number + 1:0{8 - len(prefix)}d}"


def _plan_terminal(seed: int, terminal_id: str, transactions: int, disagrees: bool, forgets: bool) -> TerminalPlan:
    chance = Random(f"{seed}/{terminal_id}")
    intents = tuple(draw_intent(chance, purchase=place == 0) for place in range(transactions))
    return TerminalPlan(terminal_id, intents, disagrees, forgets, Random(f"{seed}/{terminal_id}/loss"))
