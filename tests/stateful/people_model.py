"""Users with their tokens, and rights that were asked for, beside what they should be on paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from tests.stateful.office_machine import PEOPLE, OfficeMachine
from tests.unit.host.merchants.settlement_people import ADMIN, MERCHANT, REVIEWER, VIEWER, pass_time
from tests.unit.host.pipeline.terminals import UnionPayTerminal

from pos_host.merchants.actors import Actor, may
from pos_host.merchants.four_eyes import same_person

HOUR_MS = 3_600_000
ACTION = "document.keep"
LASTING = {"PT4H": 4 * HOUR_MS, "P2D": 48 * HOUR_MS}
LEADS_TO = {
    "requested": {"grant": "granted", "refuse": "refused", "withdraw": "withdrawn"},
    "granted": {"revoke": "revoked"},
}

someone = st.sampled_from(PEOPLE)
PLACE = st.integers(0, 99)


class PeopleMachine(OfficeMachine):
    """People make users, exchange their tokens and end them; a viewer asks for a right that others give and take."""

    def __init__(self) -> None:
        super().__init__()
        self.users: dict[str, Actor | None] = {}
        self.tokens: dict[str, str] = {}
        self.dead: set[str] = set()
        self.rights: dict[str, dict[str, Any]] = {}
        self.run(UnionPayTerminal(self.host).sign_in())

    @property
    def now_ms(self) -> int:
        return self.host.clock.now_ms()

    # -- users

    @rule(actor=someone, role=st.sampled_from(["viewer", "operator", "reviewer", "admin"]))
    def create(self, actor: Actor, role: str) -> None:
        name = f"user-{self.count()}"
        outcome, made = self.tried(self.host.parts.users.create(actor, name, role))

        assert outcome.kind == ("done" if actor.role == "admin" else "forbidden")
        if made:
            self.users[name] = Actor(name, role, known_to=(actor.name,))
            self.tokens[name] = made["token"]

    @precondition(lambda self: self.users)
    @rule(actor=someone, place=PLACE)
    def rotate(self, actor: Actor, place: int) -> None:
        name = self.chosen(place)
        outcome, made = self.tried(self.host.parts.users.rotate(actor, name))

        assert outcome.kind == self._to_a_user(actor, name)
        if made:
            self.dead.add(self.tokens[name])
            self.tokens[name] = made["token"]
            before = self.users[name]
            assert before is not None
            self.users[name] = before._replace(known_to=(actor.name,))

    @precondition(lambda self: self.users)
    @rule(actor=someone, place=PLACE)
    def revoke(self, actor: Actor, place: int) -> None:
        name = self.chosen(place)
        outcome, _ = self.tried(self.host.parts.users.revoke(actor, name))

        assert outcome.kind == self._to_a_user(actor, name)
        if outcome.kind == "done":
            self.users[name] = None

    def chosen(self, place: int) -> str:
        return sorted(self.users)[place % len(self.users)]

    def _to_a_user(self, actor: Actor, name: str) -> str:
        if actor.role != "admin":
            return "forbidden"
        return "not_now" if self.users[name] is None else "done"

    # -- rights

    @rule(actor=someone, lasting=st.sampled_from(sorted(LASTING)))
    def ask(self, actor: Actor, lasting: str) -> None:
        has = may(actor, ACTION) or (actor == VIEWER and self._viewer_has())
        outcome, asked = self.tried(
            self.host.parts.details.right_requests.request(actor, MERCHANT, ACTION, lasting, "somebody is ill")
        )

        assert outcome.kind == ("refused" if has else "done")
        if asked:
            self.rights[asked["request_id"]] = {
                "state": "requested", "asker": actor.name, "until_ms": 0, "lasting_ms": LASTING[lasting]
            }  # fmt: skip

    @precondition(lambda self: self.rights)
    @rule(actor=someone, way=st.sampled_from(["grant", "refuse", "revoke", "withdraw"]), data=st.data())
    def decide(self, actor: Actor, way: str, data: st.DataObject) -> None:
        self.decide_on(data.draw(st.sampled_from(sorted(self.rights))), actor, way)

    @rule(then=st.sampled_from(["refuse", "withdraw", "revoke", "expire"]))
    def ask_and_decide(self, then: str) -> None:
        """So that every end of a right is reached often enough."""
        before = len(self.rights)
        self.ask(VIEWER, "PT4H")
        if len(self.rights) == before:
            return  # the viewer has it already
        number = list(self.rights)[-1]
        if then in ("revoke", "expire"):
            self.decide_on(number, REVIEWER, "grant")
        if then == "expire":
            self.time_passes(5)
        else:
            self.decide_on(number, VIEWER if then == "withdraw" else REVIEWER, then)

    def tour(self) -> Iterator[None]:
        """A user from the first token to none, a right to every end."""
        self.create(ADMIN, "reviewer")
        for act in (self.rotate, self.revoke):
            act(ADMIN, 0)
            yield
        for then in ("refuse", "withdraw", "revoke", "expire"):
            self.ask_and_decide(then)
            yield

    def decide_on(self, number: str, actor: Actor, way: str) -> None:
        right = self.rights[number]
        own = same_person(actor.name, right["asker"])
        allowed = may(actor, f"right.{way}") and (own if way == "withdraw" else not own and may(actor, ACTION))
        becomes = LEADS_TO.get(right["state"], {}).get(way)
        outcome, _ = self.tried(self.host.parts.details.right_requests.decide(actor, MERCHANT, number, way))

        assert outcome.kind == ("forbidden" if not allowed else "not_now" if becomes is None else "done")
        if outcome.kind == "done":
            right["state"] = becomes
            right["until_ms"] = self.now_ms + right["lasting_ms"] if way == "grant" else 0

    @rule(hours=st.sampled_from([1, 5, 47]))
    def time_passes(self, hours: int) -> None:
        self.run(pass_time(self.host, hours * HOUR_MS))
        for right in self.rights.values():
            if right["state"] == "granted" and right["until_ms"] <= self.now_ms:
                right |= {"state": "expired", "until_ms": 0}

    def _viewer_has(self) -> bool:
        return any(right["state"] == "granted" for right in self.rights.values() if right["asker"] == VIEWER.name)

    # -- as on paper

    @invariant()
    def every_token_is_its_users_and_no_other(self) -> None:
        assert self.users == self.run(self._actors_of(self.tokens))
        assert {None} >= set(self.run(self._actors_of({token: token for token in self.dead})).values())

    async def _actors_of(self, tokens: Mapping[str, str]) -> dict[str, Actor | None]:
        return {name: self.host.parts.users.actor_of(token) for name, token in tokens.items()}

    @invariant()
    def every_right_is_as_on_paper(self) -> None:
        views = self.host.parts.details.right_requests.of_merchant(MERCHANT)
        assert {number: right["state"] for number, right in self.rights.items()} == {
            view["request_id"]: view["state"] for view in views
        }
        assert self._viewer_has() == self.host.desk.allows(VIEWER, ACTION, MERCHANT)
