"""Pre-authorisations on paper: made, raised, completed, voided and reversed beside everything else a batch does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.stateful.paper import PLACES, PaperBatch, Sold
from tests.unit.host.pipeline.terminals import UNIONPAY_CARD, VISA_CARD, Exchange, HypercomTerminal, UnionPayTerminal

from pos_host.ledger.posting import CLOSED_BATCHES_KEPT, SETTLED_BY_HOST_KEPT


@dataclass
class Part:
    """One auth: the first, or one that raised it."""

    exchange: Exchange
    amount_minor: int
    home: PaperBatch
    reversed: bool = False


@dataclass
class PaperAuthorisation:
    """What a terminal would write down of one."""

    domestic: bool
    parts: list[Part] = field(default_factory=list)
    state: str = "open"
    changed_in: PaperBatch | None = None
    completed_minor: int = 0
    void: Exchange | None = None
    voided_in: PaperBatch | None = None

    @property
    def amount_minor(self) -> int:
        return sum(part.amount_minor for part in self.parts if not part.reversed)

    @property
    def first(self) -> Exchange:
        return self.parts[0].exchange

    def may_be_completed_by(self, amount_minor: int) -> bool:
        return self.state == "open" and amount_minor * 100 <= self.amount_minor * 115


class AuthorisationRules(RuleBasedStateMachine):
    """Mixed into the machine of a batch, whose terminal, paper and helpers it uses."""

    authorisations: list[PaperAuthorisation]
    terminal: Any
    host: Any

    def __init__(self) -> None:
        super().__init__()
        self.authorisations = []

    def ended_code(self, chosen: PaperAuthorisation) -> str:
        """The refusal of what asks for an authorisation that is no longer open, or no longer remembered."""
        closed = [batch for batch in self.batches if batch.state == "settled"]
        by_host = [batch for batch in closed if batch.result == "settled_by_host"]
        kept = closed[-CLOSED_BATCHES_KEPT:] + by_host[-SETTLED_BY_HOST_KEPT:]
        remembered = any(batch is chosen.changed_in for batch in [*kept, *self.batches[len(closed) :]])
        return "12" if remembered else "25"

    def chosen(self, place: int) -> PaperAuthorisation:
        return self.authorisations[-1 - place % len(self.authorisations)]

    def refused_with(self, code: str) -> str:
        """The code of a reversal that takes nothing back; a Hypercom terminal would sell no more on anything but 00."""
        return "00" if isinstance(self.terminal, HypercomTerminal) else code

    # -- rules

    @rule(domestic=st.booleans())
    def authorise(self, domestic: bool) -> None:
        amount = self.new_amount()
        done = self.run(self.terminal.auth(amount, UNIONPAY_CARD if domestic else VISA_CARD))
        assert ("00" if self.trading() else "58") == done.code
        if done.code == "00":
            part = Part(done, amount, self.batch_for_new())
            self.authorisations.append(PaperAuthorisation(domestic, [part], changed_in=part.home))

    @precondition(lambda self: self.authorisations and isinstance(self.terminal, UnionPayTerminal))
    @rule(place=PLACES)
    def authorise_more(self, place: int) -> None:
        chosen, amount = self.chosen(place), self.new_amount()
        pan, code = chosen.first.request.fields[2], chosen.first.answer.fields[38]
        done = self.run(self.terminal.auth(amount, pan, f25="60", f38=code))
        expected = "58" if not self.trading() else "00" if chosen.state == "open" else self.ended_code(chosen)
        assert expected == done.code
        if expected == "00":
            assert code == done.answer.fields[38]
            chosen.parts.append(Part(done, amount, self.current))
            chosen.changed_in = self.current

    @precondition(lambda self: self.authorisations)
    @rule(place=PLACES)
    def void_the_authorisation(self, place: int) -> None:
        chosen = self.chosen(place)
        amount = f"{chosen.amount_minor:012d}"
        done = self.run(self.terminal.auth_void(chosen.first, f4=amount))
        expected = "58" if not self.trading() else "00" if chosen.state == "open" else self.ended_code(chosen)
        assert expected == done.code
        target = self.batch_for_new() if self.trading() else self.current
        if expected == "00":
            chosen.state, chosen.void, chosen.voided_in, chosen.changed_in = "voided", done, target, target

    @precondition(lambda self: self.authorisations)
    @rule(place=PLACES, percent=st.sampled_from([50, 100, 115, 116]), asks=st.booleans())
    def complete(self, place: int, percent: int, asks: bool) -> None:
        """Asked for in UnionPay or told afterwards; what is told is posted whatever the paper says."""
        chosen = self.chosen(place)
        amount = chosen.amount_minor * percent // 100 or self.new_amount()
        asks = asks and isinstance(self.terminal, UnionPayTerminal)
        say = self.terminal.complete if asks else self.terminal.tell_completion
        done = self.run(say(chosen.first, amount))
        expected = self.completion_code(chosen, amount) if asks and self.trading() else "00"
        assert (expected if self.trading() else "58") == done.code
        target = self.batch_for_new() if self.trading() else self.current
        if done.code != "00":
            return
        ends = chosen.state == "open"
        if ends:
            chosen.state, chosen.completed_minor, chosen.changed_in = "completed", amount, target
        sold = Sold("sale", done, amount, chosen.domestic, told=not asks, completion=True)
        sold.authorisation = chosen if ends else None
        target.sold.append(sold)

    def completion_code(self, chosen: PaperAuthorisation, amount: int) -> str:
        if chosen.state != "open":
            return self.ended_code(chosen)
        return "00" if chosen.may_be_completed_by(amount) else self.differs

    @precondition(lambda self: self.authorisations)
    @rule(place=PLACES, part=st.integers(0, 9))
    def reverse_the_auth(self, place: int, part: int) -> None:
        """The first one or one that raised it, while its batch is not settled."""
        chosen = self.chosen(place)
        taken = chosen.parts[part % len(chosen.parts)]
        if taken.home.state == "settled":
            return
        done = self.run(self.terminal.reverse(taken.exchange.request))
        known = self.known_reversal(taken.exchange.stan)
        if known is not None:
            assert known == done.code
            return
        takes_back = not taken.reversed and chosen.state == "open"
        expected = "00" if taken.reversed or takes_back else self.refused_with("12")
        assert expected == done.code
        self.reversals[taken.exchange.stan] = expected
        if takes_back:
            taken.reversed, chosen.changed_in = True, taken.home
            chosen.state = "open" if chosen.amount_minor else "reversed"

    @precondition(lambda self: any(one.state == "voided" for one in self.authorisations))
    @rule(place=PLACES)
    def reverse_the_void_of_an_authorisation(self, place: int) -> None:
        voided = [one for one in self.authorisations if one.state == "voided"]
        chosen = voided[place % len(voided)]
        assert chosen.void is not None
        assert chosen.voided_in is not None
        if chosen.voided_in.state == "settled":
            return
        assert "00" == self.run(self.terminal.reverse(chosen.void.request)).code
        self.reversals[chosen.void.stan] = "00"
        chosen.state, chosen.changed_in = "open", chosen.voided_in

    # -- invariants

    @invariant()
    def the_hosts_authorisations_are_those_on_paper(self) -> None:
        found = self.host.registry.of_terminal(self.terminal.ids[41])
        if not found:
            return
        kept = {row.rrn: row for row in found[0].authorisations.values()}
        for paper in self.authorisations:
            row = kept.get(paper.first.rrn)
            assert row is not None or paper.state != "open"
            if row is not None:
                completed_minor = paper.completed_minor if paper.state == "completed" else 0
                amount_minor = paper.amount_minor
                assert (paper.state, amount_minor, completed_minor) == (
                    row.state,
                    row.amount_minor,
                    row.completed_minor,
                )
