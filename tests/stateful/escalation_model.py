"""Who is told of a terminal that does not settle, beside what an office with a calendar and a clock would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from tests.stateful.cut_off import SEVERITIES, severity_at, severity_changes
from tests.stateful.office_machine import PEOPLE, OfficeMachine
from tests.unit.host.merchants.settlement_people import ADMIN, OPERATOR
from tests.unit.host.pipeline.host_in_process import START_MS
from tests.unit.host.pipeline.terminals import MERCHANT, VISA_CARD, Iso87Terminal

from pos_host.event_log import event_of
from pos_host.merchants.actors import ROLES, Actor
from pos_specs.totals import Side

MINUTE_MS = 60_000
TERMINALS = ("I0000001", "I0000002")
SCOPES = ("acquirer", MERCHANT, f"{MERCHANT}/{TERMINALS[0]}")
WITHIN_MIN = (113, 241)
"""How long the first and the second of a ladder have: never a whole number of tens of minutes, alone or together. What
happens at a terminal does, so that no deadline passes in the minute in which a flag changes."""

MOSTLY_ADMIN = st.sampled_from((*PEOPLE, *(person for person in PEOPLE if person.role == "admin")))
MOSTLY_OPERATOR = st.sampled_from((*PEOPLE, OPERATOR, OPERATOR))

Ladder = dict[str, int]
"""How many answer at each severity."""

LADDERS: tuple[Ladder | None, ...] = (None, {}, {"due": 1}, {"overdue": 2}, {"due": 2, "overdue": 1, "forgotten": 2})
SHIPPED = {"overdue": (120, 240), "forgotten": (240, 1440)}
"""Minutes within which the shipped ladder's people must acknowledge."""


@dataclass
class PaperBatch:
    """An open batch with money: since when, and the severity that was told last."""

    since_ms: int
    sold: list[int]
    told: str = ""


@dataclass
class PaperEscalation:
    """Who has it now, and until when; 0 where nobody is waited for."""

    terminal_id: str
    severity: str
    step: int = 0
    due_ms: int = 0
    state: str = "raised"
    times_raised: int = 1
    unanswered: bool = False
    by: str | None = None


class EscalationMachine(OfficeMachine):
    """Two terminals sell and settle or do not; ladders are set and taken away, people acknowledge, hours pass."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = START_MS
        self.batches: dict[str, PaperBatch] = {}
        self.ladders: dict[str, Ladder | None] = {}
        self.paper: list[PaperEscalation] = []
        self.events: Counter[str] = Counter()
        for terminal_id in TERMINALS:
            self.sell(terminal_id)

    # -- paper

    def follow(self, terminal_id: str) -> None:
        """The flag of the terminal was looked at: raise, take to the first of a worse severity, or end."""
        batch, known = self.batches.get(terminal_id), self.open_of(terminal_id)
        if batch is None or not batch.told:
            if known is not None:
                known.state, known.due_ms = "ended", 0
                self.events["escalation.ended"] += 1
            return
        within = self.within(terminal_id, batch.told)
        if not within:
            return
        if known is None:
            self.paper.append(PaperEscalation(terminal_id, batch.told))
            self.told_to(self.paper[-1], 0, within)
        elif SEVERITIES.index(batch.told) > SEVERITIES.index(known.severity):
            known.severity, known.times_raised = batch.told, known.times_raised + 1
            self.told_to(known, 0, within)

    def told_to(self, one: PaperEscalation, step: int, within: tuple[int, ...]) -> None:
        one.step, one.due_ms, one.state = step, self.now_ms + within[step] * MINUTE_MS, "raised"
        one.unanswered, one.by = False, None
        self.events["escalation.raised"] += 1

    def passed_over(self, one: PaperEscalation) -> None:
        within = self.within(one.terminal_id, one.severity)
        if one.step + 1 < len(within):
            one.times_raised += 1
            self.told_to(one, one.step + 1, within)
        else:
            one.due_ms, one.unanswered = 0, True
            self.events["escalation.unanswered"] += 1

    def within(self, terminal_id: str, severity: str) -> tuple[int, ...]:
        """Minutes that each of the narrowest ladder has at this severity."""
        for scope in (f"{MERCHANT}/{terminal_id}", MERCHANT, "acquirer"):
            ladder = self.ladders.get(scope)
            if ladder is not None:
                return WITHIN_MIN[: ladder.get(severity, 0)]
        return SHIPPED.get(severity, ())

    def open_of(self, terminal_id: str) -> PaperEscalation | None:
        return next((one for one in self.paper if one.terminal_id == terminal_id and one.state != "ended"), None)

    def live_through(self, until_ms: int) -> None:
        """Each flag and each deadline at its own time."""
        while True:
            flags = [
                (at_ms, name) for name, batch in self.batches.items() for at_ms in severity_changes(batch.since_ms)
            ]
            deadlines = [one.due_ms for one in self.paper if one.due_ms]
            coming = [at_ms for at_ms, _ in flags] + deadlines
            following = min((at_ms for at_ms in coming if self.now_ms < at_ms <= until_ms), default=None)
            if following is None:
                self.now_ms = until_ms
                return
            self.now_ms = following
            for terminal_id in sorted(name for at_ms, name in flags if at_ms == following):
                self.look_at(terminal_id)
            for one in self.paper:
                if one.due_ms == following:
                    self.passed_over(one)

    def look_at(self, terminal_id: str) -> None:
        batch = self.batches.get(terminal_id)
        if batch is not None:
            batch.told = severity_at(batch.since_ms, self.now_ms)
        self.follow(terminal_id)

    # -- what happens

    @rule(terminal_id=st.sampled_from(TERMINALS))
    def sell(self, terminal_id: str) -> None:
        self.run(self.terminal(terminal_id).purchase(5_00, VISA_CARD))
        self.run(self.host.watch.settle())
        batch = self.batches.setdefault(terminal_id, PaperBatch(self.now_ms, []))
        batch.sold.append(5_00)
        if len(batch.sold) == 1:
            self.look_at(terminal_id)

    @precondition(lambda self: len(self.batches) == len(TERMINALS))
    @rule(terminal_id=st.sampled_from(TERMINALS))
    def settle(self, terminal_id: str) -> None:
        batch = self.batches.pop(terminal_id)
        self.run(self.terminal(terminal_id).settle({"debits": Side(len(batch.sold), sum(batch.sold))}))
        self.run(self.host.watch.settle())
        if batch.told:
            self.look_at(terminal_id)

    @rule(tens_of_minutes=st.sampled_from([12, 13, 25, 26, 36, 72, 150]))
    def time_passes(self, tens_of_minutes: int) -> None:
        minutes = 10 * tens_of_minutes
        self.live_through(self.now_ms + minutes * MINUTE_MS)
        self.run(self.host.office.advance_clock(f"PT{minutes}M"))

    @rule(person=MOSTLY_ADMIN, scope=st.sampled_from(SCOPES), ladder=st.sampled_from(LADDERS))
    def set_ladder(self, person: Actor, scope: str, ladder: Ladder | None) -> None:
        outcome, _ = self.tried(self.escalations.set_ladder(person, scope, self.in_full(ladder)))

        assert outcome.kind == ("done" if person.role == "admin" else "forbidden"), outcome.text
        if outcome.kind == "done":
            self.ladders[scope] = ladder
            self.events["escalation.ladder_changed"] += 1

    def in_full(self, ladder: Ladder | None) -> dict[str, Any] | None:
        """The ladder as a person hands it in."""
        if ladder is None:
            return None
        asked = {"tell": "event", "address": ""}
        people = [
            {"responsible": f"number {step}", "acknowledge_within": f"PT{minutes}M", **asked}
            for step, minutes in enumerate(WITHIN_MIN)
        ]
        return {severity: people[:count] for severity, count in ladder.items()}

    @precondition(lambda self: self.paper)
    @rule(person=MOSTLY_OPERATOR, back=st.integers(0, 2))
    def acknowledge(self, person: Actor, back: int) -> None:
        place = max(0, len(self.paper) - 1 - back)
        one = self.paper[place]
        outcome, _ = self.tried(self.escalations.acknowledge(person, str(place + 1), "on it"))

        if ROLES.index(person.role) < ROLES.index("operator"):
            assert "forbidden" == outcome.kind
        elif one.state != "raised":
            assert "not_now" == outcome.kind
        else:
            assert "done" == outcome.kind, outcome.text
            one.state, one.by, one.due_ms = "acknowledged", person.name, 0
            self.events["escalation.acknowledged"] += 1

    def tour(self) -> Iterator[None]:
        """Acknowledged, or not; worse by the next day, or settled before."""
        self.set_ladder(ADMIN, MERCHANT, LADDERS[-1])
        yield
        first, other = TERMINALS
        for acknowledged in (True, False):
            for days in (1, 2):
                self.sell(first)
                self.sell(other)
                for _ in range(days):
                    self.time_passes(144)
                    if acknowledged:
                        self.acknowledge(OPERATOR, back=0)
                        self.acknowledge(OPERATOR, back=1)
                    yield
                self.settle(first)
                yield

    def after_restart(self) -> None:
        """A host that starts looks at every flag, since it may have ended between a flag and what follows from it."""
        self.run(self.host.watch.settle())
        for terminal_id in TERMINALS:
            self.follow(terminal_id)

    @property
    def escalations(self) -> Any:
        return self.host.parts.forgotten.escalations

    def terminal(self, terminal_id: str) -> Iso87Terminal:
        terminal = Iso87Terminal(self.host, terminal_id)
        terminal.stan = self.count()
        return terminal

    # -- what must be true

    @invariant()
    def everybody_is_told_what_the_office_would_tell(self) -> None:
        shown = ("terminal_id", "severity", "step", "state", "times_raised", "unanswered", "acknowledged_by")
        told = [tuple(view[key] for key in shown) for view in self.escalations.all()]
        assert told == [
            (one.terminal_id, one.severity, one.step, one.state, one.times_raised, one.unanswered, one.by)
            for one in self.paper
        ]

    def teardown(self) -> None:
        try:
            entries: Any = self.run(self.host.journal.entries_after(0, 1_000_000))
            types = Counter(event_of(stored, self.host.registry).type for stored in entries)
            assert self.events == Counter({name: n for name, n in types.items() if name.startswith("escalation.")})
        finally:
            super().teardown()
