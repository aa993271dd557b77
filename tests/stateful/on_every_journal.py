"""How machines are run: the same runs each time, in memory and on a SQLite file; or others, many, to explore."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from tests.unit.host.pipeline.host_in_process import HostInProcess

from pos_host.journal import Journal, RowType
from pos_host.storage.sqlite import SqliteJournal, read_all
from pos_host.storage.sqlite_file import open_to_read

EXPLORE = int(os.environ.get("POS_EXPLORE", "0"))
"""So many times the runs, each time others (`make explore`); 0 for the same ones each time."""


def runs(examples: int, steps: int = 30) -> settings:
    """So many runs of at most so many steps; what fails, fails again."""
    return settings(
        max_examples=examples * (EXPLORE or 1),
        stateful_step_count=steps,
        derandomize=not EXPLORE,
        print_blob=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


class OnSqlite:
    """Mixed into a machine, before it: the same over a SQLite file."""

    host: Any

    def new_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.new_event_loop()

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
            super().teardown()  # type: ignore[misc]
        finally:
            shutil.rmtree(self.folder)
