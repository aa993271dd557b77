"""The change of a settlement account: applied for, approved by somebody else, taken by each terminal, tried, done."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from pos_host.clock import iso_utc
from pos_host.journal import Journal
from pos_host.ledger.book import Book
from pos_host.ledger.merchant_rows import PayoutRow, RecordRow
from pos_host.ledger.records import body_of, record
from pos_host.merchants.accounts.account_application import AccountApplication
from pos_host.merchants.accounts.account_judging import AccountJudge
from pos_host.merchants.accounts.account_places import (
    exchanged,
    in_place,
    kept_as_standby,
    put_back,
    standby_put_back,
    standing_by,
    took_the_place_after,
    wanted_account,
)
from pos_host.merchants.accounts.accounts import ACCOUNT, Accounts, account_in_place, account_view, moved_account
from pos_host.merchants.accounts.change_history import find_change, step, stepped
from pos_host.merchants.accounts.change_review import (
    applied_by,
    approval,
    check_reviewer,
    refuse_blocked_review,
    rejection,
    review_view,
)
from pos_host.merchants.accounts.change_terminals import ChangeTerminals, SendCommand, ask_to_sign_in, owed_by
from pos_host.merchants.accounts.documents import cited
from pos_host.merchants.accounts.given_account import checked
from pos_host.merchants.accounts.refused_applications import refuse_blocked
from pos_host.merchants.accounts.trial_payouts import first_payouts, made_since, tests_settled
from pos_host.merchants.actors import HOST, Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written
from pos_host.merchants.free_text import plain_text
from pos_host.merchants.lives import Life

ACCOUNT_CHANGE = "account_change"

ACCOUNT_CHANGE_LIFE = Life(
    "settlement_account_change",
    "submitted",
    {
        "submitted": {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"},
        "approved": {"activate": "activated", "keep_standby": "completed", "withdraw": "withdrawn"},
        "activated": {"begin_tests": "testing", "roll_back": "rolled_back"},
        "testing": {"complete": "completed", "roll_back": "rolled_back"},
        "completed": {"audit": "completed", "roll_back": "rolled_back"},
        "rejected": {"reconsider": "submitted"},
        "withdrawn": {},
        "rolled_back": {},
    },
)


class AccountChanges:
    """All changes of settlement accounts. `command` sends a command to a terminal (MQTT)."""

    def __init__(self, desk: Desk, journal: Journal, accounts: Accounts, judge: AccountJudge) -> None:
        self._desk = desk
        self._journal = journal
        self._accounts = accounts
        self._judge = judge
        self._terminals = ChangeTerminals(desk.registry, desk.records)
        self.command: SendCommand = lambda book, command: None

    # -- asking

    def blockers(self, actor: Actor, merchant_id: str) -> list[dict[str, Any]]:
        """Every reason why the merchant's account cannot be changed now, before anybody names a new one."""
        return self._judge.of_merchant(actor, merchant_id)

    def check(self, actor: Actor, merchant_id: str, asked: AccountApplication) -> list[dict[str, Any]]:
        """Every reason against an application that is not handed in yet; raises Refused for nonsense."""
        return self._judge.of_application(actor, merchant_id, checked(asked.account, self._accounts.rules), asked)

    def of_merchant(self, merchant_id: str) -> list[dict[str, Any]]:
        """Views of a merchant's changes, the oldest first."""
        return [self.view(row) for row in self._desk.records.of_kind(ACCOUNT_CHANGE, merchant_id)]

    async def show(self, merchant_id: str, change_id: str) -> dict[str, Any]:
        """One change and how its test transactions stand; raises Refused (404)."""
        row = find_change(self._desk.records, ACCOUNT_CHANGE, merchant_id, change_id)
        return {**self.view(row), "tests": await self._tests(row), "first_payouts": await self._first_payouts(row)}

    # -- its life

    async def apply(self, actor: Actor, merchant_id: str, asked: AccountApplication) -> dict[str, Any]:
        """Hand in an application and give the change's view.

        Raises Refused (`blocked`, with all `blockers`) where something stands in the way, which keeps the application
        as a refused one; 422 for nonsense.
        """

        def decide(now_ms: int) -> Written:
            records = self._desk.records
            given = checked(asked.account, self._accounts.rules)
            found = self._judge.of_application(actor, merchant_id, given, asked)
            papers = cited(records, merchant_id, asked.documents)
            who = applied_by(actor, asked.applicant, papers)
            reason = plain_text("reason", asked.reason, needed=False)
            wanted = {**self._accounts.shown(given), "role": asked.role, "reason": reason}
            kept = {**who, "wanted": wanted, "number_print": self._accounts.print_of(given.number)}
            refuse_blocked(records, ACCOUNT_CHANGE, merchant_id, kept, found, now_ms)
            account = self._accounts.proposed(records.next_id(ACCOUNT), merchant_id, given, now_ms)
            before = account_in_place(records, merchant_id)
            lost = before is not None and bool(body_of(before).get("lost"))
            body = {
                "account_id": account.record_id,
                "account_before": in_place(records, merchant_id),
                "role": asked.role,
                "because_of_loss": lost,
                "reason": reason,
                **who,
                "warnings": [blocker["code"] for blocker in found],
                "history": [step("apply", actor.name, "submitted", now_ms)],
            }
            number = records.next_id(ACCOUNT_CHANGE)
            row = record(ACCOUNT_CHANGE, number, merchant_id, ACCOUNT_CHANGE_LIFE.initial, now_ms, body)
            return self._written("submitted", None, row, (account,))

        return await self._act(actor, "apply", Subject("settlement account change", merchant_id), decide)

    async def approve(self, actor: Actor, merchant_id: str, change_id: str, why: str = "") -> dict[str, Any]:
        """Agree to a change that somebody else applied for; what has come up against it since is looked at again."""

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            check_reviewer(actor, row, "approving a change")
            moved = stepped(ACCOUNT_CHANGE_LIFE, row, "approve", actor.name, now_ms, approval(actor, why))
            refuse_blocked_review(actor, row, self._judge.again(actor, row, self._wanted(row)), now_ms)
            return self._written("approved", row, moved)

        return await self._act(actor, "approve", _subject(merchant_id, change_id), decide, why)

    async def reject(self, actor: Actor, merchant_id: str, change_id: str, reasons: list[str]) -> dict[str, Any]:
        """Refuse a change, with the reasons for it; the applicant may complain."""

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            check_reviewer(actor, row, "rejecting a change")
            moved = stepped(ACCOUNT_CHANGE_LIFE, row, "reject", actor.name, now_ms, rejection(actor, reasons))
            return self._written("rejected", row, moved)

        return await self._act(actor, "reject", _subject(merchant_id, change_id), decide)

    async def withdraw(self, actor: Actor, merchant_id: str, change_id: str, why: str = "") -> dict[str, Any]:
        """Take an application back before anything was changed."""

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            extra = {"why": plain_text("why", why, needed=False)}
            moved = stepped(ACCOUNT_CHANGE_LIFE, row, "withdraw", actor.name, now_ms, extra)
            return self._written("withdrawn", row, moved, (moved_account(self._wanted(row), "discard", now_ms),))

        return await self._act(actor, "withdraw", _subject(merchant_id, change_id), decide, why)

    async def activate(self, actor: Actor, merchant_id: str, change_id: str) -> dict[str, Any]:
        """Put the new account in the place of the old one, and have every terminal take the change over.

        A standby account needs no terminal: its change is completed by this.
        """
        asked: list[Book] = []

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            if body_of(row)["role"] == "standby":
                return self._standby_kept(row, actor, now_ms)
            asked[:] = self._terminals.of_merchant(merchant_id)
            extra = {"activated_at_ms": now_ms, "terminals": [book.terminal_no for book in asked]}
            extra |= {
                "account_before": in_place(self._desk.records, merchant_id)
            }  # since it was asked for, one may have moved
            moved = stepped(ACCOUNT_CHANGE_LIFE, row, "activate", actor.name, now_ms, extra)
            rows = exchanged(self._desk.records, row, now_ms)
            rows = (*rows, *owed_by(asked, row, now_ms, "settlement_account"))
            return self._written("activated", row, moved, rows)

        view = await self._act(actor, "activate", _subject(merchant_id, change_id), decide)
        ask_to_sign_in(asked, change_id, self._desk.clock.now_ms(), self.command)
        return view

    async def complete(self, actor: Actor, merchant_id: str, change_id: str) -> dict[str, Any]:
        """End a change whose test transactions were paid to the new account; raises Refused while they were not."""
        row = self._found(merchant_id, change_id)
        tests = await self._tests(row)

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            due_at_ms = now_ms + self._judge.changes.audit_after_ms
            extra = {"completed_at_ms": now_ms, "tests_settled": tests["settled"]}
            extra |= {"audit_due_at_ms": due_at_ms}
            moved = stepped(ACCOUNT_CHANGE_LIFE, row, "complete", actor.name, now_ms, extra, due_at_ms=due_at_ms)
            if tests["settled"] < tests["needed"]:
                text = f"{tests['settled']} of {tests['needed']} test transactions were paid to the new account so far"
                raise Refused("tests_not_settled", text, tests=tests)
            return self._written("changed", row, moved)

        return await self._act(actor, "complete", _subject(merchant_id, change_id), decide)

    async def roll_back(self, actor: Actor, merchant_id: str, change_id: str, why: str) -> dict[str, Any]:
        """Put the account before, or the standby before, back in its place; what was paid out stays where it went."""
        asked: list[Book] = []

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            extra = {"why": plain_text("why", why)}
            moved = stepped(ACCOUNT_CHANGE_LIFE, row, "roll_back", actor.name, now_ms, extra)
            self._check_not_too_late(row, now_ms)
            if body_of(row)["role"] == "standby":
                return self._written("rolled_back", row, moved, standby_put_back(self._desk.records, row, now_ms))
            asked[:] = self._terminals.of_merchant(merchant_id)
            rows = put_back(self._desk.records, row, now_ms)
            rows = (*rows, *owed_by(asked, row, now_ms, "settlement_account_before"))
            return self._written("rolled_back", row, moved, rows)

        view = await self._act(actor, "roll_back", _subject(merchant_id, change_id), decide, why)
        ask_to_sign_in(asked, change_id, self._desk.clock.now_ms(), self.command)
        return view

    async def audit(self, actor: Actor, merchant_id: str, change_id: str, finding: str) -> dict[str, Any]:
        """Note what was found when the first payouts to the new account were looked through, by somebody else."""

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            check_reviewer(actor, row, "the audit of the first payouts")
            found = plain_text("finding", finding)
            extra = {"why": found, "audit_finding": found, "audited_by": actor.name, "audit_due_at_ms": 0}
            return self._written("audited", row, stepped(ACCOUNT_CHANGE_LIFE, row, "audit", actor.name, now_ms, extra))

        return await self._act(actor, "audit", _subject(merchant_id, change_id), decide)

    def reconsidered(self, row: RecordRow, actor: Actor, now_ms: int, why: str) -> RecordRow:
        """A rejected change put before a reviewer once more, as a complaint about it was upheld."""
        return stepped(ACCOUNT_CHANGE_LIFE, row, "reconsider", actor.name, now_ms, {"why": why})

    # -- what the host does itself

    def next_due_ms(self) -> int | None:
        """Now for a change that every terminal has taken; else when the audit of first payouts is due."""
        due: list[int] = []
        for row in self._desk.records.of_kind(ACCOUNT_CHANGE):
            if row.state == "activated" and not self._terminals.waited_for(row):
                due.append(row.changed_at_ms)
            elif row.due_at_ms:
                due.append(row.due_at_ms)
        return min(due, default=None)

    async def act_on_due(self, now_ms: int) -> None:
        """Begin the tests of changes that every terminal took, and say which audits are due."""
        for row in self._desk.records.of_kind(ACCOUNT_CHANGE):
            subject = _subject(row.merchant_id, row.record_id)
            if row.state == "activated" and not self._terminals.waited_for(row):
                await self._act(HOST, "begin_tests", subject, self._begin_tests(row))
            elif row.due_at_ms and row.due_at_ms <= now_ms:
                await self._act(HOST, "remind_of_audit", subject, self._remind_of_audit(row))

    def _begin_tests(self, row: RecordRow) -> Callable[[int], Written]:
        def decide(now_ms: int) -> Written:
            if self._found(row.merchant_id, row.record_id) != row:
                return Written(answer=row.record_id)  # somebody was before; what is due then is looked at again
            extra = {"taken": self._terminals.taken(row)}
            moved = stepped(ACCOUNT_CHANGE_LIFE, row, "begin_tests", HOST.name, now_ms, extra)
            return self._written("tests_begun", row, moved)

        return decide

    def _remind_of_audit(self, row: RecordRow) -> Callable[[int], Written]:
        def decide(now_ms: int) -> Written:
            if self._found(row.merchant_id, row.record_id) != row:
                return Written(answer=row.record_id)
            return self._written("audit_due", row, row._replace(due_at_ms=0))

        return decide

    # -- what it looks like

    def view(self, row: RecordRow) -> dict[str, Any]:
        """A change as everybody may see it who may see the merchant."""
        body, records = body_of(row), self._desk.records
        before = records.find(ACCOUNT, body["account_before"])
        return {
            **review_view(row, ACCOUNT_CHANGE_LIFE, _BY_HOST),
            "role": body["role"],
            "because_of_loss": body["because_of_loss"],
            "account": account_view(self._wanted(row)),
            "account_before": None if before is None else account_view(before),
            "reason": body["reason"],
            "warnings": body["warnings"],
            "steps": self._judge.changes.promises(ACCOUNT_CHANGE),
            "terminals": self._terminals.views(row),
            "audit_due_at": iso_utc(body.get("audit_due_at_ms", 0)) or None,
            "audit_finding": body.get("audit_finding"),
        }

    async def _tests(self, row: RecordRow) -> dict[str, int]:
        """How many test transactions are needed, and how many were paid to the new account."""
        body = body_of(row)
        settled = tests_settled(await self._paid(row), body["account_id"], body.get("activated_at_ms", 0))
        return {"needed": self._judge.changes.tests_needed, "settled": settled}

    async def _first_payouts(self, row: RecordRow) -> list[dict[str, Any]]:
        """The first payouts that were made to the new account, whole or in part: what an audit looks through."""
        return first_payouts(await self._paid(row), body_of(row)["account_id"])

    async def _paid(self, row: RecordRow) -> list[PayoutRow]:
        """The merchant's payouts that were made since the account came into place, as the store has them."""
        return await made_since(self._journal, row.merchant_id, body_of(row).get("activated_at_ms", 0))

    # -- parts

    def _of(self, merchant_id: str) -> list[RecordRow]:
        return self._desk.records.of_kind(ACCOUNT_CHANGE, merchant_id)

    def _found(self, merchant_id: str, change_id: str) -> RecordRow:
        return find_change(self._desk.records, ACCOUNT_CHANGE, merchant_id, change_id)

    def _wanted(self, row: RecordRow) -> RecordRow:
        return wanted_account(self._desk.records, row)

    def _standby_kept(self, row: RecordRow, actor: Actor, now_ms: int) -> Written:
        records = self._desk.records
        extra: dict[str, Any] = {"activated_at_ms": now_ms, "completed_at_ms": now_ms}
        extra["standby_before"] = [other.record_id for other in standing_by(records, row.merchant_id)]
        moved = stepped(ACCOUNT_CHANGE_LIFE, row, "keep_standby", actor.name, now_ms, extra)
        return self._written("standby_kept", row, moved, kept_as_standby(records, row, now_ms))

    def _check_not_too_late(self, row: RecordRow, now_ms: int) -> None:
        completed_at_ms = body_of(row).get("completed_at_ms", 0)
        until_ms = completed_at_ms + self._judge.changes.roll_back_within_ms
        if completed_at_ms and now_ms > until_ms:
            text = f"a completed change could be rolled back until {iso_utc(until_ms)}; apply for a new one"
            raise Refused("too_late", text)
        if any(took_the_place_after(row, other) for other in self._of(row.merchant_id)):
            raise Refused("not_the_last", "the account was changed again since; roll the last change back first")

    def _written(
        self, what: str, before: RecordRow | None, row: RecordRow, rows: tuple[RecordRow, ...] = ()
    ) -> Written:
        """The step's rows, event and trail; the answer is made once they are applied."""
        body = body_of(row)
        data = {"change_id": row.record_id, "state": row.state, "account_id": body["account_id"], "role": body["role"]}
        if what == "rejected":
            data["reasons"] = body["reasons"]
        trail = {**data, "submitted_by": body["submitted_by"], "documents": body["documents"]}
        earlier = None if before is None else {**trail, "state": before.state}
        kind = "settlement_account.changed" if what == "changed" else f"settlement_account.change_{what}"
        return Written((row, *rows), (Told(kind, 0, data),), before=earlier, after=trail, answer=row.record_id)

    async def _act(
        self, actor: Actor, action: str, subject: Subject, decide: Callable[[int], Written], why: str = ""
    ) -> dict[str, Any]:
        reason = plain_text("why", why, needed=False)
        judged = partial(self._accounts.judged, subject.merchant_id)
        number = await self._desk.act(actor, f"account_change.{action}", subject, decide, reason, judged)
        return self.view(self._found(subject.merchant_id, number))


_BY_HOST = frozenset({"begin_tests", "reconsider", "keep_standby"})
"""Steps that nobody can ask for by their name: they follow from something else."""


def _subject(merchant_id: str, change_id: str) -> Subject:
    return Subject(f"settlement account change {change_id}", merchant_id)
