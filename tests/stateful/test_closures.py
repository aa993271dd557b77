"""A terminal or a whole merchant is suspended, closed and reopened in any order, on every journal."""

from __future__ import annotations

import pytest
from hypothesis.stateful import run_state_machine_as_test
from tests.stateful.closure_model import ClosureMachine
from tests.stateful.merchant_model import MerchantMachine
from tests.stateful.office_machine import OfficeMachine
from tests.stateful.on_every_journal import OnSqlite, runs
from tests.stateful.ways import every_way_taken, toured

from pos_host.merchants.closing import closure_states, reopenings
from pos_host.merchants.closing.terminal_states import MERCHANT_STATES, TERMINAL


class ClosureOnSqlite(OnSqlite, ClosureMachine):
    pass


class MerchantOnSqlite(OnSqlite, MerchantMachine):
    pass


@pytest.mark.slow
def test_a_terminals_states_are_in_memory_what_they_are_on_paper() -> None:
    # a reopened terminal signs in on the wire
    with every_way_taken(TERMINAL, closure_states.LIFE, reopenings.LIFE, but={("approved", "sign_in")}):
        toured(ClosureMachine())
        run_state_machine_as_test(ClosureMachine, settings=runs(35))


@pytest.mark.slow
def test_a_merchants_states_are_in_memory_what_they_are_on_paper() -> None:
    with every_way_taken(MERCHANT_STATES):
        toured(MerchantMachine())
        run_state_machine_as_test(MerchantMachine, settings=runs(35))


@pytest.mark.slow
@pytest.mark.parametrize("machine", [ClosureOnSqlite, MerchantOnSqlite])
def test_states_are_on_sqlite_what_they_are_on_paper(machine: type[OfficeMachine]) -> None:
    run_state_machine_as_test(machine, settings=runs(8))
