"""The life of a merchant with two terminals, as anybody would keep it on paper.

The machine sells, settles, lets days pass, suspends, closes, withdraws, reopens and restarts, with people of every role
in any order; a terminal may be on its way to be closed by itself meanwhile. See test_closures.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from tests.stateful.closure_model import ACTORS, BOSS, REASONS, RESTRICTED, PaperTerminal, may
from tests.stateful.office_machine import DAY_MS, ProvenMachine
from tests.unit.host.merchants.settlement_people import REVIEWER
from tests.unit.host.pipeline.terminals import MERCHANT, UnionPayTerminal, debit_credit

from pos_host.merchants.actors import Actor
from pos_host.merchants.closing.closure_states import STEPS
from pos_host.merchants.closing.closures import Application, StepTaken
from pos_host.merchants.closing.endings import Endings
from pos_host.merchants.closing.terminal_states import Whom

PLACES = st.sampled_from([0, 1])
WHOLE = Whom(MERCHANT)


class MerchantMachine(ProvenMachine):
    """`closure` and `reopening` are those of the merchant; each terminal has its own beside them."""

    @initialize()
    def begin(self) -> None:
        self.status, self.held = "active", False
        self.closure, self.steps = "", set[str]()
        self.reopening, self.requested_by = "", ""
        self.papers = [PaperTerminal("T0000001"), PaperTerminal("T0000002")]
        self.terminals = [UnionPayTerminal(self.host, paper.terminal_id) for paper in self.papers]
        for terminal in self.terminals:
            assert "00" == self.run(terminal.sign_in()).code

    def after_restart(self) -> None:
        for place, before in enumerate(self.terminals):
            made = UnionPayTerminal(self.host, before.ids[41])
            made.stan, made.batch = before.stan, before.batch
            self.terminals[place] = made

    @property
    def services(self) -> Endings:
        return self.host.parts.endings

    def whom(self, paper: PaperTerminal) -> Whom:
        return Whom(MERCHANT, self.host.book(paper.terminal_id))

    def open_payouts(self) -> int:
        return len(self.host.registry.payouts)

    def attempt(self, expected: str, work: Any) -> None:
        """Do it; it must end as on paper."""
        outcome, _ = self.tried(work)
        assert expected == outcome.kind, outcome

    # -- the wire

    def closed_code(self, paper: PaperTerminal) -> str:
        if self.status == "closed":
            return "03"
        return "97" if paper.status == "closed" else ""

    def in_step(self, place: int) -> bool:
        return self.terminals[place].batch == f"{self.papers[place].number:06d}"

    @rule(place=PLACES)
    def sell(self, place: int) -> None:
        paper, amount = self.papers[place], 10_00 + self.count()
        free = paper.status == self.status == "active" and not paper.sign_in_due
        expected = self.closed_code(paper) or ("77" if not self.in_step(place) else "00" if free else "58")

        assert expected == self.run(self.terminals[place].purchase(amount)).code
        if expected == "00":
            paper.sold.append(amount)

    @rule(place=PLACES)
    def tell_of_a_sale(self, place: int) -> None:
        """The money has moved already, so a closing merchant's is taken too."""
        paper, amount = self.papers[place], 10_00 + self.count()
        expected = self.closed_code(paper) or ("00" if self.in_step(place) else "77")
        assert expected == self.run(self.terminals[place].offline_purchase(amount)).code
        if expected == "00":
            paper.sold.append(amount)

    @rule(place=PLACES)
    def sign_in(self, place: int) -> None:
        paper = self.papers[place]
        expected = self.closed_code(paper) or "00"
        assert expected == self.run(self.terminals[place].sign_in()).code
        if expected == "00":
            paper.sign_in_due = False
            assert self.in_step(place)

    @rule(place=PLACES)
    def settle(self, place: int) -> None:
        paper = self.papers[place]
        if not self.in_step(place) and not self.closed_code(paper):
            return
        done = self.run(self.terminals[place].settle(debit_credit((len(paper.sold), sum(paper.sold)))))
        if self.closed_code(paper):
            assert (self.closed_code(paper), "3") == (done.code, done.answer.fields[48][30])
            return
        assert (None, "1") == (done.code, done.answer.fields[48][30])
        paper.number += 1
        paper.sold = []

    @rule()
    def days_pass(self) -> None:
        host = self.host
        self.run(host.watch.advance(host.clock, host.clock.now_ms() + 5 * DAY_MS))
        if not (self.status == "suspended" and self.held):
            assert 0 == self.open_payouts()

    # -- the whole merchant

    @rule(actor=ACTORS, reason=REASONS)
    def suspend(self, actor: Actor, reason: str) -> None:
        fits = self.status in ("active", "closing")
        expected = "forbidden" if not may(actor, "reviewer") else "done" if fits else "not_now"
        self.attempt(expected, self.services.suspensions.suspend(actor, WHOLE, reason, "looked into"))
        if expected == "done":
            self.status, self.held = "suspended", reason == "violation"

    @rule(actor=ACTORS)
    def resume(self, actor: Actor) -> None:
        fits = self.status == "suspended"
        expected = "forbidden" if not may(actor, "reviewer") else "done" if fits else "not_now"
        self.attempt(expected, self.services.suspensions.resume(actor, WHOLE, "cleared"))
        if expected == "done":
            self.status = "closing" if self.closure == "closing" else "active"

    @rule(actor=ACTORS, reason=REASONS)
    def apply(self, actor: Actor, reason: str) -> None:
        if not may(actor, "operator"):
            expected = "forbidden"
        elif self.closure == "closing":
            expected = "refused"
        else:
            expected = "not_now" if self.status == "closed" else "done"
        self.attempt(expected, self.services.closures.apply(actor, WHOLE, Application(reason, MERCHANT)))
        if expected == "done":
            self.closure, self.steps = "closing", set()
            if self.status == "active":
                self.status = "suspended" if reason == "violation" else "closing"
                self.held = reason == "violation"

    @rule(actor=ACTORS)
    def withdraw(self, actor: Actor) -> None:
        if not may(actor, "operator"):
            expected = "forbidden"
        else:
            expected = {"": "refused", "closing": "done"}.get(self.closure, "not_now")
        self.attempt(expected, self.services.closures.withdraw(actor, WHOLE, "stays after all"))
        if expected == "done":
            self.closure = "withdrawn"
            self.status = "active" if self.status == "closing" else self.status

    @rule(actor=ACTORS, step=st.sampled_from(sorted(STEPS)))
    def take_step(self, actor: Actor, step: str) -> None:
        expected = self.expected_of(actor, step)
        self.attempt(expected, self.services.closures.take_step(actor, WHOLE, step, StepTaken()))
        if expected != "done":
            return
        self.steps.add(step)
        if self.steps == set(STEPS):
            self.closure = self.status = "closed"
            for paper in self.papers:
                paper.status = "closed"
                paper.closure = "closed" if paper.closure == "closing" else paper.closure

    def expected_of(self, actor: Actor, step: str) -> str:
        if not may(actor, "operator"):
            return "forbidden"
        if self.closure != "closing":
            return "not_now" if self.closure else "refused"
        sold = any(paper.sold for paper in self.papers)
        open_ones = {"final_settlement": sold, "final_payout": bool(self.open_payouts())}
        last = self.steps | {step} == set(STEPS)
        blocked = any(open_ones.values()) if last else open_ones.get(step, False)
        early = not set(STEPS[step]) <= self.steps
        return "refused" if step in self.steps or early or blocked else "done"

    @precondition(lambda self: self.status != "closed")
    @rule(settled=st.sets(PLACES), paid=st.booleans(), withdrawn=st.booleans())
    def go_for_the_end(self, settled: set[int], paid: bool, withdrawn: bool) -> None:
        """So that closures come to their end, or to what stands against it, often enough."""
        for place in (0, 1):
            self.sign_in(place)
            self.sell(place)
        if self.closure != "closing":
            self.apply(BOSS, "contract_end")
        for place in settled:
            self.settle(place)
        if paid:
            self.days_pass()
        for step in STEPS:
            self.take_step(BOSS, step)
        if withdrawn:
            self.withdraw(BOSS)

    @precondition(lambda self: self.status != "closed")
    @rule(place=PLACES)
    def something_comes_in_before_the_last_step(self, place: int) -> None:
        """Then nobody is closed: neither the merchant nor the terminal that is done."""
        if self.status == "suspended":
            self.resume(BOSS)
        if self.closure != "closing":
            self.apply(BOSS, "contract_end")
        for number in (0, 1):
            self.sign_in(number)
            self.settle(number)
            self.sign_in(number)  # for the number of the next batch
        self.days_pass()
        *first, last = STEPS
        for step in first:
            self.take_step(BOSS, step)
        self.tell_of_a_sale(place)
        self.take_step(BOSS, last)

    # -- reopening

    @rule(actor=ACTORS)
    def request_reopening(self, actor: Actor) -> None:
        if not may(actor, "operator"):
            expected = "forbidden"
        elif self.status != "closed":
            expected = "not_now"
        else:
            expected = "refused" if self.reopening == "requested" else "done"
        self.attempt(expected, self.services.reopenings.request(actor, WHOLE, "opens again"))
        if expected == "done":
            self.reopening, self.requested_by = "requested", actor.name

    @precondition(lambda self: self.status == "closed")
    @rule(applicant=ACTORS, reviewer=ACTORS, approve=st.booleans())
    def reopen(self, applicant: Actor, reviewer: Actor, approve: bool) -> None:
        """Both steps of it, by anybody."""
        self.request_reopening(applicant)
        self.review_reopening(reviewer, approve)

    @rule(actor=ACTORS, approve=st.booleans())
    def review_reopening(self, actor: Actor, approve: bool) -> None:
        reopenings = self.services.reopenings
        if not may(actor, "reviewer"):
            expected = "forbidden"
        elif self.reopening != "requested":
            expected = "not_now" if self.reopening else "refused"
        else:
            same = "".join(actor.name.split()).casefold() == "".join(self.requested_by.split()).casefold()
            expected = "forbidden" if same else "done"
        act = reopenings.approve if approve else reopenings.reject
        self.attempt(expected, act(actor, WHOLE, "reviewed"))
        if expected == "done":
            self.reopening = "approved" if approve else "rejected"
            self.status = "active" if approve else self.status

    @precondition(lambda self: self.reopening)
    @rule(actor=ACTORS)
    def withdraw_reopening(self, actor: Actor) -> None:
        fits = self.reopening == "requested"
        expected = "forbidden" if not may(actor, "operator") else "done" if fits else "not_now"
        self.attempt(expected, self.services.reopenings.withdraw(actor, WHOLE, "stays closed"))
        if expected == "done":
            self.reopening = "withdrawn"

    # -- one terminal

    @rule(place=PLACES)
    def begin_to_close_a_terminal(self, place: int) -> None:
        paper = self.papers[place]
        expected = "refused" if paper.closure == "closing" else "not_now" if paper.status == "closed" else "done"
        work = self.services.closures.apply(BOSS, self.whom(paper), Application("contract_end", MERCHANT))
        self.attempt(expected, work)
        if expected == "done":
            paper.closure, paper.status = "closing", "closing"

    @precondition(lambda self: any(paper.status == "closed" for paper in self.papers))
    @rule(reviewer=ACTORS)
    def reopen_a_terminal(self, reviewer: Actor) -> None:
        """Each by itself, and none while its merchant is closing or closed."""
        paper = next(paper for paper in self.papers if paper.status == "closed")
        whom, reopenings = self.whom(paper), self.services.reopenings
        if not paper.reopening:
            ended = self.status in ("closing", "closed")
            self.attempt("refused" if ended else "done", reopenings.request(BOSS, whom, "opens again"))
            paper.reopening = "" if ended else "requested"
        if not paper.reopening:
            return
        same = "".join(reviewer.name.split()).casefold() == "".join(BOSS.name.split()).casefold()
        if not may(reviewer, "reviewer") or same:
            expected = "forbidden"
        else:
            expected = "refused" if self.status in ("closing", "closed") else "done"
        self.attempt(expected, reopenings.approve(reviewer, whom, "reviewed"))
        if expected == "done":
            paper.reopening, paper.status, paper.sign_in_due = "", "active", True
            paper.number += 1

    def tour(self) -> Iterator[None]:
        """Every state left in every way."""
        self.begin()
        self.suspend(BOSS, "fault")
        self.resume(BOSS)
        yield
        for again in ("withdraw", "suspend", "close"):
            self.apply(BOSS, "contract_end")
            yield
            if again == "withdraw":
                self.suspend(BOSS, "fault")
                self.resume(BOSS)
                self.withdraw(BOSS)
                yield
                continue
            if again == "suspend":
                self.suspend(BOSS, "fault")
            self.go_for_the_end({0, 1}, paid=True, withdrawn=False)
            yield
            self.request_reopening(BOSS)
            self.withdraw_reopening(BOSS)
            for approve in (False, True):
                self.reopen(BOSS, REVIEWER, approve)
                yield
            for place in (0, 1):
                self.reopen_a_terminal(REVIEWER)
                self.sign_in(place)
                yield

    # -- what must always be true

    @invariant()
    def merchant_and_terminals_stand_as_on_paper(self) -> None:
        if not hasattr(self, "papers"):
            return
        assert self.status == self.host.registry.merchant(MERCHANT).status
        if self.closure:
            closure = self.services.closures.latest(WHOLE)
            assert (self.closure, self.status) == (closure["state"], closure["status"])
        for paper in self.papers:
            book = self.host.book(paper.terminal_id)
            assert (paper.status, paper.sign_in_due) == (book.status, book.sign_in_due is not None)
            shown = self.host.office.terminal(paper.terminal_id, MERCHANT)["status"]
            assert max(paper.status, self.status, key=RESTRICTED.index) == shown
            if paper.closure:
                assert paper.closure == self.services.closures.latest(self.whom(paper))["state"]
            assert (self.status == "suspended" and self.held) == bool(self.host.parts.payouts.holds(book))

    @invariant()
    def what_is_open_is_listed(self) -> None:
        if not hasattr(self, "papers") or self.closure != "closing":
            return
        listed = self.services.closures.latest(WHOLE)["unfinished"]
        in_batch = sum(thing["amount_minor"] for thing in listed if thing["kind"] == "batch_unsettled")
        assert sum(amount for paper in self.papers for amount in paper.sold) == in_batch
        assert self.open_payouts() == sum(thing["kind"] == "payout_open" for thing in listed)
