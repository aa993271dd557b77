"""A batch lives through whatever a terminal can do to it, on every journal."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.stateful.batch_model import BatchMachine, HypercomMachine, Iso87Machine, UnionPayMachine
from tests.unit.host.pipeline.host_in_process import HostInProcess

from pos_host.journal import Journal, RowType
from pos_host.storage.sqlite import SqliteJournal, read_all
from pos_host.storage.sqlite_file import open_to_read

QUICK = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
"""The same runs each time: what fails, fails again."""

ON_DISK = settings(QUICK, max_examples=25, stateful_step_count=40)


class OnSqlite(BatchMachine):
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


class UnionPayOnSqlite(OnSqlite, UnionPayMachine):
    pass


class HypercomOnSqlite(OnSqlite, HypercomMachine):
    pass


class Iso87OnSqlite(OnSqlite, Iso87Machine):
    pass


@pytest.mark.parametrize("machine", [UnionPayMachine, HypercomMachine, Iso87Machine])
def test_a_batch_in_memory_is_what_it_is_on_paper(machine: type[BatchMachine]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)


@pytest.mark.parametrize("machine", [UnionPayOnSqlite, HypercomOnSqlite, Iso87OnSqlite])
def test_a_batch_on_sqlite_is_what_it_is_on_paper(machine: type[BatchMachine]) -> None:
    run_state_machine_as_test(machine, settings=ON_DISK)
