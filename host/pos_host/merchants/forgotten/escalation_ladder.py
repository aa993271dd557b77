"""Who answers for a terminal that does not settle, at each severity, by when, and how they are told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from pos_host.settlement.durations import DurationError, duration_ms
from pos_host.settlement.unsettled import SEVERITIES
from pos_specs.checked_table import CheckedTable
from pos_specs.dialect_file import Place, SourcedTable, read_file

WAYS = ("event", "webhook", "e-mail")
"""How somebody is told. The host publishes the event; who forwards it to a URL or by mail finds the address in it."""

STEPS_MOST = 10
"""Steps at one severity: nobody has more superiors."""

_KEYS = ("responsible", "tell", "address", "acknowledge_within")
_ADDRESSES = {"event": r".{0}", "webhook": r"https?://[!-~]{1,200}", "e-mail": r"[^@\s]{1,64}@[^@\s]{1,190}"}


class Step(NamedTuple):
    """One of those who answer: told when it is their turn, expected to acknowledge within so long."""

    responsible: str
    tell: str
    address: str
    acknowledge_within: str

    @property
    def within_ms(self) -> int:
        return duration_ms(self.acknowledge_within)


Ladder = Mapping[str, tuple[Step, ...]]
"""Steps by severity."""


@lru_cache(maxsize=1)
def shipped_ladder() -> Ladder:
    """The ladder of a host that was given none; raises DialectError naming file, line and key."""
    file = read_file(resources.files("pos_host.merchants.forgotten") / "escalation.toml")
    top = CheckedTable(SourcedTable(file.table, {(): Place(file, ())}), (), file.table)
    ladder = {}
    for severity in SEVERITIES:
        try:
            ladder[severity] = _steps(top.raw(severity, []))
        except ValueError as error:
            raise top.fail(severity, str(error)) from None
    top.done("an escalation ladder")
    return ladder


def read_ladder(given: Mapping[str, Any]) -> Ladder:
    """A ladder as it was given (JSON): a list of steps by severity; raises ValueError saying which is wrong and why."""
    for severity in given:
        if severity not in SEVERITIES:
            raise ValueError(f"{severity}: is not a severity; severities are {', '.join(SEVERITIES)}")
    ladder = {}
    for severity in SEVERITIES:
        try:
            ladder[severity] = _steps(given.get(severity, []))
        except ValueError as error:
            raise ValueError(f"{severity}: {error}") from None
    return ladder


def written(ladder: Ladder) -> dict[str, list[dict[str, str]]]:
    """The ladder as it is stored and shown."""
    return {severity: [step._asdict() for step in steps] for severity, steps in ladder.items()}


def _steps(given: object) -> tuple[Step, ...]:
    if not isinstance(given, list) or len(given) > STEPS_MOST:
        raise ValueError(f"must be a list of at most {STEPS_MOST} steps")
    return tuple(_step(place, step) for place, step in enumerate(given, 1))


def _step(place: int, given: object) -> Step:
    if not isinstance(given, dict) or set(given) != set(_KEYS) or not all(isinstance(v, str) for v in given.values()):
        raise ValueError(f"step {place}: must have the texts {', '.join(_KEYS)}")
    step = Step(**given)
    if not 0 < len(step.responsible) <= 64:
        raise ValueError(f"step {place}: responsible: must have 1 to 64 characters")
    if step.tell not in WAYS:
        raise ValueError(f"step {place}: tell: must be one of {', '.join(WAYS)}")
    if re.fullmatch(_ADDRESSES[step.tell], step.address) is None:
        raise ValueError(f"step {place}: address: does not fit tell = {step.tell}")
    try:
        if step.within_ms == 0:
            raise DurationError("must be longer than nothing")
    except DurationError as error:
        raise ValueError(f"step {place}: acknowledge_within: {error}") from None
    return step
