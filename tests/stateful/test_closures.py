"""A terminal is suspended, closed, reopened and replaced in any order, on every journal."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from tests.stateful.closure_model import ClosureMachine
from tests.stateful.test_changes import ON_DISK, QUICK, OnSqlite

from pos_host.journal import RowType
from pos_host.storage.sqlite import read_all
from pos_host.storage.sqlite_file import open_to_read


class ClosureOnSqlite(OnSqlite, ClosureMachine):
    """The same machine over a SQLite file."""

    def rows_of(self, table: type[RowType]) -> list[RowType]:
        with closing(open_to_read(self.folder / "store.db")) as connection:
            return read_all(connection, table)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("machine", "runs"), [(ClosureMachine, QUICK), (ClosureOnSqlite, ON_DISK)], ids=["memory", "sqlite"]
)
def test_a_terminals_states_are_what_they_are_on_paper(machine: type[ClosureMachine], runs: settings) -> None:
    run_state_machine_as_test(machine, settings=runs)
