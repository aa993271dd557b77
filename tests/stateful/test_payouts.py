"""Payouts live through whatever merchants, people and days can do to them, on every journal."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.stateful.payout_model import PayoutMachine
from tests.unit.host.pipeline.host_in_process import HostInProcess

from pos_host.journal import Journal, RowType
from pos_host.storage.sqlite import SqliteJournal, read_all
from pos_host.storage.sqlite_file import open_to_read

QUICK = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
"""The same runs each time: what fails, fails again."""

ON_DISK = settings(QUICK, max_examples=10)


class OnSqlite(PayoutMachine):
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
def test_a_payout_in_memory_is_what_it_is_in_the_cash_book() -> None:
    run_state_machine_as_test(PayoutMachine, settings=QUICK)


@pytest.mark.slow
def test_a_payout_on_sqlite_is_what_it_is_in_the_cash_book() -> None:
    run_state_machine_as_test(OnSqlite, settings=ON_DISK)
