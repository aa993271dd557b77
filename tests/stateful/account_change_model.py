"""The life of a settlement account as anybody would keep it on paper, beside a host that keeps it in its journal.

The machine applies, reviews, activates, signs terminals in, sells, settles, lets days pass, loses the account, freezes
and closes the one that stands by, rolls back and restarts the host, with people of every role in any order; the paper
knows what each of them may do, which account is in place, which stands by, and which payouts went where. See
test_changes.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from tests.stateful.office_machine import DAY_MS, PEOPLE, OfficeMachine
from tests.unit.host.merchants.settlement_people import (
    ADMIN,
    MERCHANT,
    OLD_NUMBER,
    OPERATOR,
    OTHER_REVIEWER,
    REVIEWER,
    account,
    application,
    pass_time,
    until_idle,
)
from tests.unit.host.pipeline.terminals import UnionPayTerminal

from pos_host.journal import Question
from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.merchants.actors import Actor
from pos_specs.card_number import luhn_digit

WAYS = {
    "approve": {"submitted": "approved"},
    "reject": {"submitted": "rejected"},
    "withdraw": {"submitted": "withdrawn", "approved": "withdrawn"},
    "activate": {"approved": "activated"},
    "complete": {"testing": "completed"},
    "audit": {"completed": "completed"},
    "roll_back": {"activated": "rolled_back", "testing": "rolled_back", "completed": "rolled_back"},
}
REVIEWERS_ONLY = ("approve", "reject", "roll_back", "audit")
UNDER_WAY = ("submitted", "approved", "activated", "testing")
LIMIT, LIMIT_DAYS, ROLL_BACK_DAYS, TESTS = 3, 90, 30, 2
ROLES = st.sampled_from(["active", "active", "standby"])
RARELY = st.sampled_from([False, False, False, False, True])


@dataclass
class PaperAccount:
    account_id: str
    placed: bool = False
    frozen: bool = False
    closed: bool = False
    paid_sales: int = 0


@dataclass
class PaperChange:
    number: str
    applicant: str
    new: PaperAccount
    role: str
    before: PaperAccount | None = None
    state: str = "submitted"
    activated_ms: int = 0
    completed_ms: int = 0
    waits_for: set[str] = field(default_factory=set)


class AccountChangeMachine(OfficeMachine):
    """One merchant with two terminals."""

    def __init__(self) -> None:
        super().__init__()
        self.terminals = {tid: UnionPayTerminal(self.host, tid) for tid in ("T0000001", "T0000002")}
        for terminal in self.terminals.values():
            self.run(terminal.sign_in())
        self.details = self.host.parts.details
        self.run(self.details.accounts.record_first(ADMIN, MERCHANT, account(OLD_NUMBER)))
        self.in_place: PaperAccount | None = PaperAccount("1", placed=True)
        self.standby: PaperAccount | None = None
        self.accounts = {"1": self.in_place}
        self.changes: list[PaperChange] = []
        self.owing: set[str] = set()
        self.sold = dict.fromkeys(self.terminals, 0)
        self.sales_of: dict[int, int] = {}
        self.made: set[int] = set()

    @property
    def last(self) -> PaperChange | None:
        return self.changes[-1] if self.changes else None

    def after_restart(self) -> None:
        self.details = self.host.parts.details
        for tid, terminal in list(self.terminals.items()):
            self.terminals[tid] = UnionPayTerminal(self.host, tid)
            self.terminals[tid].stan = terminal.stan
            self.terminals[tid].batch = terminal.batch

    # -- what people do

    @rule(actor=st.sampled_from(PEOPLE), role=ROLES)
    def apply(self, actor: Actor, role: str) -> None:
        asked = self.run(application(self.host, self.new_number(), role=role))
        expected = self.against_applying(actor)
        got, view = self.tried(self.details.account_changes.apply(actor, MERCHANT, asked))
        assert expected == got.blockers, got
        if expected or actor.role == "viewer":
            return
        new = PaperAccount(view["account"]["account_id"])
        self.accounts[new.account_id] = new
        self.changes.append(PaperChange(view["change_id"], actor.name, new, role))

    @rule(actor=st.sampled_from(PEOPLE), way=st.sampled_from(list(WAYS)), which=st.integers(0, 9))
    def decide(self, actor: Actor, way: str, which: int) -> None:
        if self.changes:
            self.try_way(actor, way, self.changes[-1] if which else self.changes[0])

    @precondition(lambda self: not self.changes or self.changes[-1].state not in UNDER_WAY)
    @rule(
        actor=st.sampled_from([OPERATOR, OTHER_REVIEWER, ADMIN]),
        tidy=st.sampled_from([True, True, True, False]),
        role=ROLES,
    )
    def begin(self, actor: Actor, tidy: bool, role: str) -> None:
        """Apply, mostly once nothing stands in the way."""
        if tidy:
            for tid in self.terminals:
                self.settle(tid)
                self.sign_in(tid)
            self.wait(5)
            self.payouts_go_where_they_should()
        self.apply(actor, role)

    @precondition(lambda self: self.standby is None)
    @precondition(lambda self: not self.changes or self.changes[-1].state not in UNDER_WAY)
    @rule()
    def stand_by(self) -> None:
        """An account that stands by, where nothing is against it."""
        before = len(self.changes)
        self.begin(OPERATOR, tidy=True, role="standby")
        if len(self.changes) > before:
            self.go_on(back=False)
            self.go_on(back=False)

    @precondition(lambda self: bool(self.changes) and self.changes[-1].state in (*UNDER_WAY, "completed"))
    @rule(back=st.booleans())
    def back_or_on(self, back: bool) -> None:
        self.go_on(back)

    @precondition(lambda self: bool(self.changes) and self.changes[-1].state in UNDER_WAY)
    @rule(steps=st.integers(2, 6))
    def go_far(self, steps: int) -> None:
        for _ in range(steps):
            self.go_on(back=False)
            self.everything_is_as_on_paper()
            self.payouts_go_where_they_should()

    @precondition(lambda self: not self.changes or self.changes[-1].state not in UNDER_WAY)
    @rule(role=ROLES, frozen=st.booleans(), ends=st.sampled_from(["on", "back", "closed"]))
    def exchange(self, role: str, frozen: bool, ends: str) -> None:
        """The one that goes may be frozen by then; it comes back, or the bank closes it, or it stays away."""
        if "change_limit_reached" in self.against_applying(OPERATOR):
            self.wait(LIMIT_DAYS)
        before = len(self.changes)
        self.begin(OPERATOR, tidy=True, role=role)
        if len(self.changes) == before:
            return
        change = self.changes[-1]
        self.try_way(REVIEWER, "approve", change)
        going = self.in_place if role == "active" else self.standby
        if frozen and role == "active":
            self.lose(rarely=True)
        elif frozen and going is not None and not going.frozen:
            self.standby_fares("freeze")
        self.try_way(OPERATOR, "activate", change)
        if ends == "back":
            self.try_way(REVIEWER, "roll_back", change)
        elif ends == "closed" and going is not None and not going.closed:
            self.close(going)
        elif change.state == "activated":
            self.go_on(back=False)
            self.everything_is_as_on_paper()
            self.payouts_go_where_they_should()
            self.go_on(back=frozen)

    @precondition(lambda self: any(c.state == "completed" for c in self.changes))
    @rule(place=st.integers(0, 9))
    def look_through_the_first_payouts(self, place: int) -> None:
        done = [change for change in self.changes if change.state == "completed"]
        self.try_way(REVIEWER, "audit", done[place % len(done)])

    def go_on(self, back: bool) -> None:
        """The next thing that leads to the end, by somebody who may."""
        change = self.changes[-1]
        if change.state in ("activated", "testing", "completed") and back:
            self.try_way(REVIEWER, "roll_back", change)
        elif change.state == "submitted":
            self.try_way(REVIEWER, "approve", change)
        elif change.state == "approved":
            self.try_way(OPERATOR, "activate", change)
        elif change.state == "activated":
            for tid in self.terminals:
                self.sign_in(tid)
        elif change.state == "testing" and change.new.paid_sales < TESTS:
            self.sell("T0000001", 2)
            self.settle("T0000001")
            self.wait(5)
        elif change.state == "testing":
            self.try_way(OPERATOR, "complete", change)

    def try_way(self, actor: Actor, way: str, change: PaperChange) -> None:
        expected = self.expected(actor, way, change)
        service = self.details.account_changes
        asked: dict[str, Any] = {"reject": (["no"],), "roll_back": ("a mistake",), "audit": ("all well",)}
        got, _ = self.tried(getattr(service, way)(actor, MERCHANT, change.number, *asked.get(way, ())))
        assert expected == got.kind, (way, actor, change, got)
        if expected == "done":
            self.done(way, change)

    @precondition(lambda self: bool(self.changes) and self.changes[-1].state in ("submitted", "approved"))
    @rule(reject=st.booleans())
    def think_better_of_it(self, reject: bool) -> None:
        change = self.changes[-1]
        self.try_way(REVIEWER, "reject" if reject and change.state == "submitted" else "withdraw", change)

    @rule(rarely=RARELY)
    def lose(self, rarely: bool) -> None:
        if not rarely:
            return
        got, told = self.tried(self.details.accounts.report_loss(OPERATOR, MERCHANT, "the card was stolen"))
        assert ("refused" if self.in_place is None else "done") == got.kind
        if self.in_place is not None:
            self.in_place.frozen = True
            assert ("held" if self.paid_account is None else "standby") == told["payouts"]

    @precondition(lambda self: self.in_place is not None and self.in_place.frozen)
    @rule(closed=RARELY)
    def find_again(self, closed: bool) -> None:
        """The account in place is released by somebody else than who lost it; or it is found, and closed."""
        assert self.in_place is not None
        if closed:
            self.close(self.in_place)
            return
        self.run(self.details.accounts.release(REVIEWER, MERCHANT, self.in_place.account_id, "it was found"))
        self.in_place.frozen = False

    @rule(place=st.integers(0, 99), rarely=RARELY, here=st.booleans())
    def the_bank_closes(self, place: int, rarely: bool, here: bool) -> None:
        """Any account that ever was in a place, also a former one; what was only proposed cannot be closed."""
        if not rarely:
            return
        chosen = list(self.accounts.values())[place % len(self.accounts)]
        if here and self.in_place is not None:
            chosen = self.in_place
        self.close(chosen)

    def close(self, chosen: PaperAccount) -> None:
        got, _ = self.tried(self.details.accounts.close(REVIEWER, MERCHANT, chosen.account_id, "the bank says so"))
        assert ("done" if chosen.placed and not chosen.closed else "not_now") == got.kind, (chosen, got)
        if got.kind != "done":
            return
        chosen.closed = True
        self.in_place = None if chosen is self.in_place else self.in_place
        self.standby = None if chosen is self.standby else self.standby

    @precondition(lambda self: self.standby is not None)
    @rule(way=st.sampled_from(["freeze", "freeze", "release", "release", "close"]))
    def standby_fares(self, way: str) -> None:
        standby = self.standby
        assert standby is not None
        actor = OTHER_REVIEWER if way == "release" else REVIEWER
        move = getattr(self.details.accounts, way)
        got, _ = self.tried(move(actor, MERCHANT, standby.account_id, "the bank says so"))
        possible = {"freeze": not standby.frozen, "release": standby.frozen, "close": True}[way]
        assert ("done" if possible else "not_now") == got.kind, (way, standby, got)
        if way == "close":
            standby.closed, self.standby = True, None
        else:
            standby.frozen = way == "freeze"

    def tour(self) -> Iterator[None]:
        """One change after the other, ended in every way."""
        for end in ("reject", "withdraw", "approve"):
            self.begin(OPERATOR, tidy=True, role="active")
            self.try_way(REVIEWER, end, self.changes[-1])
            yield
        self.try_way(REVIEWER, "withdraw", self.changes[-1])
        self.exchange("standby", frozen=False, ends="on")
        for role in ("active", "standby"):
            for frozen in (False, True):
                for ends in ("back", "closed", "on"):
                    self.exchange(role, frozen, ends)
                    yield
                    for _ in range(4 if self.changes[-1].state in UNDER_WAY else 0):
                        self.go_on(back=False)
                        yield
                    self.unfrozen(closed=ends == "on")
                    yield
        self.exchange("standby", frozen=False, ends="on")
        for way in ("freeze", "close"):
            self.standby_fares(way)
            yield
        self.go_back_and_look_through()
        yield
        self.exchange("standby", frozen=False, ends="on")
        self.standby_fares("close")
        yield
        self.the_bank_closes(0, rarely=True, here=True)
        yield

    def unfrozen(self, *, closed: bool) -> None:
        """What is frozen by now, so that the next one can be applied for."""
        if self.in_place is not None and self.in_place.frozen:
            self.find_again(closed)
        if self.standby is not None and self.standby.frozen:
            self.standby_fares("close" if closed else "release")

    def go_back_and_look_through(self) -> None:
        """While a change is tried out, and when it is completed."""
        self.wait(LIMIT_DAYS)
        for back in (True, False):
            self.begin(OPERATOR, tidy=True, role="active")
            for _ in range(3):
                self.go_on(back=False)
                self.everything_is_as_on_paper()
                self.payouts_go_where_they_should()
            for _ in range(2):
                self.go_on(back)
                self.payouts_go_where_they_should()
                back = False
        self.try_way(REVIEWER, "audit", self.changes[-1])

    # -- what terminals do, and time

    @rule(tid=st.sampled_from(["T0000001", "T0000002"]))
    def sign_in(self, tid: str) -> None:
        self.run(self.terminals[tid].sign_in())
        self.owing.discard(tid)
        if self.last is not None:
            self.last.waits_for.discard(tid)

    @rule(tid=st.sampled_from(["T0000001", "T0000002"]), sales=st.integers(1, 2))
    def sell(self, tid: str, sales: int) -> None:
        for _ in range(sales):
            assert "00" == self.run(self.terminals[tid].purchase(1000)).code
        self.sold[tid] += sales

    @rule(tid=st.sampled_from(["T0000001", "T0000002"]))
    def settle(self, tid: str) -> None:
        if not self.sold[tid]:
            return
        batch = self.run(self.host.office.settle(tid, MERCHANT))
        self.sales_of[batch["id"]], self.sold[tid] = self.sold[tid], 0
        self.sign_in(tid)  # it is told the new batch number

    @rule(days=st.sampled_from([1, 5, 5, 35]))
    def wait(self, days: int) -> None:
        self.run(pass_time(self.host, days * DAY_MS))

    # -- what the paper says

    def new_number(self) -> str:
        digits = f"62284800{len(self.accounts):04d}{self.count():06d}"
        return digits + luhn_digit(digits)

    def against_applying(self, actor: Actor) -> set[str]:
        """The codes that block; the role of a viewer is refused before anything is looked at."""
        if actor.role == "viewer":
            return set()
        found = set()
        if any(change.state in UNDER_WAY for change in self.changes):
            found.add("change_in_progress")
        if self.owing:
            found.add("terminal_not_synced")
        if self.standby is not None and self.standby.frozen:
            found.add("frozen_by_acquirer")
        if self.in_place is not None and self.in_place.frozen:
            return found  # lost: the rest only warns
        if any(self.sold.values()):
            found.add("batch_unsettled")
        if any(row.state in ("pending", "released") for row in self.host.registry.payouts.values()):
            found.add("payout_in_flight")
        since_ms = self.host.clock.now_ms() - LIMIT_DAYS * DAY_MS
        if sum(change.activated_ms > since_ms for change in self.changes) >= LIMIT:
            found.add("change_limit_reached")
        return found

    def expected(self, actor: Actor, way: str, change: PaperChange) -> str:
        if actor.role == "viewer" or (way in REVIEWERS_ONLY and actor.role == "operator"):
            return "forbidden"
        if way in ("approve", "reject", "audit") and actor.name.casefold() == change.applicant.casefold():
            return "forbidden"
        if change.state not in WAYS[way]:
            return "not_now"
        if way == "approve" and self.standby is not None and self.standby.frozen:
            return "refused"
        if way == "complete" and change.new.paid_sales < TESTS:
            return "refused"
        if way == "roll_back" and change.completed_ms:
            late = self.host.clock.now_ms() > change.completed_ms + ROLL_BACK_DAYS * DAY_MS
            since = self.changes[self.changes.index(change) + 1 :]
            later = any(c.role == change.role and c.activated_ms and c.state != "rolled_back" for c in since)
            return "refused" if late or later else "done"
        return "done"

    def done(self, way: str, change: PaperChange) -> None:
        if change.role == "standby":
            self.standby_done(way, change)
            return
        change.state = WAYS[way][change.state]
        now_ms = self.host.clock.now_ms()
        if way == "activate":
            change.before, self.in_place, change.activated_ms = self.in_place, change.new, now_ms
            change.new.placed = True
        elif way == "complete":
            change.completed_ms = now_ms
        elif way == "roll_back":
            before = change.before
            self.in_place = None if before is None or before.closed else before
        if way in ("activate", "roll_back"):
            self.owing = set(self.terminals)
            change.waits_for = set(self.terminals)

    def standby_done(self, way: str, change: PaperChange) -> None:
        """No terminal has to take over who stands by: activated, its change is completed."""
        if way != "activate":
            change.state = WAYS[way][change.state]
        if way == "activate":
            change.state = "completed"
            change.before, self.standby = self.standby, change.new
            change.new.placed = True
            change.activated_ms = change.completed_ms = self.host.clock.now_ms()
        elif way == "roll_back":
            before = change.before
            self.standby = None if before is None or before.closed else before

    @property
    def paid_account(self) -> PaperAccount | None:
        """Where payouts go while no change is between two accounts; None: they are held."""
        standby = self.standby
        if self.in_place is not None and not self.in_place.frozen:
            return self.in_place
        return None if standby is None or standby.frozen else standby

    # -- what must hold

    @invariant()
    def everything_is_as_on_paper(self) -> None:
        self.run(until_idle(self.host))
        for change in self.changes:
            if change.state == "activated" and not change.waits_for:
                change.state = "testing"
        views = self.details.account_changes.of_merchant(MERCHANT)
        assert [(c.number, c.state) for c in self.changes] == [(v["change_id"], v["state"]) for v in views]
        assert all(v["reviewed_by"] is None or v["reviewed_by"] != v["submitted_by"] for v in views)
        states = {v["account_id"]: v["state"] for v in self.details.accounts.of_merchant(MERCHANT)}
        here = [account_id for account_id, state in states.items() if state in ("active", "frozen")]
        assert ([] if self.in_place is None else [self.in_place.account_id]) == here
        assert self.in_place is None or ("frozen" if self.in_place.frozen else "active") == states[here[0]]
        beside = {number: state for number, state in states.items() if state in ("standby", "frozen_standby")}
        standby = self.standby
        assert beside == (
            {} if standby is None else {standby.account_id: "frozen_standby" if standby.frozen else "standby"}
        )

    @invariant()
    def payouts_go_where_they_should(self) -> None:
        rows = self.run(self.host.journal.select(Question(PayoutRow, {"merchant_id": MERCHANT})))
        paid = self.paid_account
        if any(change.state in ("approved", "activated") for change in self.changes):
            paid = None
        for row in rows:
            if row.state == "made" and row.payout_id not in self.made:
                assert paid is not None
                assert paid.account_id == row.account_id
                self.made.add(row.payout_id)
                paid.paid_sales += self.sales_of[row.payout_id]
            if row.state == "held":
                assert paid is None, row
