"""Terms that are agreed, and what a terminal says late of what the host settled, on every journal."""

from __future__ import annotations

import pytest
from hypothesis.stateful import run_state_machine_as_test
from tests.stateful.agreement_model import AgreementMachine
from tests.stateful.late_difference_model import LateDifferenceMachine
from tests.stateful.office_machine import OfficeMachine
from tests.stateful.on_every_journal import OnSqlite, runs
from tests.stateful.ways import every_way_taken, toured, ways_of

from pos_host.merchants.versions import AGREEMENT
from pos_host.money.late_differences import LIFE


class AgreementOnSqlite(OnSqlite, AgreementMachine):
    pass


class LateDifferenceOnSqlite(OnSqlite, LateDifferenceMachine):
    pass


@pytest.mark.slow
def test_in_memory_every_version_agreed_on_is_as_on_paper() -> None:
    with every_way_taken(AGREEMENT):
        run_state_machine_as_test(AgreementMachine, settings=runs(25))


@pytest.mark.slow
def test_in_memory_every_late_difference_is_as_on_paper() -> None:
    told = {(state, action) for state, action in ways_of(LIFE) if action in ("find", "clear")}  # by a terminal
    with every_way_taken(LIFE, but=told):
        toured(LateDifferenceMachine())
        run_state_machine_as_test(LateDifferenceMachine, settings=runs(40))


@pytest.mark.slow
@pytest.mark.parametrize("machine", [AgreementOnSqlite, LateDifferenceOnSqlite])
def test_on_sqlite_everything_is_as_on_paper(machine: type[OfficeMachine]) -> None:
    # each run has a file of its own, opened anew at every restart
    run_state_machine_as_test(machine, settings=runs(6))
