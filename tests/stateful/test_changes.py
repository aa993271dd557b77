"""Settlement accounts and holders live through whatever people can do to them, on every journal."""

from __future__ import annotations

import pytest
from hypothesis.stateful import run_state_machine_as_test
from tests.stateful.account_change_model import AccountChangeMachine
from tests.stateful.holder_change_model import HolderChangeMachine
from tests.stateful.office_machine import OfficeMachine
from tests.stateful.on_every_journal import OnSqlite, runs
from tests.stateful.ways import every_way_taken, toured

from pos_host.merchants.accounts.account_changes import ACCOUNT_CHANGE_LIFE
from pos_host.merchants.accounts.accounts import ACCOUNT_LIFE
from pos_host.merchants.accounts.holder_changes import HOLDER_CHANGE_LIFE
from pos_host.merchants.accounts.holders import HOLDER_LIFE


class AccountChangeOnSqlite(OnSqlite, AccountChangeMachine):
    pass


class HolderChangeOnSqlite(OnSqlite, HolderChangeMachine):
    pass


@pytest.mark.slow
def test_an_account_and_its_changes_are_in_memory_what_they_are_on_paper() -> None:
    # what was rejected is reconsidered by a complaint: complaint_model.py
    with every_way_taken(ACCOUNT_LIFE, ACCOUNT_CHANGE_LIFE, but={("rejected", "reconsider")}):
        toured(AccountChangeMachine())
        run_state_machine_as_test(AccountChangeMachine, settings=runs(30))


@pytest.mark.slow
def test_a_holder_and_its_changes_are_in_memory_what_they_are_on_paper() -> None:
    with every_way_taken(HOLDER_LIFE, HOLDER_CHANGE_LIFE, but={("rejected", "reconsider")}):
        toured(HolderChangeMachine())
        run_state_machine_as_test(HolderChangeMachine, settings=runs(30))


@pytest.mark.slow
@pytest.mark.parametrize("machine", [AccountChangeOnSqlite, HolderChangeOnSqlite])
def test_a_change_on_sqlite_is_what_it_is_on_paper(machine: type[OfficeMachine]) -> None:
    run_state_machine_as_test(machine, settings=runs(8))
