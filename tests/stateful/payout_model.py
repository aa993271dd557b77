"""Payouts as a clerk would keep them in a cash book, beside a host that keeps them in its journal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from tests.stateful.office_machine import PEOPLE, OfficeMachine
from tests.unit.host.payouts.test_payouts import Held
from tests.unit.host.pipeline.host_in_process import START_MS
from tests.unit.host.pipeline.proofs import verify
from tests.unit.host.pipeline.terminals import MERCHANT, VISA_CARD, Iso87Terminal

from pos_host.journal import Question, RowType
from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.merchants.actors import ROLES, Actor
from pos_specs.totals import Side

SHANGHAI = timezone(timedelta(hours=8))
SATURDAY = 5
LEAST = {"hold": "operator", "release": "reviewer", "give_back": "reviewer"}
"""Who may do what at least."""


@dataclass
class PaperPayout:
    """One line of the cash book; `reviewed` is False while a reviewer has to look at its batch, `by_hand` True while an
    operator holds it, `carried` True while it waits for other payouts because of what is owed."""

    net_minor: int
    due_ms: int
    state: str
    reviewed: bool
    by_hand: bool = False
    carried: bool = False


class PayoutMachine(OfficeMachine):
    """Sells, refunds, settles right and wrong, freezes the account, holds, releases, returns, and lets days pass."""

    def __init__(self) -> None:
        super().__init__()
        self.paper: dict[int, PaperPayout] = {}
        self.now_ms = START_MS
        self.frozen = False

    # -- paper

    def due_after(self, at_ms: int) -> int:
        """Nine in the morning of the next day that is no weekend."""
        day = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(SHANGHAI).date() + timedelta(1)
        while day.weekday() >= SATURDAY:
            day += timedelta(1)
        return int(datetime.combine(day, time(9), SHANGHAI).timestamp() * 1000)

    def pay_on_paper(self, at_ms: int) -> None:
        waiting = [one for one in self.paper.values() if self.waits(one)]
        if not any(one.due_ms <= at_ms for one in waiting):
            return
        due = [one for one in waiting if one.due_ms <= at_ms or one.carried]
        free = [one for one in due if not self.stopped(one)]
        together = sum(one.net_minor for one in free) >= 0 or all(one.net_minor >= 0 for one in free)
        for one in due:
            if one not in free:
                one.state = "held"
            elif together:
                one.state = "made"
            else:
                one.due_ms, one.carried = self.due_after(at_ms), True

    def stopped(self, one: PaperPayout) -> bool:
        """A frozen account is paid nothing; what is owed is taken all the same."""
        return self.frozen and one.net_minor >= 0

    def in_state(self, *states: str) -> list[int]:
        return [number for number, one in self.paper.items() if one.state in states]

    # -- what happens

    @rule(amount_minor=st.sampled_from([1, 83, 5_000, 100_000]), balanced=st.booleans())
    def sell(self, amount_minor: int, balanced: bool) -> None:
        fee_minor = (amount_minor * 6 + 500) // 1000
        self.settled(amount_minor - fee_minor, "purchase", amount_minor, balanced)

    @rule(amount_minor=st.sampled_from([700, 60_000]))
    def refund(self, amount_minor: int) -> None:
        self.settled(-amount_minor, "refund", amount_minor, balanced=True)

    def settled(self, net_minor: int, kind: str, amount_minor: int, balanced: bool) -> None:
        """A batch of one transaction, on a terminal of its own."""
        number = self.count()
        terminal = Iso87Terminal(self.host, f"I{number:07d}")

        async def trade() -> None:
            if kind == "refund":
                await terminal.refund(None, amount_minor, VISA_CARD)
            else:
                await terminal.purchase(amount_minor, VISA_CARD)
            name = "credits" if kind == "refund" else "debits"
            await terminal.settle({name: Side(1, amount_minor + (not balanced))})

        self.run(trade())
        batch_id = self.host.book(terminal.ids[41]).batches[0].batch_id
        state = "pending" if balanced else "held"
        self.paper[batch_id] = PaperPayout(net_minor, self.due_after(self.now_ms), state, balanced)

    @rule(days=st.integers(1, 3))
    def let_days_pass(self, days: int) -> None:
        self.now_ms += days * 86_400_000
        self.pay_on_paper(self.now_ms - days * 86_400_000)
        while due := [d for one in self.paper.values() if self.waits(one) and (d := one.due_ms) <= self.now_ms]:
            self.pay_on_paper(min(due))
        self.run(self.host.office.advance_clock(f"P{days}D"))

    def waits(self, one: PaperPayout) -> bool:
        return one.state in ("pending", "released")

    @rule()
    def freeze_or_thaw(self) -> None:
        self.frozen = not self.frozen
        self.judge()

    def judge(self) -> None:
        """Say what stands against paying, on both sides. The account is frozen for this test's own reasons, which no
        store holds."""
        self.host.parts.payouts.accounts = Held("account_frozen") if self.frozen else Held()
        self.run(self.host.parts.payouts.judge_again(MERCHANT))
        for one in self.paper.values():
            if self.stopped(one) and self.waits(one):
                one.state = "held"
            elif not self.stopped(one) and one.state == "held" and one.reviewed and not one.by_hand:
                one.state = "released"

    @precondition(lambda self: self.paper)
    @rule(data=st.data(), person=st.sampled_from(PEOPLE), action=st.sampled_from(sorted(LEAST)))
    def act(self, data: st.DataObject, person: Actor, action: str) -> None:
        self.act_on(data.draw(st.sampled_from(sorted(self.paper))), person, action)

    @rule(amount_minor=st.sampled_from([83, 5_000]))
    def sell_and_have_it_released(self, amount_minor: int) -> None:
        """So that what was held is paid often enough."""
        self.sell(amount_minor, balanced=False)
        self.act_on(max(self.paper), PEOPLE[-1], "release")
        self.let_days_pass(3)

    def act_on(self, number: int, person: Actor, action: str) -> None:
        one = self.paper[number]
        outcome, view = self.tried(getattr(self.host.parts.payouts, action)(person, number, "because"))
        expected = self.expected(one, person, action)
        assert expected == outcome.kind, outcome.text
        if expected != "done":
            return
        if action == "hold":
            one.state, one.by_hand = "held", True
        elif action == "give_back":
            one.state = "returned"
        elif one.by_hand:
            one.state, one.by_hand = "held" if self.stopped(one) or not one.reviewed else "released", False
        else:
            one.state, one.reviewed = "released", True
        assert one.state == view["state"]

    def expected(self, one: PaperPayout, person: Actor, action: str) -> str:
        if ROLES.index(person.role) < ROLES.index(LEAST[action]):
            return "forbidden"
        if one.state in ("made", "returned") or (action != "hold" and one.state != "held"):
            return "not_now"
        if action == "hold":
            return "refused" if one.by_hand else "done"
        return "refused" if action == "release" and self.stopped(one) and not one.by_hand else "done"

    def tour(self) -> Iterator[None]:
        """Held by what the terminal said, by hand and by the account; paid, given back, and carried over."""
        boss = PEOPLE[-1]
        for balanced in (True, False):
            self.sell(5_000, balanced)
            number = max(self.paper)
            for action in ("hold", "release", "release", "hold", "release"):
                self.act_on(number, boss, action)
                yield
            for action in ("hold", "give_back"):
                self.act_on(number, boss, action)
                yield
        for owed in (False, True):
            self.sell(83, balanced=True)
            self.sell_and_have_it_released(83)
            yield
            if owed:
                self.refund(700)
            self.sell(83, balanced=True)
            self.sell(83, balanced=False)
            self.act_on(max(self.paper), boss, "release")
            self.freeze_or_thaw()
            yield
            self.freeze_or_thaw()
            self.let_days_pass(3)
            yield

    def after_restart(self) -> None:
        """A host that starts judges what is held and makes what is due before anything else."""
        self.judge()
        self.run(self.host.parts.payouts.act_on_due(self.now_ms))
        self.pay_on_paper(self.now_ms)

    # -- what must be true

    @invariant()
    def each_payout_stands_where_the_cash_book_says(self) -> None:
        rows = self.run(self.host.journal.select(Question(PayoutRow, {}, limit=100_000)))
        told = {row.payout_id: (row.state, row.net_minor, row.due_at_ms) for row in rows}
        assert {number: (one.state, one.net_minor, one.due_ms) for number, one in self.paper.items()} == told
        kept = {row.payout_id: row for row in rows if row.state in ("pending", "held", "released")}
        assert kept == self.host.registry.payouts

    def rows_of(self, table: type[RowType]) -> list[RowType]:
        """Every row of a table that the store holds."""
        return self.host.memory.all_rows(table)

    def teardown(self) -> None:
        try:
            entries: Any = self.run(self.host.journal.entries_after(0, 1_000_000))
            report = verify(self.rows_of, entries)
            assert 0 == report["differences"], report["details"]
            assert len(self.paper) == report["checked"]["payouts"]
        finally:
            super().teardown()
