"""A life: the states something can be in and the one table of the ways between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class NotNow(Exception):
    """The table has no such way from this state; `possible` are the actions it has."""

    def __init__(self, life: str, state: str, action: str, possible: tuple[str, ...]) -> None:
        steps = " or ".join(possible) or "nothing"
        thing = life.replace("_", " ")
        article = "an" if thing[0] in "aeiou" else "a"
        super().__init__(f"{action} is not possible for {article} {thing} that is {state}; possible is {steps}")
        self.life = life
        self.state = state
        self.action = action
        self.possible = possible


@dataclass(frozen=True)
class Life:
    """`table` is state → action → the state it leads to; a state without actions is an end. `initial` is the first."""

    name: str
    initial: str
    table: Mapping[str, Mapping[str, str]]

    def __post_init__(self) -> None:
        unknown = {to for ways in self.table.values() for to in ways.values()} | {self.initial}
        if missing := sorted(unknown - self.table.keys()):
            raise ValueError(f"life {self.name}: {', '.join(missing)} has no row in the table")

    def possible(self, state: str) -> tuple[str, ...]:
        """The actions that the table has for `state`."""
        return tuple(self.table[state])

    def after(self, state: str, action: str) -> str:
        """Where `action` leads from `state`; raises NotNow where the table has no such way."""
        to = self.table[state].get(action)
        if to is None:
            raise NotNow(self.name, state, action, self.possible(state))
        return to

    def ended(self, state: str) -> bool:
        """Whether nothing can happen any more."""
        return not self.table[state]

    def diagram(self) -> str:
        """The table as a Mermaid state diagram."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        for state, ways in self.table.items():
            lines += [f"    {state} --> {to}: {action}" for action, to in ways.items()]
            if not ways:
                lines.append(f"    {state} --> [*]")
        return "\n".join(lines)
