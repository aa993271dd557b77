"""The desk: everything that is done on the merchant's side goes over it, one action after the other.

    actor, action → right? → decide (pure) → one commit: rows, audit row, events → applied → answer

What is refused is audited as well. An action on a terminal is decided in that terminal's turn, so that no message of it
is under way meanwhile. An action that has begun is ended, also where who asked for it has gone away: between its commit
and the books no cancellation comes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

from pos_host.clock import Clock
from pos_host.journal import Journal, Posting
from pos_host.ledger.book import Book
from pos_host.ledger.entry import Entry, Row
from pos_host.ledger.merchant_rows import AuditRow
from pos_host.ledger.registry import Registry
from pos_host.logs import Logger
from pos_host.merchants.actors import Actor, may, needed_role
from pos_host.merchants.audit import NO_ROW, linked
from pos_host.merchants.lives import NotNow
from pos_host.merchants.long_numbers import without_foreign_numbers, without_long_numbers

log = Logger("pos_host.desk")

OFFICE = "office"
"""Kind of the entries that the desk writes; the event's type stands in the detail."""


class Refused(Exception):
    """An action that is not done: `kind` names the problem for programs, the text says what and why for people.

    `status` is the HTTP status to answer: 409 for what cannot be done now, 422 for what is wrong in itself, 404 for
    what is not there. `more` goes into the problem document beside them. `rows` are kept with the refusal.
    """

    def __init__(self, kind: str, text: str, *, status: int = 409, rows: tuple[Row, ...] = (), **more: Any) -> None:
        super().__init__(text)
        self.kind = kind
        self.status = status
        self.rows = rows
        self.more = more


class Forbidden(Refused):
    """The actor's role is not enough, or it is somebody else's to do (403)."""


class NotKept(Exception):
    """The commit failed, so nothing was done."""


class Told(NamedTuple):
    """An event: its type (`settlement_account.changed`), the terminal it is about (0: the merchant), what it says."""

    type: str
    terminal_no: int = 0
    data: dict[str, Any] = {}  # noqa: RUF012 - never changed


class Written(NamedTuple):
    """What an action makes: rows and events of one commit, the subject before and after for the audit trail, and what
    the asker gets. Nothing at all (no rows, no events) is an action that had nothing to do and leaves no trace."""

    rows: tuple[Row, ...] = ()
    told: tuple[Told, ...] = ()
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    answer: Any = None
    entries: tuple[Entry, ...] = ()


class Subject(NamedTuple):
    """What an action is about: `name` for the audit trail (`terminal T0000001`), and whose it is."""

    name: str
    merchant_id: str = ""
    book: Book | None = None


Decide = Callable[[int], Written]

Granted = Callable[[Actor, str, str, int], bool]
"""Whether an actor was given the right to an action for a merchant, at a time in UTC milliseconds."""


class Turns(Protocol):
    """Who gives a terminal's turn to the host itself: the pipeline."""

    def take_turn(
        self,
        book: Book,
        decide: Callable[[Book, int], tuple[tuple[Entry, ...], tuple[Row, ...]] | None],
        done: Callable[[bool], None],
    ) -> None: ...


class Desk:
    """Decides, commits and applies actions. `audited` is the last row of the trail; `granted` knows the rights that
    somebody was given for a limited time."""

    def __init__(
        self, registry: Registry, journal: Journal, clock: Clock, turns: Turns, audited: AuditRow | None
    ) -> None:
        self.registry = registry
        self.records = registry.records
        self.clock = clock
        self.granted: Granted = lambda actor, action, merchant_id, now_ms: False
        self._journal = journal
        self._turns = turns
        self._last = audited or NO_ROW
        self._turn = asyncio.Lock()
        self._under_way: set[asyncio.Task[Any]] = set()

    async def act(
        self,
        actor: Actor,
        action: str,
        subject: Subject,
        decide: Decide,
        why: str = "",
        then: Callable[[], Awaitable[None]] | None = None,
    ) -> Any:
        """Do `action` and give its answer once it is durable, and once `then` has done what follows from it.

        `decide` gets the time (UTC milliseconds) and raises Refused or NotNow for what cannot be done, which is
        audited and raised on; Forbidden where the actor's role is not enough; NotKept when the commit failed. Who is
        cancelled while it waits for its turn has asked for nothing; from then on the action goes its way without it.
        """
        await self._turn.acquire()
        work = asyncio.get_running_loop().create_task(self._in_turn(actor, action, subject, decide, why, then))
        self._under_way.add(work)
        work.add_done_callback(self._under_way.discard)
        return await asyncio.shield(work)

    async def _in_turn(
        self,
        actor: Actor,
        action: str,
        subject: Subject,
        decide: Decide,
        why: str,
        then: Callable[[], Awaitable[None]] | None,
    ) -> Any:
        try:
            answer = await self._act(actor, action, subject, decide, why)
        finally:
            self._turn.release()
        if then is not None:
            await then()
        return answer

    async def _act(self, actor: Actor, action: str, subject: Subject, decide: Decide, why: str) -> Any:
        refusals: list[Exception] = []
        made: list[Written] = []
        who, what = (actor.name, actor.role), (action, subject.name, subject.merchant_id)
        audit = AuditRow(0, 0, *who, *what, "done", without_long_numbers(why), "", "", "")

        def write(now_ms: int) -> tuple[tuple[Entry, ...], tuple[Row, ...]] | None:
            nonlocal audit
            try:
                self._check_right(actor, action, subject)
                written = decide(now_ms)
            except (Refused, NotNow) as refused:
                refusals.append(refused)
                kept = refused.rows if isinstance(refused, Refused) else ()
                reason = without_foreign_numbers(str(refused))
                written = Written(kept, told=(Told("office.refused", 0, {"reason": reason}),))
                audit = audit._replace(result="refused", reason=reason)
            made.append(written)
            if not (written.rows or written.told or written.entries):
                return None
            filled = audit._replace(at_ms=now_ms, before=_text(written.before), after=_text(written.after))
            audit = linked(self._last, filled)
            return self._entries(written, audit), (*written.rows, audit)

        if not await self._commit(subject, write):
            raise NotKept(f"{action} of {subject.name} could not be stored, so it was not done")
        if audit.audit_no:
            self._last = audit
            log.info("office", action=action, subject=subject.name, actor=actor.name, result=audit.result)
        if refusals:
            raise refusals[0]
        return made[0].answer

    async def _commit(
        self, subject: Subject, write: Callable[[int], tuple[tuple[Entry, ...], tuple[Row, ...]] | None]
    ) -> bool:
        """Whether what `write` gives is durable and applied."""
        ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        failure: list[Exception] = []

        def decide(now_ms: int) -> tuple[tuple[Entry, ...], tuple[Row, ...]] | None:
            try:
                return write(now_ms)
            except Exception as error:  # our mistake; the asker is told, and a terminal's turn goes on
                failure.append(error)
                return None

        if subject.book is not None:
            self._turns.take_turn(subject.book, lambda book, now_ms: decide(now_ms), partial(_tell, ended))
        else:
            written = decide(self.clock.now_ms())
            if written is None:
                _tell(ended, True)
            else:
                self._journal.post(Posting(*written, lambda first: self._committed(written[1], first, ended)))
        kept = await ended
        if failure:
            raise failure[0]
        return kept

    def _committed(self, rows: tuple[Row, ...], first: int | None, ended: asyncio.Future[bool]) -> None:
        if first is not None:
            self.registry.apply(rows)
        _tell(ended, first is not None)

    def keep(self, row: Row) -> None:
        """Have a row kept that is nobody's action and leaves no trace in the trail."""

        def done(first: int | None) -> None:
            if first is not None:
                self.registry.apply((row,))

        self._journal.post(Posting((), (row,), done))

    def abandon(self) -> None:
        """Drop what is under way: the host dies."""
        for work in self._under_way:
            work.cancel()

    def allows(self, actor: Actor, action: str, merchant_id: str) -> bool:
        """Whether `actor` may do `action` for a merchant now, four eyes apart."""
        if actor.role == "merchant" and actor.merchant_id != merchant_id:
            return False
        return may(actor, action) or self.granted(actor, action, merchant_id, self.clock.now_ms())

    def _check_right(self, actor: Actor, action: str, subject: Subject) -> None:
        if actor.role == "merchant" and actor.merchant_id != subject.merchant_id:
            raise Forbidden("forbidden", f"{actor.name} acts for merchant {actor.merchant_id} only")
        if not self.allows(actor, action, subject.merchant_id):
            needed = needed_role(action) or "of nobody"
            raise Forbidden("forbidden", f"{action} needs the role {needed}; {actor.name} is {actor.role}")

    def _entries(self, written: Written, audit: AuditRow) -> tuple[Entry, ...]:
        """The events of an action; the first of them names the audit row, so that the journal vouches for it."""
        told = written.told or (Told("office.done"),)
        entries = []
        for place, event in enumerate(told):
            detail = {"type": event.type, "merchant_id": audit.merchant_id, "subject": audit.subject, **event.data}
            detail |= {"actor": audit.actor, "action": audit.action}
            if place == 0:
                detail |= {"audit_no": audit.audit_no, "digest": audit.digest}
            text = json.dumps(detail, ensure_ascii=False)
            entries.append(Entry(OFFICE, event.terminal_no, 0, audit.at_ms, detail=text))
        return (*entries, *written.entries)


def _tell(ended: asyncio.Future[bool], kept: bool) -> None:
    """Nobody waits any more where the host was abandoned."""
    if not ended.done():
        ended.set_result(kept)


def _text(subject: dict[str, Any] | None) -> str:
    return "" if subject is None else json.dumps(subject, ensure_ascii=False, sort_keys=True)
