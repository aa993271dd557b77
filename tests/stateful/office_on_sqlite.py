"""A machine of the merchant's side whose journal is a SQLite file."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.stateful.office_machine import OfficeMachine
from tests.unit.host.pipeline.host_in_process import HostInProcess

from pos_host.journal import Journal
from pos_host.storage.sqlite import SqliteJournal


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
