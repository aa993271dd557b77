"""Complaints about a change that was rejected, beside what they should be on paper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from tests.stateful.office_machine import PEOPLE, OfficeMachine
from tests.unit.host.merchants.settlement_people import (
    ADMIN,
    MERCHANT,
    OPERATOR,
    OTHER_OPERATOR,
    REVIEWER,
    applied,
    with_account,
)

from pos_host.merchants.actors import Actor, may
from pos_host.merchants.four_eyes import same_person

ABOUT = "account_change"

someone = st.sampled_from((*PEOPLE, OTHER_OPERATOR))


class ComplaintMachine(OfficeMachine):
    """A change is rejected, complained of, and before a reviewer again where the complaint is upheld."""

    def __init__(self) -> None:
        super().__init__()
        self.run(with_account(self.host))
        self.change = self.run(applied(self.host))
        self.rejected_by = ""
        self.is_rejected = False
        self.complaints: dict[str, dict[str, str]] = {}

    @property
    def _complaints(self) -> Any:
        return self.host.parts.details.complaints

    @rule(actor=someone)
    def reject(self, actor: Actor) -> None:
        changes = self.host.parts.details.account_changes
        outcome, _ = self.tried(changes.reject(actor, MERCHANT, self.change, ["not to be read"]))

        if not may(actor, "account_change.reject"):
            assert "forbidden" == outcome.kind
        elif self.is_rejected:
            assert "not_now" == outcome.kind
        else:
            assert "done" == outcome.kind
            self.is_rejected, self.rejected_by = True, actor.name

    @rule(actor=someone)
    def complain(self, actor: Actor) -> None:
        outcome, opened = self.tried(self._complaints.open(actor, MERCHANT, ABOUT, self.change, "it is to be read"))

        unanswered = any(complaint["state"] == "opened" for complaint in self.complaints.values())
        if not may(actor, "complaint.open"):
            assert "forbidden" == outcome.kind
        elif not self.is_rejected or unanswered:
            assert "refused" == outcome.kind
        else:
            assert "done" == outcome.kind
            self.complaints[opened["complaint_id"]] = {"state": "opened", "by": actor.name}

    @precondition(lambda self: self.complaints)
    @rule(actor=someone, way=st.sampled_from(["uphold", "dismiss"]), data=st.data())
    def answer(self, actor: Actor, way: str, data: st.DataObject) -> None:
        self.give_answer(actor, way, data.draw(st.sampled_from(sorted(self.complaints))))

    def give_answer(self, actor: Actor, way: str, number: str) -> None:
        complaint = self.complaints[number]
        outcome, _ = self.tried(self._complaints.answer(actor, MERCHANT, number, way, "looked at again"))

        involved = (complaint["by"], OPERATOR.name, self.rejected_by)
        if not may(actor, f"complaint.{way}"):
            assert "forbidden" == outcome.kind
        elif complaint["state"] != "opened":
            assert "not_now" == outcome.kind
        elif any(same_person(actor.name, name) for name in involved):
            assert "forbidden" == outcome.kind
        else:
            assert "done" == outcome.kind
            complaint["state"] = {"uphold": "upheld", "dismiss": "dismissed"}[way]
            self.is_rejected = way == "dismiss"

    @precondition(lambda self: self.complaints)
    @rule(actor=someone, place=st.integers(0, 99))
    def withdraw(self, actor: Actor, place: int) -> None:
        number = sorted(self.complaints)[place % len(self.complaints)]
        outcome, _ = self.tried(self._complaints.withdraw(actor, MERCHANT, number))

        if not may(actor, "complaint.withdraw"):
            assert "forbidden" == outcome.kind
        elif self.complaints[number]["state"] != "opened":
            assert "not_now" == outcome.kind
        else:
            assert "done" == outcome.kind
            self.complaints[number]["state"] = "withdrawn"

    @rule(way=st.sampled_from(["uphold", "dismiss"]))
    def reject_and_complain_and_answer(self, way: str) -> None:
        """So that complaints are answered often enough: by somebody who had nothing to do with it."""
        self.reject(REVIEWER)
        self.complain(OPERATOR)
        for number, complaint in self.complaints.items():
            if complaint["state"] == "opened":
                self.give_answer(ADMIN, way, number)

    def tour(self) -> Iterator[None]:
        """Answered in both ways, then withdrawn."""
        for way in ("dismiss", "uphold"):
            self.reject_and_complain_and_answer(way)
            yield
        self.reject(REVIEWER)
        self.complain(OPERATOR)
        self.withdraw(OPERATOR, len(self.complaints) - 1)
        yield

    @invariant()
    def everything_is_as_on_paper(self) -> None:
        views = self._complaints.of_merchant(MERCHANT)
        assert {number: complaint["state"] for number, complaint in self.complaints.items()} == {
            view["complaint_id"]: view["state"] for view in views
        }
        change = self.run(self.host.parts.details.account_changes.show(MERCHANT, self.change))
        assert ("rejected" if self.is_rejected else "submitted") == change["state"]
