"""What the machines of the merchant's side have in common: a host on some journal, people, and how they are refused."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, NamedTuple, TypeVar

from hypothesis.stateful import RuleBasedStateMachine, rule
from structlog.testing import capture_logs
from tests.unit.host.merchants.settlement_people import ADMIN, OPERATOR, OTHER_REVIEWER, REVIEWER, VIEWER
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import verify

from pos_host.journal import Journal, RowType
from pos_host.ledger.merchant_rows import AuditRow
from pos_host.merchants.actors import Actor
from pos_host.merchants.audit import broken_links
from pos_host.merchants.desk import Forbidden, Refused
from pos_host.merchants.lives import NotNow
from pos_host.testing.virtual_loop import VirtualLoop

DAY_MS = 86_400_000
PEOPLE = (VIEWER, OPERATOR, REVIEWER, OTHER_REVIEWER, ADMIN, Actor("Wang.Wei", "admin"))
"""The last one is the first reviewer under another token."""

T = TypeVar("T")


class Outcome(NamedTuple):
    """How something that was tried ended: done, forbidden, not_now or refused, and what blocked it."""

    kind: str
    blockers: set[str]
    text: str = ""


class OfficeMachine(RuleBasedStateMachine):
    """A host in memory, restarted now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = self.new_loop()
        self.quiet_logs = contextlib.ExitStack()
        self.quiet_logs.enter_context(capture_logs())  # what the host says of it all is not of interest here
        self.counted = 0
        self.host = self.run(self.make_host())

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """On virtual time, where nothing waits for a disk."""
        return VirtualLoop()

    def open_journal(self) -> Journal | None:
        """A new journal, or the same one again; None for one in memory."""
        return None

    async def make_host(self) -> HostInProcess:
        return HostInProcess(self.open_journal())

    async def restarted(self) -> HostInProcess:
        return self.host.twin()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def count(self) -> int:
        """A number that was not given before."""
        self.counted += 1
        return self.counted

    def tried(self, work: Coroutine[Any, Any, dict[str, Any]]) -> tuple[Outcome, dict[str, Any]]:
        """What came of it."""
        try:
            return Outcome("done", set()), self.run(work)
        except Forbidden as error:
            return Outcome("forbidden", set(), str(error)), {}
        except NotNow as error:
            return Outcome("not_now", set(), str(error)), {}
        except Refused as error:
            blockers = {b["code"] for b in error.more.get("blockers", ()) if b["blocks"]}
            return Outcome("refused", blockers, str(error)), {}

    @rule()
    def restart(self) -> None:
        self.host = self.run(self.restarted())
        self.after_restart()

    def after_restart(self) -> None:
        """Look for the new host's parts."""

    def teardown(self) -> None:
        trail = self.run(self.host.journal.select(_all_audited()))
        self.run(self.host.journal.close())
        self.loop.close()
        self.quiet_logs.close()
        assert [] == broken_links(trail, {})


class ProvenMachine(OfficeMachine):
    """One whose books are proven at the end, after a last restart."""

    def rows_of(self, table: type[RowType]) -> list[RowType]:
        """Every row of a table that the store holds."""
        return self.host.memory.all_rows(table)

    def teardown(self) -> None:
        self.host = self.run(self.restarted())
        report = verify(self.rows_of, self.run(self.host.journal.entries_after(0, 100_000)))
        super().teardown()
        assert 0 == report["differences"], report["details"]


def _all_audited() -> Any:
    from pos_host.journal import Question

    return Question(AuditRow, {}, limit=100_000)
