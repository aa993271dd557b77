"""Users, rights and complaints live through whatever people can do to them, on every journal."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.stateful.complaint_model import ComplaintMachine
from tests.stateful.office_machine import OfficeMachine
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


class ComplaintOnSqlite(OnSqlite, ComplaintMachine):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("machine", [PeopleMachine, ComplaintMachine])
def test_what_people_ask_for_is_in_memory_what_it_is_on_paper(machine: type[OfficeMachine]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("machine", [PeopleOnSqlite, ComplaintOnSqlite])
def test_what_people_ask_for_is_on_sqlite_what_it_is_on_paper(machine: type[OfficeMachine]) -> None:
    run_state_machine_as_test(machine, settings=ON_DISK)
