"""Settlement accounts and holders live through whatever people can do to them, on every journal."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.stateful.account_change_model import AccountChangeMachine
from tests.stateful.holder_change_model import HolderChangeMachine
from tests.stateful.office_machine import OfficeMachine
from tests.stateful.office_on_sqlite import OnSqlite

QUICK = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
"""The same runs each time: what fails, fails again."""

ON_DISK = settings(QUICK, max_examples=12)


class AccountChangeOnSqlite(OnSqlite, AccountChangeMachine):
    pass


class HolderChangeOnSqlite(OnSqlite, HolderChangeMachine):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("machine", [AccountChangeMachine, HolderChangeMachine])
def test_a_change_in_memory_is_what_it_is_on_paper(machine: type[OfficeMachine]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("machine", [AccountChangeOnSqlite, HolderChangeOnSqlite])
def test_a_change_on_sqlite_is_what_it_is_on_paper(machine: type[OfficeMachine]) -> None:
    run_state_machine_as_test(machine, settings=ON_DISK)
