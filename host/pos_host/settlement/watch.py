"""The unsettled watch: looks at every book when something may have changed, and says so once per change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from pos_host.clock import Clock, ManualClock, iso_utc
from pos_host.journal import Journal, Posting
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.entry import Entry, FlagRow
from pos_host.ledger.group_totals import sides
from pos_host.ledger.host_settlement import unsettled_batch
from pos_host.ledger.posting import REMINDED, apply_entry, apply_row
from pos_host.ledger.registry import Registry
from pos_host.logs import Logger
from pos_host.merchants.agenda import Agenda
from pos_host.settlement.impact import impact_of
from pos_host.settlement.settler import Settler
from pos_host.settlement.unsettled import BatchFacts, Flag, continued, evaluate, is_climb, next_change_ms

log = Logger("pos_host.unsettled")

LOOK_EVERY_S = 0.5
"""How often the system clock is compared with what falls due; a person notices no less."""

COMMAND_VALID_MS = 3_600_000
"""A settle_now command an hour old is not obeyed any more: the next climb brings another."""

Remind = Callable[[Book, dict[str, Any]], None]


class Watch:
    """Flags the terminals that did not settle, then has `settler` end what is due, and `agenda` do what else is.
    `remind` is told of each reminder (MQTT command); `flagged` collects the books whose flag changed,
    `moved` those in which anything did."""

    def __init__(
        self,
        registry: Registry,
        journal: Journal,
        clock: Clock,
        settler: Settler | None = None,
        remind: Remind | None = None,
        agenda: Agenda | None = None,
    ) -> None:
        self._registry = registry
        self._journal = journal
        self._clock = clock
        self._due: dict[Book, int] = {}
        self._silent: set[Book] = set()
        self._posted = 0
        self._kept = 0
        self._settler = settler
        self._agenda = agenda
        self.flagged: set[Book] = set()
        self.moved: set[Book] = set()
        self.remind: Remind = remind or (lambda book, command: None)

    async def run(self) -> None:
        """Look for ever, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> bool:
        """Evaluate the books that changed or whose next change is due by now, in the order of enrolment; then begin
        to settle what is due and what else is. True if there was such a thing.

        A silent terminal that speaks again may post nothing, so it is looked at each time.
        """
        now_ms = self._clock.now_ms()
        changed, self._registry.changed_for_watch = self._registry.changed_for_watch, set()
        due = [book for book, at_ms in self._due.items() if at_ms <= now_ms]
        for book in sorted({*changed, *due, *self._silent}, key=lambda book: book.terminal_no):
            self._evaluate(book, now_ms)
        self.moved |= changed
        begun = False
        if self._settler is not None:
            for book in changed:
                self._settler.changed(book)
            begun = self._settler.look()
        return self._begin_others() or begun

    def _begin_others(self) -> bool:
        """Begin what else is due, unless flags are on their way to the store: a look-back after a time without a host
        tells of them."""
        if self._agenda is None or self._posted != self._kept:
            return False
        return self._agenda.look()

    async def advance(self, clock: ManualClock, to_ms: int) -> None:
        """Move a manual clock, stopping at each moment something falls due, in order, until `to_ms`."""
        await self.settle()
        while True:
            following = min(self._all_due(), default=to_ms)
            clock.move_to(max(clock.now_ms(), min(following, to_ms)))
            await self.settle()
            if clock.now_ms() >= to_ms and not self._is_due(to_ms):
                return

    async def settle(self) -> None:
        """Look, and wait until everything found is committed; what was settled has its flag cleared."""
        settling = True
        while settling:
            settling = self.look()
            while self._posted != self._kept or self._others_busy():
                await asyncio.sleep(0)
                await asyncio.sleep(0.001)
            settling = self._begin_others() or settling

    def _is_due(self, now_ms: int) -> bool:
        return any(at_ms <= now_ms for at_ms in self._all_due())

    def _all_due(self) -> list[int]:
        """When something falls due next: of the books, of the host's own settlements, of the agenda."""
        others = [who.next_due_ms() for who in (self._settler, self._agenda) if who is not None]
        return [*self._due.values(), *(at_ms for at_ms in others if at_ms is not None)]

    def _others_busy(self) -> bool:
        return any(who is not None and who.busy for who in (self._settler, self._agenda))

    def _evaluate(self, book: Book, now_ms: int) -> None:
        self._due.pop(book, None)
        batch = unsettled_batch(book)
        if book.flag_pending:
            self._registry.changed_for_watch.add(book)
            return
        facts = None if batch is None else _facts(book, batch)
        before = None if book.flag is None else _flag(book.flag)
        after = None if facts is None else evaluate(facts, book.policy, now_ms)
        after = continued(before, after)
        if after is not None and "silent" in after.reasons:
            self._silent.add(book)
        else:
            self._silent.discard(book)
        if facts is not None:
            following = next_change_ms(facts, book.policy, now_ms)
            if following is not None:
                self._due[book] = following
        if after != before:
            self._tell(book, batch, before, after, now_ms)

    def _tell(self, book: Book, batch: Batch | None, before: Flag | None, after: Flag | None, now_ms: int) -> None:
        """One log line, one event, one row for a change; a reminder for a climb."""
        row = _row(book, after)
        detail = _detail(batch, after, now_ms)
        entries = [Entry("unsettled", book.terminal_no, 0, now_ms, detail=json.dumps(detail))]
        climbs = is_climb(before, after)
        if climbs and after is not None and batch is not None:
            entries.append(reminded_entry(book, batch, after.severity, now_ms))
        book.flag_pending = True
        self._posted += 1

        def done(first: int | None) -> None:
            self._kept += 1
            book.flag_pending = False
            if first is None:
                self._registry.changed_for_watch.add(book)
                return
            apply_row(book, row)
            for place, entry in enumerate(entries):
                apply_entry(book, entry, first + place)
            self._registry.changed.add(book)
            self.flagged.add(book)
            tell = log.info if after is None else log.warning
            tell("terminal_unsettled", terminal_id=book.terminal_id, merchant_id=book.merchant_id, **detail)
            if climbs and after is not None:
                self.remind(book, settle_now_command(f"reminder-{first}", after.severity, now_ms))

        self._journal.post(Posting(tuple(entries), (row,), done))


def _facts(book: Book, batch: Batch) -> BatchFacts:
    debit, credit = sides(batch)
    uploading = batch.state == "uploading"
    return BatchFacts(
        state=batch.state,
        has_money=True,
        first_money_at_ms=batch.first_money_at_ms or batch.opened_at_ms,
        opened_at_ms=batch.opened_at_ms,
        last_activity_at_ms=batch.last_activity_at_ms,
        last_seen_at_ms=book.last_seen_at_ms,
        transactions=debit.count + credit.count,
        debit_amount_minor=debit.amount_minor,
        undelivered_since_ms=min(batch.undelivered.values(), default=None),
        upload_since_ms=batch.last_activity_at_ms if uploading else None,
        disputed=uploading,
    )


def _flag(row: FlagRow) -> Flag:
    return Flag(row.severity, row.since_ms, row.due_at_ms, tuple(json.loads(row.reasons)), row.clears)


def _row(book: Book, flag: Flag | None) -> FlagRow:
    if flag is None:
        return FlagRow(book.terminal_no, "", 0, 0, "[]", "")
    reasons = json.dumps(list(flag.reasons))
    return FlagRow(book.terminal_no, flag.severity, flag.since_ms, flag.due_at_ms, reasons, flag.clears)


def _detail(batch: Batch | None, flag: Flag | None, now_ms: int) -> dict[str, Any]:
    """What the event says: how bad, since when, why, how much money, and what that does to people."""
    if flag is None or batch is None:
        return {"severity": None}
    debit, credit = sides(batch)
    return {
        "severity": flag.severity,
        "since": iso_utc(flag.since_ms),
        "due_at": iso_utc(flag.due_at_ms),
        "reasons": list(flag.reasons),
        "clears": flag.clears,
        "batch_number": batch.number,
        "debit_amount_minor": debit.amount_minor,
        "credit_amount_minor": credit.amount_minor,
        "currency": batch.currency,
        "impact": impact_of(batch, flag.due_at_ms, now_ms)._asdict(),
    }


def reminded_entry(book: Book, batch: Batch, severity: str, now_ms: int) -> Entry:
    """The entry of a reminder to settle `batch`; a UnionPay terminal is asked for a sign-in from then on."""
    detail = json.dumps({"severity": severity, "command": "settle_now", "batch_number": batch.number})
    return Entry(REMINDED, book.terminal_no, batch.batch_id, now_ms, detail=detail)


def settle_now_command(command_id: str, reason: str, now_ms: int) -> dict[str, Any]:
    """The command that a terminal gets by MQTT."""
    return {
        "command": "settle_now",
        "id": command_id,
        "expires_at": iso_utc(now_ms + COMMAND_VALID_MS),
        "reason": reason,
    }
