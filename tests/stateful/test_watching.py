"""What the host watches for lives through whatever terminals, people and time can do to it, on every journal."""

from __future__ import annotations

import pytest
from hypothesis.stateful import run_state_machine_as_test
from tests.stateful.escalation_model import EscalationMachine
from tests.stateful.look_back_model import LookBackMachine
from tests.stateful.office_machine import OfficeMachine
from tests.stateful.on_every_journal import OnSqlite, runs
from tests.stateful.pattern_model import PatternMachine
from tests.stateful.ways import every_way_taken, toured

from pos_host.merchants.forgotten import escalation, look_back, patterns
from pos_host.merchants.lives import Life


class EscalationOnSqlite(OnSqlite, EscalationMachine):
    pass


class LookBackOnSqlite(OnSqlite, LookBackMachine):
    pass


class PatternOnSqlite(OnSqlite, PatternMachine):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("machine", "life", "examples"),
    [
        (EscalationMachine, escalation.LIFE, 50),
        (LookBackMachine, look_back.LIFE, 12),
        (PatternMachine, patterns.LIFE, 20),
    ],
)
def test_what_is_watched_is_in_memory_what_it_is_on_paper(
    machine: type[OfficeMachine], life: Life, examples: int
) -> None:
    with every_way_taken(life):
        toured(machine())
        run_state_machine_as_test(machine, settings=runs(examples, steps=40))


@pytest.mark.slow
@pytest.mark.parametrize("machine", [EscalationOnSqlite, LookBackOnSqlite, PatternOnSqlite])
def test_what_is_watched_is_on_sqlite_what_it_is_on_paper(machine: type[OfficeMachine]) -> None:
    run_state_machine_as_test(machine, settings=runs(4, steps=40))
