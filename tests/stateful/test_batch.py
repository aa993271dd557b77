"""A batch lives through whatever a terminal can do to it, on every journal."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import precondition, rule, run_state_machine_as_test
from tests.stateful.batch_model import BatchMachine, HypercomMachine, Iso87Machine, UnionPayMachine
from tests.unit.host.pipeline.host_in_process import HostInProcess

from pos_host.journal import Journal, RowType
from pos_host.settlement.durations import LONGEST_DURATION_MS
from pos_host.settlement.policy import load_policy
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


AT_NIGHT = replace(load_policy(None), auto_settle=time(23, 30), auth_expires_ms=LONGEST_DURATION_MS)
"""A year is more nights than a run has, so that no authorisation expires on paper."""


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


class SettledAtNight(UnionPayMachine):
    """The same machine over a host that settles by itself what its terminal left open."""

    async def make_host(self) -> HostInProcess:
        return HostInProcess(self.open_journal(), policy=AT_NIGHT)

    @precondition(lambda self: self.uploading is None)
    @rule()
    def night_falls(self) -> None:
        """Until the host would settle; a batch without money stays open."""
        batch = self.current
        self.run(self.host.watch.settle())  # it may have been due for long
        due_ms = self.host.settler.next_due_ms()
        if due_ms is not None:
            self.run(self.host.watch.advance(self.host.clock, due_ms))
        if self.groups(batch):
            self.note_closed(batch, "settled_by_host")
            assert "00" == self.run(self.terminal.sign_in()).code


class UnionPayOnSqlite(OnSqlite, UnionPayMachine):
    pass


class HypercomOnSqlite(OnSqlite, HypercomMachine):
    pass


class Iso87OnSqlite(OnSqlite, Iso87Machine):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("machine", [UnionPayMachine, HypercomMachine, Iso87Machine, SettledAtNight])
def test_a_batch_in_memory_is_what_it_is_on_paper(machine: type[BatchMachine]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("machine", [UnionPayOnSqlite, HypercomOnSqlite, Iso87OnSqlite])
def test_a_batch_on_sqlite_is_what_it_is_on_paper(machine: type[BatchMachine]) -> None:
    run_state_machine_as_test(machine, settings=ON_DISK)
