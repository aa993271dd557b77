"""Payouts live through whatever merchants, people and days can do to them, on every journal."""

from __future__ import annotations

import pytest
from hypothesis.stateful import run_state_machine_as_test
from tests.stateful.on_every_journal import OnSqlite, runs
from tests.stateful.payout_model import PayoutMachine
from tests.stateful.ways import every_way_taken, toured

from pos_host.money.payout_states import PAYOUT


class PayoutOnSqlite(OnSqlite, PayoutMachine):
    pass


@pytest.mark.slow
def test_a_payout_in_memory_is_what_it_is_in_the_cash_book() -> None:
    with every_way_taken(PAYOUT):
        toured(PayoutMachine())
        run_state_machine_as_test(PayoutMachine, settings=runs(60))


@pytest.mark.slow
def test_a_payout_on_sqlite_is_what_it_is_in_the_cash_book() -> None:
    run_state_machine_as_test(PayoutOnSqlite, settings=runs(10))
