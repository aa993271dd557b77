"""The change of a settlement account: applied for, approved by somebody else, taken by each terminal, tried, done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

from pos_host.clock import iso_utc
from pos_host.journal import Journal, Question
from pos_host.ledger.book import Book
from pos_host.ledger.merchant_rows import PayoutRow, RecordRow
from pos_host.ledger.records import body_of, record
from pos_host.ledger.takeover import TERMINAL_SYNC, can_take_over, owed
from pos_host.merchants.account_judging import AccountJudge
from pos_host.merchants.accounts import ACCOUNT, STANDING_BY, Accounts, account_in_place, account_view, moved_account
from pos_host.merchants.actors import HOST, Actor
from pos_host.merchants.change_history import find_change, history_view, refusal_reasons, step, stepped
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written
from pos_host.merchants.documents import cited
from pos_host.merchants.four_eyes import check_other_person
from pos_host.merchants.free_text import plain_text
from pos_host.merchants.given_account import GivenAccount, checked
from pos_host.merchants.lives import Life
from pos_host.merchants.refused_applications import refuse_blocked
from pos_host.merchants.trial_payouts import goes_to, tests_settled

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

FIRST_PAYOUTS = 10
"""Payouts to a new account that an audit looks through: two weeks of one terminal."""

SIGN_IN_WITHIN_MS = 24 * 3_600_000
"""How long the command to sign in is of use to a terminal that was asleep."""


class AccountApplication(NamedTuple):
    """What somebody asks for: `role` active or standby, `documents` hashes of papers that were handed in before,
    `applicant` the person for whom the actor hands it in ("": the actor)."""

    account: GivenAccount
    documents: tuple[str, ...]
    role: str = "active"
    reason: str = ""
    applicant: str = ""


class AccountChanges:
    """All changes of settlement accounts. `command` sends a command to a terminal (MQTT)."""

    def __init__(self, desk: Desk, journal: Journal, accounts: Accounts, judge: AccountJudge) -> None:
        self._desk = desk
        self._journal = journal
        self._accounts = accounts
        self._judge = judge
        self.command: Callable[[Book, dict[str, Any]], None] = lambda book, command: None

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
            who = {
                "submitted_by": actor.name,
                "applicant": plain_text("applicant", asked.applicant or actor.name),
                "documents": [paper["document_id"] for paper in papers],
            }
            reason = plain_text("reason", asked.reason, needed=False)
            wanted = {**self._accounts.shown(given), "role": asked.role, "reason": reason}
            kept = {**who, "wanted": wanted, "number_print": self._accounts.print_of(given.number)}
            refuse_blocked(records, ACCOUNT_CHANGE, merchant_id, kept, found, now_ms)
            account = self._accounts.proposed(records.next_id(ACCOUNT), merchant_id, given, now_ms)
            before = account_in_place(records, merchant_id)
            lost = before is not None and bool(body_of(before).get("lost"))
            body = {
                "account_id": account.record_id,
                "account_before": self._in_place(merchant_id),
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
            _check_reviewer(actor, row, "approving a change")
            extra = {"why": plain_text("why", why, needed=False), "reviewed_by": actor.name}
            moved = stepped(ACCOUNT_CHANGE_LIFE, row, "approve", actor.name, now_ms, extra)
            _refuse_blocked(actor, row, self._judge.again(actor, row, self._account(row)), now_ms)
            return self._written("approved", row, moved)

        return await self._act(actor, "approve", _subject(merchant_id, change_id), decide, why)

    async def reject(self, actor: Actor, merchant_id: str, change_id: str, reasons: list[str]) -> dict[str, Any]:
        """Refuse a change, with the reasons for it; the applicant may complain."""

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            _check_reviewer(actor, row, "rejecting a change")
            told = refusal_reasons(reasons)
            extra = {"reasons": told, "why": "; ".join(told), "reviewed_by": actor.name}
            moved = stepped(ACCOUNT_CHANGE_LIFE, row, "reject", actor.name, now_ms, extra)
            return self._written("rejected", row, moved)

        return await self._act(actor, "reject", _subject(merchant_id, change_id), decide)

    async def withdraw(self, actor: Actor, merchant_id: str, change_id: str, why: str = "") -> dict[str, Any]:
        """Take an application back before anything was changed."""

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            extra = {"why": plain_text("why", why, needed=False)}
            moved = stepped(ACCOUNT_CHANGE_LIFE, row, "withdraw", actor.name, now_ms, extra)
            return self._written("withdrawn", row, moved, (moved_account(self._account(row), "discard", now_ms),))

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
            asked[:] = self._terminals(merchant_id)
            extra = {"activated_at_ms": now_ms, "terminals": [book.terminal_no for book in asked]}
            extra |= {"account_before": self._in_place(merchant_id)}  # since it was asked for, one may have moved
            moved = stepped(ACCOUNT_CHANGE_LIFE, row, "activate", actor.name, now_ms, extra)
            rows = (*self._exchanged(row, now_ms), *_owed(asked, row, now_ms, "settlement_account"))
            return self._written("activated", row, moved, rows)

        view = await self._act(actor, "activate", _subject(merchant_id, change_id), decide)
        self._command_sign_in(asked, change_id)
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
                return self._written("rolled_back", row, moved, self._standby_put_back(row, now_ms))
            asked[:] = self._terminals(merchant_id)
            rows = (*self._put_back(row, now_ms), *_owed(asked, row, now_ms, "settlement_account_before"))
            return self._written("rolled_back", row, moved, rows)

        view = await self._act(actor, "roll_back", _subject(merchant_id, change_id), decide, why)
        self._command_sign_in(asked, change_id)
        return view

    async def audit(self, actor: Actor, merchant_id: str, change_id: str, finding: str) -> dict[str, Any]:
        """Note what was found when the first payouts to the new account were looked through, by somebody else."""

        def decide(now_ms: int) -> Written:
            row = self._found(merchant_id, change_id)
            _check_reviewer(actor, row, "the audit of the first payouts")
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
            if row.state == "activated" and not self._waited_for(row):
                due.append(row.changed_at_ms)
            elif row.due_at_ms:
                due.append(row.due_at_ms)
        return min(due, default=None)

    async def act_on_due(self, now_ms: int) -> None:
        """Begin the tests of changes that every terminal took, and say which audits are due."""
        for row in self._desk.records.of_kind(ACCOUNT_CHANGE):
            subject = _subject(row.merchant_id, row.record_id)
            if row.state == "activated" and not self._waited_for(row):
                await self._act(HOST, "begin_tests", subject, self._begin_tests(row))
            elif row.due_at_ms and row.due_at_ms <= now_ms:
                await self._act(HOST, "remind_of_audit", subject, self._remind_of_audit(row))

    def _begin_tests(self, row: RecordRow) -> Callable[[int], Written]:
        def decide(now_ms: int) -> Written:
            if self._found(row.merchant_id, row.record_id) != row:
                return Written(answer=row.record_id)  # somebody was before; what is due then is looked at again
            extra = {"taken": self._taken(row)}
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
            "change_id": row.record_id,
            "merchant_id": row.merchant_id,
            "state": row.state,
            "possible": [way for way in ACCOUNT_CHANGE_LIFE.possible(row.state) if way not in _BY_HOST],
            "role": body["role"],
            "because_of_loss": body["because_of_loss"],
            "account": account_view(self._account(row)),
            "account_before": None if before is None else account_view(before),
            "reason": body["reason"],
            "submitted_by": body["submitted_by"],
            "applicant": body["applicant"],
            "reviewed_by": body.get("reviewed_by"),
            "reasons": body.get("reasons", []),
            "documents": body["documents"],
            "warnings": body["warnings"],
            "history": history_view(body),
            "steps": self._judge.changes.promises(ACCOUNT_CHANGE),
            "terminals": self._terminal_views(row),
            "audit_due_at": iso_utc(body.get("audit_due_at_ms", 0)) or None,
            "audit_finding": body.get("audit_finding"),
            "changed_at": iso_utc(row.changed_at_ms),
        }

    async def _tests(self, row: RecordRow) -> dict[str, int]:
        """How many test transactions are needed, and how many were paid to the new account."""
        body = body_of(row)
        settled = tests_settled(await self._paid(row), body["account_id"], body.get("activated_at_ms", 0))
        return {"needed": self._judge.changes.tests_needed, "settled": settled}

    async def _first_payouts(self, row: RecordRow) -> list[dict[str, Any]]:
        """The first payouts that were made to the new account, whole or in part: what an audit looks through."""
        account_id = body_of(row)["account_id"]
        paid = [payout for payout in await self._paid(row) if goes_to(payout, account_id)]
        paid.sort(key=lambda payout: (payout.business_day, payout.payout_id))
        names = ("payout_id", "business_day", "due_day", "net_minor", "currency")
        return [{name: getattr(payout, name) for name in names} for payout in paid[:FIRST_PAYOUTS]]

    async def _paid(self, row: RecordRow) -> list[PayoutRow]:
        """The merchant's payouts that were made since the account came into place, as the store has them."""
        paid: list[PayoutRow] = []
        after: int | None = None
        where: dict[str, str | int] = {"merchant_id": row.merchant_id, "state": "made"}
        since_ms = body_of(row).get("activated_at_ms", 0)
        while page := await self._journal.select(Question(PayoutRow, where, after=after)):
            paid += [payout for payout in page if payout.changed_at_ms >= since_ms]
            after = page[-1].payout_id
        return paid

    def _terminal_views(self, row: RecordRow) -> list[dict[str, Any]]:
        body, waiting = body_of(row), {book.terminal_no for book in self._waited_for(row)}
        views = []
        for number in body.get("terminals", ()):
            book = self._desk.registry.of_no(number)
            if book is not None:
                taken = row.state != "activated" or number not in waiting
                views.append({"terminal_id": book.terminal_id, "taken": taken})
        return views

    # -- parts

    def _of(self, merchant_id: str) -> list[RecordRow]:
        return self._desk.records.of_kind(ACCOUNT_CHANGE, merchant_id)

    def _found(self, merchant_id: str, change_id: str) -> RecordRow:
        return find_change(self._desk.records, ACCOUNT_CHANGE, merchant_id, change_id)

    def _in_place(self, merchant_id: str) -> str:
        """The number of the account that is in place now; "" for none."""
        account = account_in_place(self._desk.records, merchant_id)
        return "" if account is None else account.record_id

    def _account(self, row: RecordRow) -> RecordRow:
        account = self._desk.records.find(ACCOUNT, body_of(row)["account_id"])
        if account is None:
            raise KeyError(f"account change {row.record_id} names an account that the store does not have")
        return account

    def _terminals(self, merchant_id: str) -> list[Book]:
        """The terminals that have to take a change over."""
        books = self._desk.registry.of_merchant(merchant_id)
        return [book for book in books if book.status != "closed" and can_take_over(book.dialect)]

    def _waited_for(self, row: RecordRow) -> list[Book]:
        """The terminals that have not taken the change yet; one that was closed since is not waited for."""
        books = [self._desk.registry.of_no(number) for number in body_of(row).get("terminals", ())]
        return [book for book in books if book is not None and book.owed is not None and book.status != "closed"]

    def _taken(self, row: RecordRow) -> dict[str, int]:
        """When each terminal took it over, by its number."""
        found = {}
        for number in body_of(row).get("terminals", ()):
            sync = self._desk.records.find(TERMINAL_SYNC, str(number))
            if sync is not None and sync.state == "taken":
                found[str(number)] = sync.changed_at_ms
        return found

    def _exchanged(self, row: RecordRow, now_ms: int) -> tuple[RecordRow, ...]:
        """The new account in place, and the one that is there now as a former one."""
        new = moved_account(self._account(row), "activate", now_ms)
        old = account_in_place(self._desk.records, row.merchant_id)
        return (new,) if old is None else (moved_account(old, "replace", now_ms), new)

    def _put_back(self, row: RecordRow, now_ms: int) -> tuple[RecordRow, ...]:
        """The account before in place again; closed meanwhile, it stays closed and payouts are held."""
        new = self._account(row)
        gone = (moved_account(new, "replace", now_ms),) if new.state in ("active", "frozen") else ()
        old = self._desk.records.find(ACCOUNT, body_of(row)["account_before"])
        if old is None or old.state not in ("former", "former_frozen"):
            return gone
        return (*gone, moved_account(old, "activate", now_ms))

    def _standby_kept(self, row: RecordRow, actor: Actor, now_ms: int) -> Written:
        others = [a for a in self._desk.records.of_kind(ACCOUNT, row.merchant_id) if a.state in STANDING_BY]
        extra: dict[str, Any] = {"activated_at_ms": now_ms, "completed_at_ms": now_ms}
        extra["standby_before"] = [other.record_id for other in others]
        moved = stepped(ACCOUNT_CHANGE_LIFE, row, "keep_standby", actor.name, now_ms, extra)
        kept = moved_account(self._account(row), "keep_as_standby", now_ms)
        replaced = [moved_account(other, "replace", now_ms) for other in others]
        return self._written("standby_kept", row, moved, (*replaced, kept))

    def _standby_put_back(self, row: RecordRow, now_ms: int) -> tuple[RecordRow, ...]:
        """The standby before stands by again; closed meanwhile, either of them stays closed."""
        new = self._account(row)
        gone = [moved_account(new, "replace", now_ms)] if new.state in STANDING_BY else []
        found = (self._desk.records.find(ACCOUNT, number) for number in body_of(row).get("standby_before", ()))
        old = [one for one in found if one is not None and one.state in ("former", "former_frozen")]
        return (*gone, *(moved_account(one, "keep_as_standby", now_ms) for one in old))

    def _check_not_too_late(self, row: RecordRow, now_ms: int) -> None:
        completed_at_ms = body_of(row).get("completed_at_ms", 0)
        until_ms = completed_at_ms + self._judge.changes.roll_back_within_ms
        if completed_at_ms and now_ms > until_ms:
            text = f"a completed change could be rolled back until {iso_utc(until_ms)}; apply for a new one"
            raise Refused("too_late", text)
        if any(_took_the_place_after(row, other) for other in self._of(row.merchant_id)):
            raise Refused("not_the_last", "the account was changed again since; roll the last change back first")

    def _command_sign_in(self, books: Iterable[Book], change_id: str) -> None:
        """Ask terminals to sign in, so that they take the change over soon; one that is not there does so later."""
        expires_at = iso_utc(self._desk.clock.now_ms() + SIGN_IN_WITHIN_MS)
        for book in books:
            command_id = f"account-change-{change_id}-{book.terminal_no}"
            said = {"command": "sign_in", "id": command_id, "expires_at": expires_at, "reason": "settlement_account"}
            self.command(book, said)

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


def _took_the_place_after(row: RecordRow, other: RecordRow) -> bool:
    """Whether another change has taken the place of `row`'s account since, and was not rolled back; an account in
    place and one that stands by have places of their own."""
    if int(other.record_id) <= int(row.record_id) or other.state == "rolled_back":
        return False
    body = body_of(other)
    return bool(body.get("activated_at_ms")) and body["role"] == body_of(row)["role"]


def _check_reviewer(actor: Actor, row: RecordRow, what: str) -> None:
    body = body_of(row)
    check_other_person(actor, (body["submitted_by"], body["applicant"]), what)


def _refuse_blocked(actor: Actor, row: RecordRow, found: list[dict[str, Any]], now_ms: int) -> None:
    """Raise Refused where something blocks the approval; the change's history keeps the try, once for the same person
    and reasons however often it is repeated."""
    codes = ", ".join(blocker["code"] for blocker in found if blocker["blocks"])
    if not codes:
        return
    body = body_of(row)
    tried = step("approve_refused", actor.name, row.state, now_ms, codes)
    known = {**body["history"][-1], "at_ms": now_ms} == tried
    noted = record(
        row.kind,
        row.record_id,
        row.merchant_id,
        row.state,
        now_ms,
        {**body, "history": [*body["history"], tried]},
        row.due_at_ms,
    )
    text = f"the settlement account cannot be changed: {codes}"
    raise Refused("blocked", text, rows=() if known else (noted,), blockers=found)


def _owed(books: Iterable[Book], row: RecordRow, now_ms: int, what: str) -> list[RecordRow]:
    told = {"what": what, "change_id": row.record_id}
    return [owed(book.terminal_no, row.merchant_id, now_ms, told) for book in books]


def _subject(merchant_id: str, change_id: str) -> Subject:
    return Subject(f"settlement account change {change_id}", merchant_id)
