"""The life of a terminal as anybody would keep it on paper, beside a host that keeps it in its journal.

The machine sells, signs in, settles, lets days pass, suspends, closes, withdraws, reopens, replaces and restarts, with
people of every role in any order; the paper knows what each of them may do and what the wire must answer. See
test_closures.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from tests.stateful.office_machine import DAY_MS, PEOPLE, ProvenMachine
from tests.unit.host.merchants.settlement_people import REVIEWER
from tests.unit.host.pipeline.terminals import MERCHANT, UnionPayTerminal, debit_credit

from pos_host.ledger.merchant_rows import PAYOUTS_OPEN
from pos_host.merchants.actors import ROLES, Actor
from pos_host.merchants.closing.closure_states import STEPS
from pos_host.merchants.closing.closures import Application, StepTaken
from pos_host.merchants.closing.endings import Endings
from pos_host.merchants.closing.terminal_states import Whom

ACTORS = st.sampled_from((*PEOPLE, *(actor for actor in PEOPLE if actor.role != "viewer")))
BOSS = next(actor for actor in PEOPLE if actor.role == "admin")
REASONS = st.sampled_from(["merchant_request", "fault", "contract_end", "violation"])
RESTRICTED = ("active", "suspended", "closing", "closed")


@dataclass
class PaperTerminal:
    """A terminal on paper; `sold` is what its open batch holds, `steps` what is done of its closure."""

    terminal_id: str
    number: int = 1
    sold: list[int] = field(default_factory=list)
    status: str = "active"
    held: bool = False
    sign_in_due: bool = False
    closure: str = ""
    steps: set[str] = field(default_factory=set)
    reopening: str = ""
    requested_by: str = ""


def may(actor: Actor, needed: str) -> bool:
    return ROLES.index(actor.role) >= ROLES.index(needed)


class ClosureMachine(ProvenMachine):
    """One merchant, one terminal at a time; those that were replaced stay to be looked at."""

    @initialize()
    def begin(self) -> None:
        self.paper = PaperTerminal("T0000001")
        self.retired: list[tuple[PaperTerminal, UnionPayTerminal]] = []
        self.merchant, self.merchant_held = "active", False
        self.terminal = UnionPayTerminal(self.host, self.paper.terminal_id)
        assert "00" == self.run(self.terminal.sign_in()).code

    def after_restart(self) -> None:
        self.terminal = self.again(self.terminal)
        self.retired = [(paper, self.again(old)) for paper, old in self.retired]

    def again(self, terminal: UnionPayTerminal) -> UnionPayTerminal:
        """The same device on a new line."""
        made = UnionPayTerminal(self.host, terminal.ids[41])
        made.stan, made.batch = terminal.stan, terminal.batch
        return made

    @property
    def services(self) -> Endings:
        return self.host.parts.endings

    def whom(self) -> Whom:
        return Whom(MERCHANT, self.host.book(self.paper.terminal_id))

    def open_payouts(self, paper: PaperTerminal) -> int:
        number = self.host.book(paper.terminal_id).terminal_no
        return sum(row.terminal_no == number for row in self.host.registry.payouts.values())

    def attempt(self, expected: str, work: Any) -> dict[str, Any]:
        """Do it; it must end as on paper."""
        outcome, answer = self.tried(work)
        assert expected == outcome.kind, outcome
        return answer

    # -- the wire

    def closed_code(self) -> str:
        if self.merchant == "closed":
            return "03"
        return "97" if self.paper.status == "closed" else ""

    def in_step(self) -> bool:
        return self.terminal.batch == f"{self.paper.number:06d}"

    @rule()
    def sell(self) -> None:
        paper, amount = self.paper, 10_00 + self.count()
        free = paper.status == self.merchant == "active" and not paper.sign_in_due
        expected = self.closed_code() or ("77" if not self.in_step() else "00" if free else "58")

        assert expected == self.run(self.terminal.purchase(amount)).code
        if expected == "00":
            paper.sold.append(amount)

    @rule()
    def sign_in(self) -> None:
        expected = self.closed_code() or "00"
        assert expected == self.run(self.terminal.sign_in()).code
        if expected == "00":
            self.paper.sign_in_due = False
            if self.paper.reopening == "approved":
                self.paper.reopening = "signed_in"
            assert self.in_step()

    @precondition(lambda self: self.in_step() or self.paper.status == "closed")
    @rule()
    def settle(self) -> None:
        paper = self.paper
        done = self.run(self.terminal.settle(debit_credit((len(paper.sold), sum(paper.sold)))))
        if self.closed_code():
            assert (self.closed_code(), "3") == (done.code, done.answer.fields[48][30])
            return
        assert (None, "1") == (done.code, done.answer.fields[48][30])
        paper.number += 1
        paper.sold = []

    @precondition(lambda self: self.retired)
    @rule()
    def hear_from_a_retired_one(self) -> None:
        _, terminal = self.retired[-1]
        assert "97" == self.run(terminal.purchase(10_00)).code

    @rule()
    def days_pass(self) -> None:
        host = self.host
        self.run(host.watch.advance(host.clock, host.clock.now_ms() + 5 * DAY_MS))
        for paper in (self.paper, *(old for old, _ in self.retired)):
            if not self.holds(paper):
                assert 0 == self.open_payouts(paper)

    def holds(self, paper: PaperTerminal) -> bool:
        return (paper.status == "suspended" and paper.held) or (self.merchant == "suspended" and self.merchant_held)

    # -- people

    @rule(actor=ACTORS, reason=REASONS)
    def suspend(self, actor: Actor, reason: str) -> None:
        paper = self.paper
        fits = paper.status in ("active", "closing")
        expected = "forbidden" if not may(actor, "operator") else "done" if fits else "not_now"
        self.attempt(expected, self.services.suspensions.suspend(actor, self.whom(), reason, "looked into"))
        if expected == "done":
            paper.status, paper.held = "suspended", reason == "violation"

    @rule(actor=ACTORS)
    def resume(self, actor: Actor) -> None:
        paper = self.paper
        fits = paper.status == "suspended"
        expected = "forbidden" if not may(actor, "reviewer") else "done" if fits else "not_now"
        self.attempt(expected, self.services.suspensions.resume(actor, self.whom(), "cleared"))
        if expected == "done":
            paper.status = "closing" if paper.closure == "closing" else "active"

    @rule(actor=ACTORS, held=st.booleans())
    def suspend_or_resume_the_merchant(self, actor: Actor, held: bool) -> None:
        suspensions, whom = self.services.suspensions, Whom(MERCHANT)
        expected = "done" if may(actor, "reviewer") else "forbidden"
        if self.merchant == "active":
            reason = "violation" if held else "contract_end"
            self.attempt(expected, suspensions.suspend(actor, whom, reason, "looked into"))
        else:
            self.attempt(expected, suspensions.resume(actor, whom, "cleared"))
        if expected == "done":
            self.merchant, self.merchant_held = ("suspended", held) if self.merchant == "active" else ("active", False)

    @rule(actor=ACTORS, reason=REASONS)
    def apply(self, actor: Actor, reason: str) -> None:
        paper = self.paper
        if not may(actor, "operator"):
            expected = "forbidden"
        elif paper.closure == "closing":
            expected = "refused"
        else:
            expected = "not_now" if paper.status == "closed" else "done"
        self.attempt(expected, self.services.closures.apply(actor, self.whom(), Application(reason, MERCHANT)))
        if expected == "done":
            paper.closure, paper.steps = "closing", set()
            if paper.status == "active":
                paper.status = "suspended" if reason == "violation" else "closing"
                paper.held = reason == "violation"

    @rule(actor=ACTORS)
    def withdraw(self, actor: Actor) -> None:
        paper = self.paper
        if not may(actor, "operator"):
            expected = "forbidden"
        else:
            expected = {"": "refused", "closing": "done"}.get(paper.closure, "not_now")
        self.attempt(expected, self.services.closures.withdraw(actor, self.whom(), "stays after all"))
        if expected == "done":
            paper.closure = "withdrawn"
            paper.status = "active" if paper.status == "closing" else paper.status

    @rule(actor=ACTORS, step=st.sampled_from(sorted(STEPS)))
    def take_step(self, actor: Actor, step: str) -> None:
        self.step(actor, self.paper, step)

    @precondition(lambda self: self.paper.status != "closed")
    @rule(reason=REASONS, resumed=st.booleans())
    def suspend_in_the_middle(self, reason: str, resumed: bool) -> None:
        """Of a closure, which goes on once the terminal is resumed."""
        if self.paper.status == "suspended":
            self.resume(BOSS)
        if self.paper.closure != "closing":
            self.apply(BOSS, "contract_end")
        self.suspend(BOSS, reason)
        if resumed:
            self.resume(BOSS)

    @precondition(lambda self: self.retired)
    @rule(actor=ACTORS, place=st.integers(0, 9), step=st.sampled_from(sorted(STEPS)))
    def take_step_of_a_retired_one(self, actor: Actor, place: int, step: str) -> None:
        """What is left of a replaced terminal: its payouts, and the device."""
        self.step(actor, self.retired[place % len(self.retired)][0], step)

    @precondition(lambda self: self.retired)
    @rule(place=st.integers(0, 9))
    def see_a_retired_one_off(self, place: int) -> None:
        """So that these closures end often enough."""
        self.days_pass()
        for step in STEPS:
            self.step(BOSS, self.retired[place % len(self.retired)][0], step)

    def step(self, actor: Actor, paper: PaperTerminal, step: str) -> None:
        expected = self.expected_of(actor, paper, step)
        whom = Whom(MERCHANT, self.host.book(paper.terminal_id))
        self.attempt(expected, self.services.closures.take_step(actor, whom, step, StepTaken()))
        if expected != "done":
            return
        paper.steps.add(step)
        if paper.steps == set(STEPS):
            paper.closure, paper.status = "closed", "closed"

    @precondition(lambda self: self.paper.status != "closed")
    @rule(settled=st.booleans(), paid=st.booleans())
    def go_for_the_end(self, settled: bool, paid: bool) -> None:
        """So that closures come to their end, or to what stands against it, often enough."""
        self.sign_in()
        self.sell()
        if self.paper.closure != "closing":
            self.apply(BOSS, "contract_end")
        if settled:
            self.settle()
        if paid:
            self.days_pass()
        for step in STEPS:
            self.take_step(BOSS, step)

    def expected_of(self, actor: Actor, paper: PaperTerminal, step: str) -> str:
        if not may(actor, "operator"):
            return "forbidden"
        if paper.closure not in ("closing", "replaced"):
            return "not_now" if paper.closure else "refused"
        open_ones = {"final_settlement": bool(paper.sold), "final_payout": bool(self.open_payouts(paper))}
        last = paper.steps | {step} == set(STEPS)
        blocked = any(open_ones.values()) if last else open_ones.get(step, False)
        early = not set(STEPS[step]) <= paper.steps
        return "refused" if step in paper.steps or early or blocked else "done"

    @rule(actor=ACTORS)
    def request_reopening(self, actor: Actor) -> None:
        paper = self.paper
        if not may(actor, "operator"):
            expected = "forbidden"
        elif paper.status != "closed":
            expected = "not_now"
        else:
            expected = "refused" if paper.reopening == "requested" else "done"
        self.attempt(expected, self.services.reopenings.request(actor, self.whom(), "opens again"))
        if expected == "done":
            paper.reopening, paper.requested_by = "requested", actor.name

    @precondition(lambda self: self.paper.status == "closed")
    @rule(applicant=ACTORS, reviewer=ACTORS, approve=st.booleans())
    def reopen(self, applicant: Actor, reviewer: Actor, approve: bool) -> None:
        """Both steps of it, by anybody."""
        self.request_reopening(applicant)
        self.review_reopening(reviewer, approve)

    @rule(actor=ACTORS, approve=st.booleans())
    def review_reopening(self, actor: Actor, approve: bool) -> None:
        paper, reopenings = self.paper, self.services.reopenings
        if not may(actor, "reviewer"):
            expected = "forbidden"
        elif paper.reopening != "requested":
            expected = "not_now" if paper.reopening else "refused"
        else:
            same = "".join(actor.name.split()).casefold() == "".join(paper.requested_by.split()).casefold()
            expected = "forbidden" if same else "done"
        act = reopenings.approve if approve else reopenings.reject
        self.attempt(expected, act(actor, self.whom(), "reviewed"))
        if expected == "done" and not approve:
            paper.reopening = "rejected"
        elif expected == "done":
            paper.reopening, paper.status, paper.sign_in_due = "approved", "active", True
            paper.number += 1

    @precondition(lambda self: self.paper.status == "closed")
    @rule(actor=ACTORS, asked=st.booleans())
    def withdraw_reopening(self, actor: Actor, asked: bool) -> None:
        if asked:
            self.request_reopening(BOSS)
        paper = self.paper
        if not may(actor, "operator"):
            expected = "forbidden"
        else:
            expected = {"": "refused", "requested": "done"}.get(paper.reopening, "not_now")
        self.attempt(expected, self.services.reopenings.withdraw(actor, self.whom(), "stays closed"))
        if expected == "done":
            paper.reopening = "withdrawn"

    @rule(actor=ACTORS)
    def replace(self, actor: Actor) -> None:
        paper, new_id = self.paper, f"T{len(self.retired) + 2:07d}"
        fits = paper.status != "closed"
        expected = "forbidden" if not may(actor, "operator") else "done" if fits else "not_now"
        book = self.host.book(paper.terminal_id)
        answer = self.attempt(expected, self.services.replacements.replace(actor, book, new_id, "fault"))
        if expected != "done":
            return
        number = paper.number + (1 if paper.sold else 0)
        assert f"{number:06d}" == answer["batch_number"]
        if paper.closure != "closing":
            paper.steps = set()
        paper.steps |= {"unfinished_business", "final_settlement"}
        paper.status, paper.closure, paper.sold = "closed", "replaced", []
        self.retired.append((paper, self.terminal))
        self.paper = PaperTerminal(new_id, number)
        self.terminal = UnionPayTerminal(self.host, new_id)
        assert "00" == self.run(self.terminal.sign_in()).code

    def tour(self) -> Iterator[None]:
        """Every state left in every way."""
        self.begin()
        self.suspend(BOSS, "fault")
        self.resume(BOSS)
        yield
        self.suspend_in_the_middle("violation", resumed=True)
        self.withdraw(BOSS)
        yield
        for reason, suspended in (("contract_end", True), ("violation", False), ("contract_end", False)):
            self.apply(BOSS, reason)
            if suspended:
                self.suspend(BOSS, "fault")
            yield
            self.resume(BOSS)
            self.go_for_the_end(settled=True, paid=True)
            yield
            self.withdraw_reopening(BOSS, asked=True)
            for approve in (False, True):
                self.reopen(BOSS, REVIEWER, approve)
                yield
            self.sign_in()
        self.apply(BOSS, "fault")
        self.suspend(BOSS, "fault")
        self.go_for_the_end(settled=True, paid=True)
        yield
        self.reopen(BOSS, REVIEWER, approve=True)
        self.sign_in()
        for begin in (self.sell, partial(self.suspend, BOSS, "fault"), partial(self.apply, BOSS, "damage")):
            begin()
            self.replace(BOSS)
            yield
            self.see_a_retired_one_off(len(self.retired) - 1)
            yield

    # -- what must always be true

    @invariant()
    def every_terminal_stands_as_on_paper(self) -> None:
        if not hasattr(self, "paper"):
            return
        for paper in (self.paper, *(old for old, _ in self.retired)):
            book = self.host.book(paper.terminal_id)
            assert paper.status == book.status
            shown = self.host.office.terminal(paper.terminal_id, MERCHANT)["status"]
            assert max(paper.status, self.merchant, key=RESTRICTED.index) == shown
            assert paper.sign_in_due == (book.sign_in_due is not None)
            if paper.closure:
                closure = self.services.closures.latest(Whom(MERCHANT, book))
                assert (paper.closure, paper.status) == (closure["state"], closure["status"])
            assert self.holds(paper) == bool(self.host.parts.payouts.holds(book))

    @invariant()
    def what_is_open_is_listed(self) -> None:
        if not hasattr(self, "paper") or self.paper.closure != "closing":
            return
        listed = self.services.closures.latest(self.whom())["unfinished"]
        in_batch = sum(thing["amount_minor"] for thing in listed if thing["kind"] == "batch_unsettled")
        assert sum(self.paper.sold) == in_batch
        assert self.open_payouts(self.paper) == sum(thing["kind"] == "payout_open" for thing in listed)
        assert all(row.state in PAYOUTS_OPEN for row in self.host.registry.payouts.values())
