"""Small contactless sales in a row, beside what somebody who watches the till would tell the risk desk of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from tests.stateful.office_machine import PEOPLE, OfficeMachine
from tests.unit.host.pipeline.host_in_process import START_MS
from tests.unit.host.pipeline.terminals import UNIONPAY_CARD, VISA_CARD, UnionPayTerminal

from pos_host.event_log import event_of
from pos_host.merchants.actors import ROLES, Actor

TERMINALS = ("T0000001", "T0000002")
IN_A_ROW, WITHIN_MS, SMALL, LARGE = 10, 600_000, 50_00, 50_01
"""As the shipped rule says: ten of CNY 50.00 at the most in ten minutes."""

CONTACTLESS, INSERTED = "072", "051"


@dataclass
class PaperPattern:
    """What the risk desk was told; `by` who looked at it."""

    terminal_id: str
    amount_minor: int
    cards: int
    by: str | None = None


class PatternMachine(OfficeMachine):
    """Two terminals sell small and large, by tapping and by chip; somebody reviews what is flagged."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = START_MS
        self.rows: dict[str, list[tuple[int, int, str]]] = {terminal_id: [] for terminal_id in TERMINALS}
        self.paper: list[PaperPattern] = []

    # -- what happens

    @rule(
        terminal_id=st.sampled_from(TERMINALS),
        times=st.integers(1, 12),
        amount_minor=st.sampled_from([SMALL, 1_00, SMALL, LARGE]),
        card=st.sampled_from([UNIONPAY_CARD, VISA_CARD]),
        mode=st.sampled_from([CONTACTLESS, CONTACTLESS, CONTACTLESS, INSERTED]),
    )
    def sell(self, terminal_id: str, times: int, amount_minor: int, card: str, mode: str) -> None:
        for _ in range(times):
            terminal = UnionPayTerminal(self.host, terminal_id)
            terminal.stan = self.count()
            answer = self.run(terminal.purchase(amount_minor, card, f22=mode))
            assert "00" == answer.code
            self.seen(terminal_id, amount_minor, card, small=amount_minor <= SMALL and mode == CONTACTLESS)

    def seen(self, terminal_id: str, amount_minor: int, card: str, *, small: bool) -> None:
        row = self.rows[terminal_id] if small else []
        row = [sale for sale in row if sale[0] >= self.now_ms - WITHIN_MS]
        if small:
            row.append((self.now_ms, amount_minor, card))
        if len(row) == IN_A_ROW:
            cards = len({one for _, _, one in row})
            self.paper.append(PaperPattern(terminal_id, sum(amount for _, amount, _ in row), cards))
            row = []
        self.rows[terminal_id] = row

    def tour(self) -> Iterator[None]:
        """Flagged and looked at, by whom may and by whom may not."""
        self.sell(TERMINALS[0], IN_A_ROW, SMALL, VISA_CARD, CONTACTLESS)
        for person in PEOPLE:
            self.review(person, back=0)
            yield

    @rule(minutes=st.sampled_from([1, 4, 5, 10, 11]))
    def time_passes(self, minutes: int) -> None:
        self.now_ms += minutes * 60_000
        self.run(self.host.office.advance_clock(f"PT{minutes}M"))

    @precondition(lambda self: self.paper)
    @rule(person=st.sampled_from(PEOPLE), back=st.integers(0, 2))
    def review(self, person: Actor, back: int) -> None:
        place = max(0, len(self.paper) - 1 - back)
        self.run(self.host.watch.settle())
        one = self.paper[place]
        number = self.number_of(one)
        outcome, _ = self.tried(self.patterns.review(person, number, "a canteen at noon"))

        if ROLES.index(person.role) < ROLES.index("operator"):
            assert "forbidden" == outcome.kind
        elif one.by is not None:
            assert "not_now" == outcome.kind
        else:
            assert "done" == outcome.kind, outcome.text
            one.by = person.name

    def number_of(self, one: PaperPattern) -> str:
        """Its number at the host, which looks terminal by terminal, and so may number them in another order."""
        mine = [paper for paper in self.paper if paper.terminal_id == one.terminal_id]
        place = next(place for place, paper in enumerate(mine) if paper is one)
        return str(self.views_of(one.terminal_id)[place]["id"])

    @property
    def patterns(self) -> Any:
        return self.host.parts.forgotten.patterns

    # -- what must be true

    @invariant()
    def the_risk_desk_was_told_of_each_row_once(self) -> None:
        self.run(self.host.watch.settle())
        for terminal_id in TERMINALS:
            shown = ("amount_minor", "cards", "state", "reviewed_by")
            told = [tuple(view[key] for key in shown) for view in self.views_of(terminal_id)]
            assert told == [
                (one.amount_minor, one.cards, "flagged" if one.by is None else "reviewed", one.by)
                for one in self.paper
                if one.terminal_id == terminal_id
            ]

    def views_of(self, terminal_id: str) -> list[dict[str, Any]]:
        return [view for view in self.patterns.all() if view["terminal_id"] == terminal_id]

    def teardown(self) -> None:
        try:
            entries: Any = self.run(self.host.journal.entries_after(0, 1_000_000))
            types = [event_of(stored, self.host.registry).type for stored in entries]
            assert len(self.paper) == types.count("risk.pattern")
            assert sum(one.by is not None for one in self.paper) == types.count("risk.pattern_reviewed")
        finally:
            super().teardown()
