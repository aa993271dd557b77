"""Settlement applications live through whatever people can do to them, on every journal."""

from __future__ import annotations

import pytest
from hypothesis.stateful import run_state_machine_as_test
from tests.stateful.application_model import ApplicationMachine
from tests.stateful.on_every_journal import OnSqlite, runs
from tests.stateful.ways import every_way_taken, toured

from pos_host.merchants.forgotten.applications import LIFE


class ApplicationOnSqlite(OnSqlite, ApplicationMachine):
    pass


@pytest.mark.slow
def test_an_application_is_in_memory_what_it_is_on_paper() -> None:
    with every_way_taken(LIFE):
        toured(ApplicationMachine())
        run_state_machine_as_test(ApplicationMachine, settings=runs(30))


@pytest.mark.slow
def test_an_application_is_on_sqlite_what_it_is_on_paper() -> None:
    run_state_machine_as_test(ApplicationOnSqlite, settings=runs(6))
