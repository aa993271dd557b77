"""Users and rights live through whatever people can do to them, on every journal."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.stateful.office_on_sqlite import OnSqlite
from tests.stateful.people_model import PeopleMachine

QUICK = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
"""The same runs each time: what fails, fails again."""

ON_DISK = settings(QUICK, max_examples=6)


class PeopleOnSqlite(OnSqlite, PeopleMachine):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(("machine", "how"), [(PeopleMachine, QUICK), (PeopleOnSqlite, ON_DISK)])
def test_users_and_rights_are_what_they_are_on_paper(machine: type[PeopleMachine], how: settings) -> None:
    run_state_machine_as_test(machine, settings=how)
