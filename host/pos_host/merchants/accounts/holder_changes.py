"""The change of the settlement holder: applied for, approved, handed over, in effect, watched, evaluated, archived."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from pos_host.clock import iso_utc
from pos_host.journal import Journal
from pos_host.ledger.entry import Row
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of, record
from pos_host.merchants.accounts.account_judging import AccountJudge, PolicyOf
from pos_host.merchants.accounts.change_history import find_change, step, stepped
from pos_host.merchants.accounts.change_review import applied_by, approval, check_reviewer, rejection, review_view
from pos_host.merchants.accounts.documents import cited
from pos_host.merchants.accounts.effective_day import check_effective, day_begins_ms, first_midnight_ms
from pos_host.merchants.accounts.first_settlements import first_settlements
from pos_host.merchants.accounts.holder_application import HolderApplication, check_reason
from pos_host.merchants.accounts.holder_users import HolderUsers
from pos_host.merchants.accounts.holders import HOLDER, Holders, active_holder, holder_view, moved_holder
from pos_host.merchants.accounts.refused_applications import refuse_blocked
from pos_host.merchants.actors import HOST, Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written
from pos_host.merchants.four_eyes import check_other_person
from pos_host.merchants.free_text import plain_text
from pos_host.merchants.lives import Life
from pos_host.settlement.business_day import local_datetime

HOLDER_CHANGE = "holder_change"

HOLDER_CHANGE_LIFE = Life(
    "settlement_holder_change",
    "submitted",
    {
        "submitted": {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"},
        "approved": {
            "confirm_training": "approved",
            "wait": "approved",
            "take_effect": "watching",
            "withdraw": "withdrawn",
        },
        "watching": {
            "issue_token": "watching",
            "look": "watching",
            "end_watch": "watched",
            "roll_back": "rolled_back",
        },
        "watched": {"issue_token": "watched", "evaluate": "archived", "roll_back": "rolled_back"},
        "rejected": {"reconsider": "submitted"},
        "archived": {},
        "withdrawn": {},
        "rolled_back": {},
    },
)

DAY_MS = 86_400_000


class HolderChanges:
    """All changes of settlement holders. `users` ends the tokens of who goes."""

    def __init__(
        self, desk: Desk, journal: Journal, holders: Holders, judge: AccountJudge, policy_of: PolicyOf
    ) -> None:
        self._desk = desk
        self._journal = journal
        self._holders = holders
        self._judge = judge
        self._policy_of = policy_of
        self.users: HolderUsers | None = None

    # -- asking

    def blockers(self, actor: Actor, merchant_id: str, documents: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """Every reason why the merchant's settlement holder cannot be changed now."""
        return self._judge.of_holder_change(actor, merchant_id, documents)

    def of_merchant(self, merchant_id: str) -> list[dict[str, Any]]:
        """Views of a merchant's changes, the oldest first."""
        return [self.view(row) for row in self._desk.records.of_kind(HOLDER_CHANGE, merchant_id)]

    def show(self, merchant_id: str, change_id: str) -> dict[str, Any]:
        """One change; raises Refused (404)."""
        return self.view(self._found(merchant_id, change_id))

    # -- its life

    async def apply(self, actor: Actor, merchant_id: str, asked: HolderApplication) -> dict[str, Any]:
        """Hand in an application and give the change's view.

        Raises Refused (`blocked`, with all `blockers`) where something stands in the way, which keeps the application
        as a refused one; 422 for nonsense.
        """

        def decide(now_ms: int) -> Written:
            records = self._desk.records
            found = self._judge.of_holder_change(actor, merchant_id, asked.documents)
            check_reason(asked.reason)
            check_effective(self._policy_of(merchant_id), asked.effective_on, now_ms)
            holder = self._holders.proposed(records.next_id(HOLDER), merchant_id, asked.holder, now_ms)
            papers = cited(records, merchant_id, asked.documents)
            who = applied_by(actor, asked.applicant, papers)
            when = {"reason": asked.reason, "effective_on": asked.effective_on}
            wanted = {"holder": body_of(holder)["name"], **when}
            refuse_blocked(records, HOLDER_CHANGE, merchant_id, {**who, "wanted": wanted}, found, now_ms)
            outgoing = active_holder(records, merchant_id)
            body = {
                "holder_id": holder.record_id,
                "outgoing_id": "" if outgoing is None else outgoing.record_id,
                **when,
                **who,
                "training": None,
                "notices": [],
                "flags": [],
                "history": [step("apply", actor.name, "submitted", now_ms)],
            }
            number = records.next_id(HOLDER_CHANGE)
            row = record(HOLDER_CHANGE, number, merchant_id, HOLDER_CHANGE_LIFE.initial, now_ms, body)
            return self._written("change_submitted", None, row, (holder,))

        return await self._act(actor, "apply", Subject("settlement holder change", merchant_id), decide)

    async def approve(self, actor: Actor, merchant_id: str, change_id: str, why: str = "") -> dict[str, Any]:
        """Agree to a change that somebody else applied for, and give the outgoing holder notice.

        The change takes effect on the day asked for, or later where that leaves too little time to hand over.
        """

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            check_reviewer(actor, row, "approving a change")
            body = body_of(row)
            self._check_not_incoming(actor, body, "approving a change")
            policy = self._policy_of(merchant_id)
            handed_over_ms = first_midnight_ms(policy, now_ms + self._judge.changes.hand_over_ms)
            due_at_ms = max(day_begins_ms(policy, date.fromisoformat(body["effective_on"])), handed_over_ms)
            effective_on = local_datetime(policy, due_at_ms).date().isoformat()
            notice = {"to": self._outgoing_name(body), "at": iso_utc(now_ms), "effective_on": effective_on}
            extra = {
                **approval(actor, why),
                "effective_on": effective_on,
                "asked_for": body["effective_on"],
                "notices": [*body["notices"], notice],
            }
            moved = stepped(HOLDER_CHANGE_LIFE, row, "approve", actor.name, now_ms, extra, due_at_ms=due_at_ms)
            notified = Told("settlement_holder.notice", 0, {"change_id": change_id, **notice})
            return self._written("change_approved", row, moved, (), (notified,))

        return await self._act(actor, "approve", _subject(merchant_id, change_id), decide, why)

    async def reject(self, actor: Actor, merchant_id: str, change_id: str, reasons: list[str]) -> dict[str, Any]:
        """Refuse a change, with the reasons for it; the applicant may complain."""

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            check_reviewer(actor, row, "rejecting a change")
            moved = stepped(HOLDER_CHANGE_LIFE, row, "reject", actor.name, now_ms, rejection(actor, reasons))
            return self._written("change_rejected", row, moved)

        return await self._act(actor, "reject", _subject(merchant_id, change_id), decide)

    async def withdraw(self, actor: Actor, merchant_id: str, change_id: str, why: str = "") -> dict[str, Any]:
        """Take an application back before it takes effect."""

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            extra = {"why": plain_text("why", why, needed=False)}
            moved = stepped(HOLDER_CHANGE_LIFE, row, "withdraw", actor.name, now_ms, extra)
            discarded = moved_holder(self._holder(body_of(row)["holder_id"]), "discard", now_ms)
            return self._written("change_withdrawn", row, moved, (discarded,))

        return await self._act(actor, "withdraw", _subject(merchant_id, change_id), decide, why)

    async def confirm_training(self, actor: Actor, merchant_id: str, change_id: str) -> dict[str, Any]:
        """Note that the incoming holder was trained; without it a change takes no effect."""

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            training = {"confirmed_by": actor.name, "at": iso_utc(now_ms)}
            effective_on = date.fromisoformat(body_of(row)["effective_on"])
            due_at_ms = day_begins_ms(self._policy_of(merchant_id), effective_on)
            moved = stepped(
                HOLDER_CHANGE_LIFE,
                row,
                "confirm_training",
                actor.name,
                now_ms,
                {"training": training, "waits_for": []},
                due_at_ms=due_at_ms,
            )
            return self._written("training_confirmed", row, moved)

        return await self._act(actor, "confirm_training", _subject(merchant_id, change_id), decide)

    async def issue_token(self, actor: Actor, merchant_id: str, change_id: str) -> dict[str, Any]:
        """Make the incoming holder's user, of the role merchant, and tell its `token` this once beside the change.

        Raises Refused where the application named no user, or somebody has that name.
        """
        told: list[str] = []

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            moved = stepped(HOLDER_CHANGE_LIFE, row, "issue_token", actor.name, now_ms, {}, due_at_ms=row.due_at_ms)
            name = body_of(self._holder(body_of(row)["holder_id"]))["user"]
            if not name or self.users is None:
                raise Refused("no_user", "the application named no user of this host for the incoming holder")
            if self._desk.records.find("user", name) is not None:
                raise Refused("user_exists", "the incoming holder's user has a token already")
            user, token = self.users.issued(actor, name, "merchant", merchant_id, now_ms)
            told.append(token)
            return self._written("token_issued", row, moved, (user,))

        view = await self._act(actor, "issue_token", _subject(merchant_id, change_id), decide)
        return {**view, "token": told[0]}

    async def evaluate(self, actor: Actor, merchant_id: str, change_id: str, evaluation: str) -> dict[str, Any]:
        """Say how the change went, by somebody else than applied for it, and put it away with all its papers."""

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            check_reviewer(actor, row, "evaluating a change")
            said = plain_text("evaluation", evaluation)
            extra = {"why": said, "evaluation": said, "evaluated_by": actor.name}
            moved = stepped(HOLDER_CHANGE_LIFE, row, "evaluate", actor.name, now_ms, extra)
            return self._written("change_archived", row, moved)

        return await self._act(actor, "evaluate", _subject(merchant_id, change_id), decide)

    async def roll_back(self, actor: Actor, merchant_id: str, change_id: str, why: str) -> dict[str, Any]:
        """Put the holder before back; tokens that were ended stay ended, new ones are issued."""

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            moved = stepped(HOLDER_CHANGE_LIFE, row, "roll_back", actor.name, now_ms, {"why": plain_text("why", why)})
            body = body_of(row)
            rows = [moved_holder(self._holder(body["holder_id"]), "hand_over", now_ms)]
            if body["outgoing_id"]:
                rows.append(moved_holder(self._holder(body["outgoing_id"]), "take_over", now_ms))
            ended = self._revoked(row.merchant_id, body["holder_id"], now_ms)
            return self._written("change_rolled_back", row, moved, (*rows, *ended))

        return await self._act(actor, "roll_back", _subject(merchant_id, change_id), decide, why)

    def reconsidered(self, row: RecordRow, actor: Actor, now_ms: int, why: str) -> RecordRow:
        """A rejected change put before a reviewer once more, as a complaint about it was upheld."""
        return stepped(HOLDER_CHANGE_LIFE, row, "reconsider", actor.name, now_ms, {"why": why})

    # -- what falls due

    def next_due_ms(self) -> int | None:
        """When a change takes effect, or its first settlements are looked at."""
        due = [row.due_at_ms for row in self._desk.records.of_kind(HOLDER_CHANGE) if row.due_at_ms]
        return min(due, default=None)

    async def act_on_due(self, now_ms: int) -> None:
        """Have changes take effect, look at first settlements, end watches."""
        for row in self._desk.records.of_kind(HOLDER_CHANGE):
            if not row.due_at_ms or row.due_at_ms > now_ms:
                continue
            subject = _subject(row.merchant_id, row.record_id)
            if row.state == "approved" and body_of(row)["training"] is None:
                await self._act(HOST, "wait", subject, self._waiting(row))
            elif row.state == "approved":
                await self._act(HOST, "take_effect", subject, self._taking_effect(row))
            else:
                await self._look(row, subject)

    def _waiting(self, row: RecordRow) -> Callable[[int], Written]:
        """The day came and something is missing: told once a day, until it is there."""

        def decide(now_ms: int) -> Written:
            if self._found(row.merchant_id, row.record_id) != row:
                return Written(answer=row.record_id)  # somebody was before; what is due then is looked at again
            due_at_ms = first_midnight_ms(self._policy_of(row.merchant_id), now_ms + 1)
            extra = {"waits_for": ["training"]}
            moved = stepped(HOLDER_CHANGE_LIFE, row, "wait", HOST.name, now_ms, extra, due_at_ms=due_at_ms)
            return self._written("change_waits", row, moved)

        return decide

    def _taking_effect(self, row: RecordRow) -> Callable[[int], Written]:
        def decide(now_ms: int) -> Written:
            if self._found(row.merchant_id, row.record_id) != row:
                return Written(answer=row.record_id)
            body = body_of(row)
            incoming = self._holder(body["holder_id"])
            rows: list[Row] = [moved_holder(incoming, "take_over", now_ms)]
            if body["outgoing_id"]:
                rows.append(moved_holder(self._holder(body["outgoing_id"]), "hand_over", now_ms))
                rows += self._revoked(row.merchant_id, body["outgoing_id"], now_ms)
            extra = {
                "effective_at_ms": now_ms,
                "watch_until_ms": now_ms + self._judge.changes.watch_ms,
                "operator_number": body_of(incoming)["operator_number"],
            }
            due_at_ms = now_ms + min(DAY_MS, self._judge.changes.watch_ms)
            moved = stepped(HOLDER_CHANGE_LIFE, row, "take_effect", HOST.name, now_ms, extra, due_at_ms=due_at_ms)
            return self._written("changed", row, moved, tuple(rows))

        return decide

    async def _look(self, row: RecordRow, subject: Subject) -> None:
        """Compare the settlements since the change with those before; once the watch is over, end it."""
        body = body_of(row)
        since = date.fromisoformat(body["effective_on"])
        flags = await first_settlements(self._journal, row.merchant_id, since, self._judge.changes)

        def decide(now_ms: int) -> Written:
            if self._found(row.merchant_id, row.record_id) != row:
                return Written(answer=row.record_id)
            over = now_ms >= body["watch_until_ms"]
            due_at_ms = 0 if over else min(now_ms + DAY_MS, body["watch_until_ms"])
            new = [flag for flag in flags if flag not in body["flags"]]
            told = tuple(Told("settlement_holder.unlike_before", 0, {"change_id": row.record_id, **f}) for f in new)
            way = "end_watch" if over else "look"
            moved = stepped(HOLDER_CHANGE_LIFE, row, way, HOST.name, now_ms, {"flags": flags}, due_at_ms=due_at_ms)
            return self._written("watch_ended" if over else "watched", row, moved, (), told)

        await self._act(HOST, "look", subject, decide)

    # -- what it looks like

    def view(self, row: RecordRow) -> dict[str, Any]:
        """A change as everybody may see it who may see the merchant."""
        body = body_of(row)
        outgoing = self._desk.records.find(HOLDER, body["outgoing_id"])
        return {
            **review_view(row, HOLDER_CHANGE_LIFE, _BY_HOST),
            "reason": body["reason"],
            "effective_on": body["effective_on"],
            "holder": holder_view(self._holder(body["holder_id"])),
            "outgoing": None if outgoing is None else holder_view(outgoing),
            "training": body["training"],
            "waits_for": body.get("waits_for", []),
            "notices": body["notices"],
            "watch_until": iso_utc(body.get("watch_until_ms", 0)) or None,
            "flags": body["flags"],
            "evaluation": body.get("evaluation"),
            "steps": self._judge.changes.promises(HOLDER_CHANGE),
        }

    # -- parts

    def _found(self, merchant_id: str, change_id: str) -> RecordRow:
        return find_change(self._desk.records, HOLDER_CHANGE, merchant_id, change_id)

    def _holder(self, holder_id: str) -> RecordRow:
        row = self._desk.records.find(HOLDER, holder_id)
        if row is None:
            raise KeyError(f"the store has no holder {holder_id}, whom a change names")
        return row

    def _outgoing_name(self, body: dict[str, Any]) -> str:
        return str(body_of(self._holder(body["outgoing_id"]))["name"]) if body["outgoing_id"] else ""

    def _revoked(self, merchant_id: str, holder_id: str, now_ms: int) -> tuple[Row, ...]:
        """The rows that end the tokens of a holder's user, where there is one."""
        user = body_of(self._holder(holder_id))["user"]
        if not user or self.users is None:
            return ()
        mine = [row for row in self.users.of_merchant(merchant_id) if row.record_id == user]
        return tuple(self.users.revoked(row, now_ms) for row in mine)

    def _check_not_incoming(self, actor: Actor, body: dict[str, Any], what: str) -> None:
        """Nobody makes themselves the holder either."""
        incoming = body_of(self._holder(body["holder_id"]))
        check_other_person(actor, (incoming["name"], incoming["user"]), what)

    def _written(
        self,
        what: str,
        before: RecordRow | None,
        row: RecordRow,
        rows: tuple[Row, ...] = (),
        told: tuple[Told, ...] = (),
    ) -> Written:
        body = body_of(row)
        data = {"change_id": row.record_id, "state": row.state, "effective_on": body["effective_on"]}
        if what == "change_rejected":
            data["reasons"] = body["reasons"]
        trail = {**data, "submitted_by": body["submitted_by"], "documents": body["documents"]}
        earlier = None if before is None else {**trail, "state": before.state}
        events = (Told(f"settlement_holder.{what}", 0, data), *told)
        return Written((row, *rows), events, before=earlier, after=trail, answer=row.record_id)

    async def _act(
        self, actor: Actor, action: str, subject: Subject, decide: Callable[[int], Written], why: str = ""
    ) -> dict[str, Any]:
        reason = plain_text("why", why, needed=False)
        number = await self._desk.act(actor, f"holder_change.{action}", subject, decide, reason)
        return self.view(self._found(subject.merchant_id, number))


_BY_HOST = frozenset({"wait", "take_effect", "look", "end_watch", "reconsider"})
"""Steps that nobody can ask for: they fall due, or follow from something else."""


def _subject(merchant_id: str, change_id: str) -> Subject:
    return Subject(f"settlement holder change {change_id}", merchant_id)
