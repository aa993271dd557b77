"""A complaint about a refusal: opened by whom it concerns, answered by somebody who did not refuse it."""

from __future__ import annotations

from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of, record
from pos_host.merchants.accounts.account_changes import ACCOUNT_CHANGE, AccountChanges
from pos_host.merchants.accounts.change_history import find_change, history_view, step, stepped
from pos_host.merchants.accounts.holder_changes import HOLDER_CHANGE, HolderChanges
from pos_host.merchants.accounts.refused_applications import REFUSED_APPLICATION, refused_views
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written
from pos_host.merchants.four_eyes import check_other_person
from pos_host.merchants.free_text import plain_text
from pos_host.merchants.lives import Life

COMPLAINT = "complaint"

COMPLAINT_LIFE = Life(
    "complaint",
    "opened",
    {
        "opened": {"uphold": "upheld", "dismiss": "dismissed", "withdraw": "withdrawn"},
        "upheld": {},
        "dismissed": {},
        "withdrawn": {},
    },
)

ABOUT = (ACCOUNT_CHANGE, HOLDER_CHANGE, REFUSED_APPLICATION)


class Complaints:
    """All complaints, about changes that somebody rejected and applications that the host refused as they came."""

    def __init__(self, desk: Desk, account_changes: AccountChanges, holder_changes: HolderChanges) -> None:
        self._desk = desk
        self._changes: dict[str, AccountChanges | HolderChanges] = {
            ACCOUNT_CHANGE: account_changes,
            HOLDER_CHANGE: holder_changes,
        }

    async def open(self, actor: Actor, merchant_id: str, about: str, change_id: str, text: str) -> dict[str, Any]:
        """Complain of a refusal; gives the complaint. Raises Refused where nothing was refused, or twice.

        `change_id` is the number of the change, or of the refused application.
        """

        def decide(now_ms: int) -> Written:
            change = self._refused(merchant_id, about, change_id)
            body = {
                "about": about,
                "change_id": change.record_id,
                "text": plain_text("text", text),
                "opened_by": actor.name,
                "history": [step("open", actor.name, "opened", now_ms)],
            }
            number = self._desk.records.next_id(COMPLAINT)
            row = record(COMPLAINT, number, merchant_id, COMPLAINT_LIFE.initial, now_ms, body)
            return self._written("opened", row, None)

        return await self._act(actor, "open", Subject("complaint", merchant_id), decide)

    async def answer(self, actor: Actor, merchant_id: str, number: str, way: str, answer: str) -> dict[str, Any]:
        """`uphold` a complaint or `dismiss` it; by somebody who neither complained, nor applied, nor refused.

        Upheld, a change is before a reviewer again. An application that something stood against is not approved by
        this: the answer says what may be done, and one applies anew.
        """

        def decide(now_ms: int) -> Written:
            row = find_change(self._desk.records, COMPLAINT, merchant_id, number)
            body = body_of(row)
            said = plain_text("answer", answer)
            moved = stepped(COMPLAINT_LIFE, row, way, actor.name, now_ms, {"answer": said, "answered_by": actor.name})
            change = find_change(self._desk.records, body["about"], merchant_id, body["change_id"])
            of_change = body_of(change)
            involved = [body["opened_by"], of_change["submitted_by"], of_change["applicant"]]
            check_other_person(actor, [*involved, of_change.get("reviewed_by", "")], "answering a complaint")
            if way == "dismiss":
                return self._written("dismissed", moved, row)
            if body["about"] == REFUSED_APPLICATION:
                return self._written("upheld", moved, row)
            again = self._changes[body["about"]].reconsidered(change, actor, now_ms, said)
            return self._written("upheld", moved, row, (again,))

        return await self._act(actor, way, _subject(merchant_id, number), decide)

    async def withdraw(self, actor: Actor, merchant_id: str, number: str) -> dict[str, Any]:
        """Take a complaint back."""

        def decide(now_ms: int) -> Written:
            row = find_change(self._desk.records, COMPLAINT, merchant_id, number)
            return self._written("withdrawn", stepped(COMPLAINT_LIFE, row, "withdraw", actor.name, now_ms, {}), row)

        return await self._act(actor, "withdraw", _subject(merchant_id, number), decide)

    def of_merchant(self, merchant_id: str) -> list[dict[str, Any]]:
        """Views of a merchant's complaints, the oldest first."""
        return [self.view(row) for row in self._desk.records.of_kind(COMPLAINT, merchant_id)]

    def refused_applications(self, merchant_id: str) -> list[dict[str, Any]]:
        """Views of the merchant's applications that were refused as they came, the oldest first."""
        return refused_views(self._desk.records.of_kind(REFUSED_APPLICATION, merchant_id))

    def view(self, row: RecordRow) -> dict[str, Any]:
        body = body_of(row)
        return {
            "complaint_id": row.record_id,
            "merchant_id": row.merchant_id,
            "state": row.state,
            "about": body["about"],
            "change_id": body["change_id"],
            "text": body["text"],
            "opened_by": body["opened_by"],
            "answer": body.get("answer"),
            "answered_by": body.get("answered_by"),
            "history": history_view(body),
            "changed_at": iso_utc(row.changed_at_ms),
        }

    def _refused(self, merchant_id: str, about: str, change_id: str) -> RecordRow:
        if about not in ABOUT:
            raise Refused("invalid_complaint", f"about: must be one of {', '.join(ABOUT)}", status=422)
        change = find_change(self._desk.records, about, merchant_id, change_id)
        if change.state not in ("rejected", "refused"):
            raise Refused("not_refused", f"the change is {change.state}; a complaint is about one that was rejected")
        for row in self._desk.records.of_kind(COMPLAINT, merchant_id):
            body = body_of(row)
            if row.state == "opened" and (body["about"], body["change_id"]) == (about, change_id):
                raise Refused("complaint_open", f"complaint {row.record_id} about it is not answered yet")
        return change

    def _written(
        self, what: str, row: RecordRow, before: RecordRow | None, rows: tuple[RecordRow, ...] = ()
    ) -> Written:
        body = body_of(row)
        data = {"complaint_id": row.record_id, "state": row.state, "about": body["about"]}
        data |= {"change_id": body["change_id"]}
        earlier = None if before is None else {**data, "state": before.state}
        told = (Told(f"complaint.{what}", 0, data),)
        return Written((row, *rows), told, before=earlier, after=data, answer=row.record_id)

    async def _act(self, actor: Actor, way: str, subject: Subject, decide: Any) -> dict[str, Any]:
        number = await self._desk.act(actor, f"complaint.{way}", subject, decide)
        return self.view(find_change(self._desk.records, COMPLAINT, subject.merchant_id, number))


def _subject(merchant_id: str, number: str) -> Subject:
    return Subject(f"complaint {number}", merchant_id)
