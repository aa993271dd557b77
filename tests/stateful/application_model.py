"""The life of settlement applications as anybody would note it on paper, beside a host that keeps it in its journal.

Terminals sell and settle, people apply, hand in again, review and withdraw in any order, the host is restarted; the
model knows which of it must be refused. See test_applications.py.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from structlog.testing import capture_logs
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import verify
from tests.unit.host.pipeline.terminals import Exchange, UnionPayTerminal, debit_credit

from pos_host.journal import Journal, RowType
from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Forbidden, Refused
from pos_host.merchants.forgotten.applications import HandedIn
from pos_host.merchants.lives import NotNow
from pos_host.testing.virtual_loop import VirtualLoop

T = TypeVar("T")
TERMINAL = "T0000001"
PEOPLE = [
    Actor("an", "viewer"),
    Actor("bo", "operator"),
    Actor("chen", "operator"),
    Actor("ding", "reviewer"),
    Actor("en", "admin"),
]
RANK = {"viewer": 0, "operator": 1, "reviewer": 2, "admin": 3}
PERSON = st.sampled_from(PEOPLE)


@dataclass
class PaperApplication:
    """What is known of one application; `slips` are those handed in last."""

    batch: int
    applicants: set[str]
    slips: list[Exchange]
    state: str = "submitted"


@dataclass
class PaperTerminal:
    """The sales of the open batch, and what each closed one held."""

    sales: list[Exchange] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    ordinal: int = 1


class ApplicationMachine(RuleBasedStateMachine):
    """One terminal, five people."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = self.new_loop()
        self.quiet_logs = contextlib.ExitStack()
        self.quiet_logs.enter_context(capture_logs())
        self.host = self.run(self.make_host())
        self.terminal = UnionPayTerminal(self.host)
        self.paper = PaperTerminal()
        self.applications: list[PaperApplication] = []
        self.amounts = 0

    # -- the host under test

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """On virtual time, where nothing waits for a disk."""
        return VirtualLoop()

    def open_journal(self) -> Journal | None:
        return None

    async def make_host(self) -> HostInProcess:
        return HostInProcess(self.open_journal())

    async def restarted(self) -> HostInProcess:
        return self.host.twin()

    def rows_of(self, table: type[RowType]) -> list[RowType]:
        return self.host.memory.all_rows(table)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.restart()
        entries = self.run(self.host.journal.entries_after(0, 100_000))
        report = verify(self.rows_of, entries)
        payouts = {row.payout_id % 100_000: row.captured_minor for row in self.rows_of(PayoutRow)}
        self.run(self.host.journal.close())
        self.loop.close()
        self.quiet_logs.close()
        assert 0 == report["differences"], report["details"]
        expected = {place: amount for place, amount in enumerate(self.paper.closed, 1) if amount}
        assert expected == payouts, f"paid {payouts}, settled {expected}"

    @property
    def service(self) -> Any:
        return self.host.parts.forgotten.applications

    def ask(self, work: Coroutine[Any, Any, Any]) -> str:
        """What came of it: done, or how it was refused."""
        try:
            self.run(work)
        except Forbidden:
            return "forbidden"
        except NotNow:
            return "not now"
        except Refused as refused:
            return refused.kind
        return "done"

    # -- the terminal

    @initialize()
    def begin(self) -> None:
        self.sell()

    @rule()
    def sell(self) -> None:
        self.amounts += 1  # no two are the same, so that no two totals are
        done = self.run(self.terminal.purchase(1_000_00 + self.amounts))
        assert "00" == done.code
        self.paper.sales.append(done)

    @precondition(lambda self: self.paper.sales)
    @rule()
    def settle(self) -> None:
        done = self.run(self.terminal.settle(debit_credit((len(self.paper.sales), self.money()))))
        assert "1" == done.answer.fields[48][30]
        self.close()

    def money(self) -> int:
        return sum(sale.amount_minor for sale in self.paper.sales)

    def close(self) -> None:
        self.paper.closed.append(self.money())
        self.paper.sales = []
        self.paper.ordinal += 1
        self.run(self.terminal.sign_in())

    @rule()
    def restart(self) -> None:
        self.host = self.run(self.restarted())
        stan, batch = self.terminal.stan, self.terminal.batch
        self.terminal = UnionPayTerminal(self.host)
        self.terminal.stan, self.terminal.batch = stan, batch

    # -- people

    def handed_in(self, share: int) -> tuple[HandedIn, list[Exchange]]:
        slips = self.paper.sales[: max(1, len(self.paper.sales) // share)]
        day = "2026-03-02"
        vouchers = [{"rrn": slip.rrn, "amount_minor": slip.amount_minor, "date": day} for slip in slips]
        return HandedIn(vouchers or [{"rrn": "1", "amount_minor": 1, "date": day}]), slips

    def open_application(self) -> PaperApplication | None:
        open_states = ("submitted", "rejected")
        mine = [one for one in self.applications if one.batch == self.paper.ordinal and one.state in open_states]
        return mine[0] if mine else None

    @rule(person=PERSON, share=st.sampled_from([1, 1, 2]))
    def submit(self, person: Actor, share: int) -> None:
        handed_in, slips = self.handed_in(share)
        said = self.ask(self.service.submit(person, self.host.book(TERMINAL), handed_in))
        if RANK[person.role] < RANK["operator"]:
            assert "forbidden" == said
        elif not self.paper.sales:
            assert "nothing_to_settle" == said
        elif self.open_application() is not None:
            assert "application_open" == said
        else:
            assert "done" == said, said
            self.applications.append(PaperApplication(self.paper.ordinal, {person.name}, slips))

    @precondition(lambda self: self.applications)
    @rule(person=PERSON, place=st.integers(0, 9), share=st.sampled_from([1, 1, 2]))
    def resubmit(self, person: Actor, place: int, share: int) -> None:
        number, paper = self.choose(place)
        handed_in, slips = self.handed_in(share)
        said = self.ask(self.service.resubmit(person, self.host.book(TERMINAL), number, handed_in))
        if RANK[person.role] < RANK["operator"]:
            assert "forbidden" == said
        elif paper.state != "rejected":
            assert "not now" == said
        elif paper.batch != self.paper.ordinal:
            assert "batch_settled" == said
        else:
            assert "done" == said, said
            paper.state, paper.slips, paper.applicants = "submitted", slips, {person.name}

    @precondition(lambda self: self.applications)
    @rule(person=PERSON, place=st.integers(0, 9))
    def reject(self, person: Actor, place: int) -> None:
        number, paper = self.choose(place)
        said = self.ask(self.service.reject(person, self.host.book(TERMINAL), number, "look again"))
        self.reviewed(said, person, paper, "rejected")

    @precondition(lambda self: self.applications)
    @rule(person=PERSON, place=st.integers(0, 9))
    def withdraw(self, person: Actor, place: int) -> None:
        number, paper = self.choose(place)
        said = self.ask(self.service.withdraw(person, self.host.book(TERMINAL), number))
        if RANK[person.role] < RANK["operator"]:
            assert "forbidden" == said
        elif paper.state not in ("submitted", "rejected"):
            assert "not now" == said
        else:
            assert "done" == said, said
            paper.state = "withdrawn"

    @precondition(lambda self: self.applications)
    @rule(person=PERSON, place=st.integers(0, 9))
    def approve(self, person: Actor, place: int) -> None:
        number, paper = self.choose(place)
        said = self.ask(self.service.approve(person, self.host.book(TERMINAL), number))
        complete = [slip.rrn for slip in paper.slips] == [sale.rrn for sale in self.paper.sales]
        if paper.state == "submitted" and RANK[person.role] >= 2 and person.name not in paper.applicants:
            expected = "batch_settled" if paper.batch != self.paper.ordinal else "done"
            assert (expected if complete or expected != "done" else "vouchers_incomplete") == said
            if said == "done":
                paper.state = "approved"
                self.close()
            return
        self.reviewed(said, person, paper, "approved")

    @rule(sold=st.booleans())
    def hand_in_and_have_it_approved(self, sold: bool) -> None:
        if sold:
            self.sell()
        self.submit(PEOPLE[1], 1)
        if self.applications:
            self.approve(PEOPLE[3], len(self.applications) - 1)

    @rule(first=st.sampled_from(["reject", "leave"]), then=st.sampled_from(["resubmit", "withdraw"]))
    def hand_in_and_think_again(self, first: str, then: str) -> None:
        """So that what was rejected is handed in again, or withdrawn, often enough."""
        self.submit(PEOPLE[1], 1)
        if not self.applications:
            return
        last = len(self.applications) - 1
        if first == "reject":
            self.reject(PEOPLE[3], last)
        if then == "withdraw":
            self.withdraw(PEOPLE[2], last)
        else:
            self.resubmit(PEOPLE[2], last, 1)

    def tour(self) -> Iterator[None]:
        """Every state left in every way."""
        self.begin()
        for first in ("leave", "reject"):
            for then in ("withdraw", "resubmit"):
                self.hand_in_and_think_again(first, then)
                yield
        self.approve(PEOPLE[3], len(self.applications) - 1)
        yield

    def reviewed(self, said: str, person: Actor, paper: PaperApplication, state: str) -> None:
        if RANK[person.role] < RANK["reviewer"]:
            assert "forbidden" == said
        elif paper.state != "submitted":
            assert "not now" == said
        elif person.name in paper.applicants:
            assert "forbidden" == said
        else:
            assert "done" == said, said
            paper.state = state

    def choose(self, place: int) -> tuple[str, PaperApplication]:
        number = place % len(self.applications)
        return str(number + 1), self.applications[number]

    @invariant()
    def the_host_knows_the_same(self) -> None:
        shown = [(one["id"], one["state"]) for one in self.service.all()]
        assert [(str(place), one.state) for place, one in enumerate(self.applications, 1)] == shown
