"""A batch lives through whatever a terminal can do to it, on every journal."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest
from hypothesis.stateful import precondition, rule, run_state_machine_as_test
from tests.stateful.batch_model import BatchMachine, HypercomMachine, Iso87Machine, UnionPayMachine
from tests.stateful.on_every_journal import OnSqlite, runs
from tests.unit.host.pipeline.host_in_process import HostInProcess

from pos_host.settlement.durations import LONGEST_DURATION_MS
from pos_host.settlement.policy import load_policy

AT_NIGHT = replace(load_policy(None), auto_settle=time(23, 30), auth_expires_ms=LONGEST_DURATION_MS)
"""A year is more nights than a run has, so that no authorisation expires on paper."""


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
    run_state_machine_as_test(machine, settings=runs(60, steps=40))


@pytest.mark.slow
@pytest.mark.parametrize("machine", [UnionPayOnSqlite, HypercomOnSqlite, Iso87OnSqlite])
def test_a_batch_on_sqlite_is_what_it_is_on_paper(machine: type[BatchMachine]) -> None:
    run_state_machine_as_test(machine, settings=runs(12, steps=40))
