"""What a terminal says late of what the host settled, beside what a bookkeeper would note of each batch on a card."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from tests.stateful.office_machine import DAY_MS, OfficeMachine
from tests.unit.host.merchants.settlement_people import ADMIN, OPERATOR, REVIEWER, pass_time
from tests.unit.host.pipeline.proofs import verify
from tests.unit.host.pipeline.terminals import MERCHANT, UNIONPAY_CARD, Exchange, UnionPayTerminal, debit_credit

from pos_host.event_log import event_of
from pos_host.journal import Question, RowType
from pos_host.ledger.merchant_rows import PayoutRow, RecordRow
from pos_host.merchants.actors import Actor

DISPUTED, BY_HAND = "out_of_balance", "held_by_operator"
AMOUNTS_MINOR = (10_00, 20_00)
"""Of the two sales of each batch; the fee is a whole number."""

DEBIT_PER_MILLE = 5
"""The shipped fee of the test card, a debit card."""

UNKNOWN_STAN, UNKNOWN_MINOR = "000900", 7_00
"""A record of a sale that the host never saw."""

MOST_CARDS = 5
"""Enough to see one batch's money mistaken for another's, few enough to come back to each."""

PAID_WITHIN_DAYS = 5
"""T+1, with a weekend and a holiday in between."""

HEARD = ("batch.late_difference_held", "batch.late_difference_reported", "batch.late_difference_agreed")

which = st.integers(0, 99)
sale = st.integers(0, 1)


@dataclass
class Card:
    """One batch that the host settled.

    `differing` has each record that the terminal tells otherwise (STAN and kind: what it is worth to the terminal,
    what to the host), `wrong` what stands of its totals ("", "wrong", "right"); `finding` where the difference is in
    its life, `events` what people were told of it: type, difference and what was paid out already.
    """

    terminal: UnionPayTerminal
    batch_id: int
    sales: list[Exchange]
    net_minor: int
    uploaded: set[str] = field(default_factory=set)
    differing: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    taken_back: dict[str, int] = field(default_factory=dict)
    totals: str = ""
    ended: bool = False
    finding: str = ""
    payout: str = "pending"
    is_due: bool = False
    reasons: set[str] = field(default_factory=set)
    events: list[tuple[str, int | None, int]] = field(default_factory=list)

    @property
    def disagrees(self) -> bool:
        """By what the terminal adds up or uploads; what it took back is another matter."""
        return bool(self.differing) or (self.totals == "wrong" and not self.ended)

    @property
    def difference_minor(self) -> int | None:
        if not self.differing and not self.taken_back:
            return None
        untold = [
            two for (stan, kind), two in self.differing.items() if kind != "missing" or stan not in self.taken_back
        ]
        return sum(terminal - host for terminal, host in untold) - sum(self.taken_back.values())

    def hear(self, before: bool, *, more: bool) -> None:
        """Note what the terminal has just said; `before` is whether it disagreed till then."""
        if more or (self.disagrees and not before):
            self.finding = "found"
        elif before and not self.disagrees and not self.taken_back:
            self.finding = "cleared"

    def look(self) -> None:
        """What people make of what was noted since they last looked."""
        if self.finding == "found":
            paid_minor = self.net_minor if self.payout == "made" else 0
            self.finding = "reported" if self.payout in ("made", "returned") else "held"
            if self.finding == "held":
                self.payout = "held"
                self.reasons.add(DISPUTED)
        elif self.finding == "cleared":
            paid_minor = self.net_minor if self.payout == "made" else 0
            self.finding = "agreed"
            self.lift(DISPUTED)
        else:
            return
        self.events.append((f"batch.late_difference_{self.finding}", self.difference_minor, paid_minor))

    def pay(self) -> None:
        """What is due and free goes out, after people have looked."""
        if self.is_due and self.payout in ("pending", "released"):
            self.payout = "made"

    def lift(self, reason: str) -> None:
        """Take one reason away; the last one frees the payout."""
        if self.payout == "held" and reason in self.reasons:
            self.reasons.remove(reason)
            self.payout = "held" if self.reasons else "released"


class LateDifferenceMachine(OfficeMachine):
    """Batches are forgotten and settled by the host; then their terminals are heard of after all, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.cards: list[Card] = []

    def after_restart(self) -> None:
        for card in self.cards:
            old = card.terminal
            card.terminal = UnionPayTerminal(self.host, old.ids[41])
            card.terminal.stan, card.terminal.batch = old.stan, old.batch

    def chosen(self, number: int) -> Card:
        return self.cards[number % len(self.cards)]

    # -- the terminal

    @precondition(lambda self: len(self.cards) < MOST_CARDS)
    @rule()
    def forget_to_settle(self) -> None:
        terminal = UnionPayTerminal(self.host, f"T{self.count():07d}")

        async def trade() -> list[Exchange]:
            await terminal.sign_in()
            made = [await terminal.purchase(amount) for amount in AMOUNTS_MINOR]
            await self.host.office.settle(terminal.ids[41], MERCHANT, OPERATOR)
            return made

        sales = self.run(trade())
        batch_id = self.host.book(terminal.ids[41]).batches[0].batch_id
        net_minor = sum(amount - amount * DEBIT_PER_MILLE // 1000 for amount in AMOUNTS_MINOR)
        self.cards.append(Card(terminal, batch_id, sales, net_minor))

    @precondition(lambda self: self.cards)
    @rule(number=which, wrong_by=st.sampled_from([0, 3_00, 5_00]))
    def settle_late(self, number: int, wrong_by: int) -> None:
        card = self.chosen(number)
        before = card.disagrees
        totals = debit_credit((len(AMOUNTS_MINOR), sum(AMOUNTS_MINOR) + wrong_by))
        self.run(card.terminal.settle(totals))
        if card.totals == "right" or card.ended:
            return  # it has settled: whatever it says now, its totals were heard
        card.totals = "wrong" if wrong_by else "right"
        card.hear(before, more=False)

    @precondition(lambda self: self.cards)
    @rule(number=which, place=sale, wrong_by=st.sampled_from([0, 0, 5_00]))
    def upload(self, number: int, place: int, wrong_by: int) -> None:
        card = self.chosen(number)
        stan, amount = card.sales[place].stan, AMOUNTS_MINOR[place]
        self.told_by_record(card, stan, amount + wrong_by, amount, "amount" if wrong_by else "")

    @precondition(lambda self: self.cards)
    @rule(number=which)
    def upload_the_unknown(self, number: int) -> None:
        self.told_by_record(self.chosen(number), UNKNOWN_STAN, UNKNOWN_MINOR, 0, "unknown")

    def told_by_record(self, card: Card, stan: str, terminal_minor: int, host_minor: int, kind: str) -> None:
        before, known = card.disagrees, len(card.differing)
        assert "00" == self.run(card.terminal.upload((stan, UNIONPAY_CARD, terminal_minor))).code
        card.uploaded.add(stan)
        if kind:
            card.differing.setdefault((stan, kind), (terminal_minor, host_minor))
        card.hear(before, more=len(card.differing) > known)

    @precondition(lambda self: self.cards)
    @rule(number=which)
    def end_the_upload(self, number: int) -> None:
        card = self.chosen(number)
        self.run(card.terminal.end_upload(len(card.uploaded)))
        if card.totals != "wrong" or card.ended:
            return
        before, known = card.disagrees, len(card.differing)
        card.ended = True
        for done, amount in zip(card.sales, AMOUNTS_MINOR, strict=True):
            if done.stan not in card.uploaded:
                card.differing.setdefault((done.stan, "missing"), (0, amount))
        card.hear(before, more=len(card.differing) > known)

    @rule(looks=st.sampled_from(["never", "between", "after"]), uploads=st.booleans(), by_hand=st.booleans())
    def be_wrong_and_then_agree(self, looks: str, uploads: bool, by_hand: bool) -> None:
        """So that what was held comes free often enough: on the latest card, and on a new one while there is room."""
        if len(self.cards) < MOST_CARDS:
            self.forget_to_settle()
        latest = len(self.cards) - 1
        self.settle_late(latest, 3_00)
        if looks == "between":
            self.the_host_looks()
        if by_hand:
            self.a_decision(latest, OPERATOR, "hold")
        if uploads:
            for place in range(len(AMOUNTS_MINOR)):
                self.upload(latest, place, 0)
            self.end_the_upload(latest)
        else:
            self.settle_late(latest, 0)
        if looks != "never":
            self.the_host_looks()

    @precondition(lambda self: self.cards)
    @rule(number=which, place=sale)
    def take_back(self, number: int, place: int) -> None:
        card = self.chosen(number)
        done = card.sales[place]
        assert "25" == self.run(card.terminal.reverse(done.request)).code
        if done.stan not in card.taken_back:
            card.taken_back[done.stan] = AMOUNTS_MINOR[place]
            card.hear(card.disagrees, more=True)

    def tour(self) -> Iterator[None]:
        """Wrong and held, then right; wrong after it was paid; wrong and right before anybody looked."""
        for looks in ("never", "between"):
            self.be_wrong_and_then_agree(looks, uploads=True, by_hand=False)
            self.the_host_looks()
            yield
        self.forget_to_settle()
        self.days_pass()
        yield
        self.take_back(len(self.cards) - 1, 0)
        self.the_host_looks()
        yield

    # -- the house

    @rule()
    def the_host_looks(self) -> None:
        self.run(self.host.watch.settle())
        for card in self.cards:
            card.look()
            card.pay()

    @rule()
    def days_pass(self) -> None:
        self.run(pass_time(self.host, PAID_WITHIN_DAYS * DAY_MS))
        for card in self.cards:
            card.look()
            card.is_due = True
            card.pay()

    @precondition(lambda self: self.cards)
    @rule(number=which, by_whom=st.sampled_from([(OPERATOR, "hold"), (REVIEWER, "release"), (ADMIN, "give_back")]))
    def a_person_decides(self, number: int, by_whom: tuple[Actor, str]) -> None:
        self.a_decision(number, *by_whom)

    def a_decision(self, number: int, person: Actor, action: str) -> None:
        card = self.chosen(number)
        ends = card.payout in ("made", "returned") or (action != "hold" and card.payout != "held")
        expected = "not_now" if ends else "refused" if action == "hold" and BY_HAND in card.reasons else "done"
        outcome, _ = self.tried(getattr(self.host.parts.payouts, action)(person, card.batch_id, "looked at"))
        assert expected == outcome.kind, outcome.text
        if expected != "done":
            return
        if action == "hold":
            card.payout = "held"
            card.reasons.add(BY_HAND)
        elif action == "give_back":
            card.payout = "returned"
        else:
            card.lift(BY_HAND if BY_HAND in card.reasons else DISPUTED)

    # -- as on paper

    @invariant()
    def each_batch_stands_as_on_its_card(self) -> None:
        rows = self.run(self.host.journal.select(Question(PayoutRow, {}, limit=1000)))
        told = {row.payout_id: (row.state, row.net_minor) for row in rows}
        assert {card.batch_id: (card.payout, card.net_minor) for card in self.cards} == told
        held = {row.payout_id: set(json.loads(row.reasons)) for row in rows if row.state == "held"}
        assert {card.batch_id: card.reasons for card in self.cards if card.payout == "held"} == held
        assert {
            str(card.batch_id): (card.finding, card.difference_minor) for card in self.cards if card.finding
        } == self.findings()

    def findings(self) -> dict[str, tuple[str, int | None]]:
        rows = self.run(self.host.journal.select(Question(RecordRow, {"kind": "late_difference"}, limit=1000)))
        kept = self.host.registry.records.of_kind("late_difference")
        assert sorted(rows) == sorted(kept)
        assert all(bool(row.due_at_ms) == (row.state in ("found", "cleared")) for row in rows)
        return {row.record_id: (row.state, json.loads(row.body).get("difference_minor")) for row in rows}

    def rows_of(self, table: type[RowType]) -> list[RowType]:
        """Every row of a table that the store holds."""
        return self.host.memory.all_rows(table)

    def teardown(self) -> None:
        try:
            entries: Any = self.run(self.host.journal.entries_after(0, 1_000_000))
            events = [event_of(stored, self.host.registry) for stored in entries]
            report = verify(self.rows_of, entries)
            told: dict[int, list[tuple[str, int | None, int]]] = {card.batch_id: [] for card in self.cards}
            for stored, event in zip(entries, events, strict=True):
                if event.type in HEARD:
                    view = json.loads(stored.entry.detail)
                    told[view["batch_id"]].append((event.type, view["difference_minor"], view["paid_minor"]))
            assert {card.batch_id: card.events for card in self.cards} == told
            assert 0 == report["differences"], report["details"]
        finally:
            super().teardown()
