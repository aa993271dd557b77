"""Settlement applications live through whatever people can do to them, on every journal."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.stateful.application_model import ApplicationMachine
from tests.unit.host.pipeline.host_in_process import HostInProcess

from pos_host.journal import Journal, RowType
from pos_host.storage.sqlite import SqliteJournal, read_all
from pos_host.storage.sqlite_file import open_to_read

QUICK = settings(
    max_examples=30,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
"""The same runs each time: what fails, fails again."""

ON_DISK = settings(QUICK, max_examples=6)


class OnSqlite(ApplicationMachine):
    """The same machine over a SQLite file."""

    def open_journal(self) -> Journal:
        self.folder = Path(tempfile.mkdtemp(prefix="pos-host-model-"))
        return SqliteJournal(self.folder / "store.db")

    async def restarted(self) -> HostInProcess:
        await self.host.quiet()
        await self.host.journal.close()
        return HostInProcess(SqliteJournal(self.folder / "store.db"), at_ms=self.host.clock.now_ms())

    def rows_of(self, table: type[RowType]) -> list[RowType]:
        with closing(open_to_read(self.folder / "store.db")) as connection:
            return read_all(connection, table)

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            shutil.rmtree(self.folder)


@pytest.mark.slow
@pytest.mark.parametrize(("machine", "how"), [(ApplicationMachine, QUICK), (OnSqlite, ON_DISK)])
def test_an_application_is_what_it_is_on_paper(machine: type[ApplicationMachine], how: settings) -> None:
    run_state_machine_as_test(machine, settings=how)
