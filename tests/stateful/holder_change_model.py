"""The life of a settlement holder on paper, beside a host. See test_changes.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from tests.stateful.office_machine import DAY_MS, PEOPLE, OfficeMachine
from tests.unit.host.merchants.settlement_people import (
    ADMIN,
    HOLDER,
    HOLDER_PAPERS,
    IDENTITY,
    MERCHANT,
    OPERATOR,
    OTHER_REVIEWER,
    REVIEWER,
    enrolled,
    papers,
    pass_time,
    until_idle,
)

from pos_host.merchants.accounts.holder_application import HolderApplication
from pos_host.merchants.accounts.holders import GivenHolder
from pos_host.merchants.actors import Actor

WAYS = {
    "approve": {"submitted": "approved"},
    "reject": {"submitted": "rejected"},
    "withdraw": {"submitted": "withdrawn", "approved": "withdrawn"},
    "confirm_training": {"approved": "approved"},
    "issue_token": {"watching": "watching", "watched": "watched"},
    "evaluate": {"watched": "archived"},
    "roll_back": {"watching": "rolled_back", "watched": "rolled_back"},
}
REVIEWERS_ONLY = ("approve", "reject", "evaluate", "roll_back")
NOT_THE_APPLICANT = ("approve", "reject", "evaluate")
UNDER_WAY = ("submitted", "approved", "watching", "watched")
HAND_OVER_DAYS, WATCH_DAYS = 3, 14
SHANGHAI = timedelta(hours=8)


@dataclass
class PaperHolderChange:
    number: str
    applicant: str
    incoming: str
    outgoing: str
    effective_on: date
    user: str = ""
    state: str = "submitted"
    has_token: bool = False
    trained: bool = False
    effective_ms: int = 0


class HolderChangeMachine(OfficeMachine):
    """One merchant, whose holder changes again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.run(enrolled(self.host))
        self.run(self.host.parts.details.holders.record_first(ADMIN, MERCHANT, GivenHolder(HOLDER, IDENTITY)))
        self.holder = HOLDER
        self.changes: list[PaperHolderChange] = []

    @rule(actor=st.sampled_from(PEOPLE), ahead_days=st.integers(0, 8), with_user=st.booleans())
    def apply(self, actor: Actor, ahead_days: int, with_user: bool) -> None:
        name = f"Holder {self.count()}"
        user = f"holder-{self.counted}" if with_user else ""
        day = self.today() + timedelta(days=ahead_days)
        kinds = self.run(papers(self.host, HOLDER_PAPERS))
        asked = HolderApplication(GivenHolder(name, IDENTITY, user), "replaced", day.isoformat(), kinds)
        got, view = self.tried(self.host.parts.details.holder_changes.apply(actor, MERCHANT, asked))
        if actor.role == "viewer":
            assert "forbidden" == got.kind
        elif any(change.state in UNDER_WAY for change in self.changes):
            assert {"change_in_progress"} == got.blockers
        else:
            assert "done" == got.kind, got
            self.changes.append(PaperHolderChange(view["change_id"], actor.name, name, self.holder, day, user))

    @rule(actor=st.sampled_from(PEOPLE), way=st.sampled_from([*WAYS, "approve", "confirm_training"]))
    def decide(self, actor: Actor, way: str) -> None:
        if self.changes:
            self.try_way(actor, way, self.changes[-1])

    @precondition(lambda self: not self.changes or self.changes[-1].state not in UNDER_WAY)
    @rule(actor=st.sampled_from([OPERATOR, OTHER_REVIEWER]), ahead_days=st.integers(0, 8), with_user=st.booleans())
    def begin(self, actor: Actor, ahead_days: int, with_user: bool) -> None:
        self.apply(actor, ahead_days, with_user)

    @precondition(lambda self: not self.changes or self.changes[-1].state not in UNDER_WAY)
    @rule(days=st.sampled_from([0, WATCH_DAYS]), twice=st.booleans())
    def come_in_with_a_token(self, days: int, twice: bool) -> None:
        """Of the one who comes; made once, while the change is watched or when that is over."""
        self.apply(OPERATOR, 4, with_user=True)
        change = self.changes[-1]
        self.go_on(back=False)
        self.go_on(back=False)
        self.wait(5 * 24)
        self.everything_is_as_on_paper()
        self.wait(24 * days)
        self.everything_is_as_on_paper()
        for _ in range(2 if twice else 1):
            self.try_way(ADMIN, "issue_token", change)

    @precondition(lambda self: bool(self.changes) and self.changes[-1].state in ("submitted", "approved"))
    @rule(reject=st.booleans())
    def think_better_of_it(self, reject: bool) -> None:
        change = self.changes[-1]
        self.try_way(REVIEWER, "reject" if reject and change.state == "submitted" else "withdraw", change)

    @precondition(lambda self: bool(self.changes) and self.changes[-1].state in UNDER_WAY)
    @rule(back=st.booleans())
    def back_or_on(self, back: bool) -> None:
        self.go_on(back)

    @precondition(lambda self: bool(self.changes) and self.changes[-1].state in UNDER_WAY)
    @rule(steps=st.integers(2, 9))
    def go_far(self, steps: int) -> None:
        for _ in range(steps):
            self.go_on(back=False)
            self.everything_is_as_on_paper()

    def go_on(self, back: bool) -> None:
        """The next thing that leads to the end, by somebody who may."""
        change = self.changes[-1]
        if change.state == "submitted":
            self.try_way(REVIEWER, "approve", change)
        elif change.state == "approved" and not change.trained:
            self.try_way(OPERATOR, "confirm_training", change)
        elif change.state in ("watching", "watched") and back:
            self.try_way(REVIEWER, "roll_back", change)
        elif change.state == "watched":
            self.try_way(REVIEWER, "evaluate", change)
        else:
            self.wait(96)

    def try_way(self, actor: Actor, way: str, change: PaperHolderChange) -> None:
        said = {"reject": (["no"],), "roll_back": ("a mistake",), "evaluate": ("as before",)}.get(way, ())
        service = self.host.parts.details.holder_changes
        got, view = self.tried(getattr(service, way)(actor, MERCHANT, change.number, *said))
        assert self.expected(actor, way, change) == got.kind, (way, actor, change, got)
        if got.kind != "done":
            return
        change.state = WAYS[way][change.state]
        if way == "approve":
            soonest = self.local(self.host.clock.now_ms() + HAND_OVER_DAYS * DAY_MS)
            first = soonest.date() if soonest.time() == datetime.min.time() else soonest.date() + timedelta(days=1)
            change.effective_on = max(change.effective_on, first)
            assert change.effective_on.isoformat() == view["effective_on"]
        elif way == "confirm_training":
            change.trained = True
        elif way == "issue_token":
            change.has_token = True
        elif way == "roll_back":
            self.holder = change.outgoing

    def tour(self) -> Iterator[None]:
        """One change after the other, ended in every way."""
        for agreed, end in ((False, "reject"), (False, "withdraw"), (True, "withdraw")):
            self.apply(OPERATOR, 4, with_user=False)
            if agreed:
                self.try_way(REVIEWER, "approve", self.changes[-1])
            self.try_way(REVIEWER, end, self.changes[-1])
            yield
        self.begin(OPERATOR, 4, with_user=False)
        self.go_on(back=False)
        self.wait(400)  # on its day nobody has confirmed the training
        yield
        self.go_far(2)
        self.go_on(back=True)
        yield
        for days in (0, WATCH_DAYS):
            for end in ("roll_back", "evaluate"):
                self.come_in_with_a_token(days, twice=True)
                self.wait(400 if end == "evaluate" else 1)
                yield
                self.try_way(REVIEWER, end, self.changes[-1])
                yield

    @rule(hours=st.sampled_from([1, 24, 24, 96, 400]))
    def wait(self, hours: int) -> None:
        self.run(pass_time(self.host, hours * 3_600_000))

    # -- what the paper says

    def local(self, at_ms: int) -> datetime:
        """China has one time and no summer time."""
        return datetime(1970, 1, 1) + timedelta(milliseconds=at_ms) + SHANGHAI

    def today(self) -> date:
        return self.local(self.host.clock.now_ms()).date()

    def effective_ms(self, change: PaperHolderChange) -> int:
        begins = datetime.combine(change.effective_on, datetime.min.time(), tzinfo=UTC) - SHANGHAI
        return int(begins.timestamp() * 1000)

    def expected(self, actor: Actor, way: str, change: PaperHolderChange) -> str:
        if actor.role == "viewer" or (way in REVIEWERS_ONLY and actor.role == "operator"):
            return "forbidden"
        if way == "issue_token" and actor.role != "admin":
            return "forbidden"
        if way in NOT_THE_APPLICANT and actor.name.casefold() == change.applicant.casefold():
            return "forbidden"
        if change.state not in WAYS[way]:
            return "not_now"
        return "refused" if way == "issue_token" and (change.has_token or not change.user) else "done"

    @invariant()
    def everything_is_as_on_paper(self) -> None:
        self.run(until_idle(self.host))
        now_ms = self.host.clock.now_ms()
        for change in self.changes:
            if change.state == "approved" and change.trained and now_ms >= self.effective_ms(change):
                change.state, self.holder = "watching", change.incoming
            if change.state == "watching" and not change.effective_ms:
                change.effective_ms = self.took_effect_ms(change)
            if change.state == "watching" and now_ms >= change.effective_ms + WATCH_DAYS * DAY_MS:
                change.state = "watched"
        details = self.host.parts.details
        views = details.holder_changes.of_merchant(MERCHANT)
        assert [(c.number, c.state) for c in self.changes] == [(v["change_id"], v["state"]) for v in views]
        holding = [view["name"] for view in details.holders.of_merchant(MERCHANT) if view["state"] == "active"]
        assert [self.holder] == holding
        assert all(v["reviewed_by"] is None or v["reviewed_by"] != v["submitted_by"] for v in views)

    def took_effect_ms(self, change: PaperHolderChange) -> int:
        """On its day; later where the training was confirmed later: then at once."""
        view = self.host.parts.details.holder_changes.show(MERCHANT, change.number)
        (at,) = [line["at"] for line in view["history"] if line["action"] == "take_effect"]
        at_ms = int(datetime.fromisoformat(at).timestamp() * 1000)
        assert at_ms >= self.effective_ms(change)
        return at_ms
