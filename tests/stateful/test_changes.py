"""Settlement accounts and holders live through whatever people can do to them, on every journal."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.stateful.account_change_model import AccountChangeMachine
from tests.stateful.holder_change_model import HolderChangeMachine
from tests.stateful.office_machine import OfficeMachine
from tests.unit.host.pipeline.host_in_process import HostInProcess

from pos_host.journal import Journal
from pos_host.storage.sqlite import SqliteJournal

QUICK = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
"""The same runs each time: what fails, fails again."""

ON_DISK = settings(QUICK, max_examples=12)


class OnSqlite(OfficeMachine):
    """The same machine over a SQLite file."""

    def open_journal(self) -> Journal:
        self.folder = Path(tempfile.mkdtemp(prefix="pos-host-model-"))
        return SqliteJournal(self.folder / "store.db")

    async def restarted(self) -> HostInProcess:
        await self.host.quiet()
        await self.host.journal.close()
        return HostInProcess(SqliteJournal(self.folder / "store.db"), at_ms=self.host.clock.now_ms())

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            shutil.rmtree(self.folder)


class AccountChangeOnSqlite(OnSqlite, AccountChangeMachine):
    pass


class HolderChangeOnSqlite(OnSqlite, HolderChangeMachine):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("machine", [AccountChangeMachine, HolderChangeMachine])
def test_a_change_in_memory_is_what_it_is_on_paper(machine: type[OfficeMachine]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("machine", [AccountChangeOnSqlite, HolderChangeOnSqlite])
def test_a_change_on_sqlite_is_what_it_is_on_paper(machine: type[OfficeMachine]) -> None:
    run_state_machine_as_test(machine, settings=ON_DISK)
