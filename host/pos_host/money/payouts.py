"""Payouts after their batch: made when they are due, held and released, returned; each step goes over the desk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from pos_host.journal import Journal, Question
from pos_host.ledger.book import Book
from pos_host.ledger.merchant_rows import PAYOUTS_OPEN, PayoutRow
from pos_host.logs import Logger
from pos_host.merchants.actors import HOST, Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Written
from pos_host.money.agreed import NoAccounts, PayoutAccounts, nothing_holds
from pos_host.money.destination import Destination, destination_of
from pos_host.money.payout_steps import (
    BELOW_ZERO,
    BY_OPERATOR,
    UNTIL_REVIEWED,
    Step,
    carried_over,
    held,
    lasting,
    lifted,
    made,
    reasons_of,
    released,
    returned,
    written,
)
from pos_host.money.payout_views import payout_view

if TYPE_CHECKING:
    from pos_host.money.business_calendar import BusinessCalendar

log = Logger("pos_host.payouts")

Holds = Callable[[Book], str]

CalendarAt = Callable[[str, int], "BusinessCalendar"]
"""The calendar of a merchant as it holds at an instant, UTC milliseconds."""


class Payouts:
    """Makes the payouts that fall due, to the account that is active then, or holds them; once, across restarts.

    `accounts` and `holds` say what stands against paying: a merchant's account, a terminal's violation.
    """

    def __init__(
        self,
        desk: Desk,
        journal: Journal,
        calendar: CalendarAt,
        accounts: PayoutAccounts | None = None,
        holds: Holds = nothing_holds,
    ) -> None:
        self.accounts: PayoutAccounts = accounts or NoAccounts()
        self.holds = holds
        self._desk = desk
        self._registry = desk.registry
        self._journal = journal
        self.calendar = calendar
        waiting = [row for row in self._registry.payouts.values() if row.state == "held"]
        self._unjudged = {row.merchant_id for row in waiting if lasting(row) != reasons_of(row)}

    # -- what falls due

    def next_due_ms(self) -> int | None:
        """When the first payout is due, UTC milliseconds; 0 while some are to be judged again after a start."""
        return 0 if self._unjudged else self._registry.payouts.next_due_ms()

    async def act_on_due(self, now_ms: int) -> None:
        """Make, hold or carry over what is due, one merchant after the other.

        After a start first of all those are judged again that were held for an account or a terminal: the host may
        have ended between that change and its effect on payouts.
        """
        for merchant_id in sorted(self._unjudged):
            await self.judge_again(merchant_id)
            self._unjudged.discard(merchant_id)
        due = [row for row in self._registry.payouts.values() if row.state != "held" and row.due_at_ms <= now_ms]
        failed: list[Exception] = []
        for merchant_id in sorted({row.merchant_id for row in due}):
            try:
                await self._make_due(merchant_id)
            except Exception as error:  # the others are paid; the agenda tries this one again
                failed.append(error)
        if failed:
            raise failed[0]

    async def _make_due(self, merchant_id: str) -> None:
        def decide(now_ms: int) -> Written:
            waiting = [row for row in self._open(merchant_id) if row.state != "held"]
            steps: list[Step] = []
            for currency in sorted({row.currency for row in waiting if row.due_at_ms <= now_ms}):
                due = [row for row in waiting if row.due_at_ms <= now_ms or BELOW_ZERO in reasons_of(row)]
                steps += self._steps_when_due([row for row in due if row.currency == currency], now_ms)
            return written(steps)

        await self._desk.act(HOST, "payout.make", Subject(f"payouts of {merchant_id}", merchant_id), decide)

    def _steps_when_due(self, due: Sequence[PayoutRow], now_ms: int) -> list[Step]:
        """What becomes of a merchant's payouts of one currency. Where one is below zero, all that are due go together,
        with what was carried over: to one account if they come to zero or more, else they wait for the next day."""
        calendar = self.calendar(due[0].merchant_id, now_ms)
        today = _local_day(calendar, now_ms)
        judged = [(row, self._destination(row, today)) for row in due]
        steps = [held(row, reasons, now_ms) for row, to in judged if (reasons := self._reasons(row, to))]
        free = [(row, to) for row, to in judged if not self._reasons(row, to)]
        if all(row.net_minor >= 0 for row, _ in free):
            return steps + [made(row, to, now_ms) for row, to in free]
        if sum(row.net_minor for row, _ in free) >= 0:
            largest = max(free, key=lambda pair: pair[0].net_minor)[1].whole()
            return steps + [made(row, largest, now_ms) for row, _ in free]
        day = calendar.next_business_day(today)
        at_ms = calendar.payout_time_ms(day)
        return steps + [carried_over(row, day, at_ms, now_ms) for row, _ in free]

    # -- what people do

    async def hold(self, actor: Actor, payout_id: int, why: str) -> dict[str, Any]:
        """Keep a payout back until somebody releases it, also one that is held for another reason; gives it as the API
        shows it. Raises Refused, NotNow or NotKept.
        """

        def step(row: PayoutRow, now_ms: int) -> Step:
            kept = held(row, [BY_OPERATOR], now_ms)
            if BY_OPERATOR in reasons_of(row):
                raise Refused("already_held", f"payout {row.payout_id} is held by an operator already")
            return kept

        return await self._act(actor, "payout.hold", payout_id, why, step)

    async def release(self, actor: Actor, payout_id: int, why: str) -> dict[str, Any]:
        """Let a held payout go on, as after the review of an out-of-balance batch; it is made when it is due.

        Where an operator held it beside another reason, only the operator's is taken off, and it stays held for the
        other. Raises Refused where nothing but account or terminal hold it, NotNow or NotKept.
        """

        def step(row: PayoutRow, now_ms: int) -> Step:
            freed = released(row, now_ms)
            by_others = self._reasons(row, self._destination(row, self._today(row.merchant_id, now_ms)))
            if BY_OPERATOR in reasons_of(row):
                left = [reason for reason in lasting(row) if reason != BY_OPERATOR]
                if by_others or not UNTIL_REVIEWED.isdisjoint(left):
                    return lifted(row, [*left, *by_others], now_ms)
            elif by_others:
                text = f"payout {row.payout_id} is still held: {', '.join(by_others)}"
                raise Refused("still_held", text, reasons=by_others)
            return freed

        return await self._act(actor, "payout.release", payout_id, why, step)

    async def give_back(self, actor: Actor, payout_id: int, why: str) -> dict[str, Any]:
        """End a held payout that its merchant does not get; raises Refused, NotNow or NotKept."""
        return await self._act(actor, "payout.return", payout_id, why, returned)

    async def judge_again(self, merchant_id: str, actor: Actor = HOST) -> None:
        """Hold or release a merchant's open payouts by what stands against them now; raises NotKept."""

        def decide(now_ms: int) -> Written:
            return written(self.steps_of_judging(merchant_id, now_ms))

        await self._desk.act(actor, "payout.judge", Subject(f"payouts of {merchant_id}", merchant_id), decide)

    def steps_of_judging(self, merchant_id: str, now_ms: int) -> list[Step]:
        """The steps of `judge_again`, for somebody who needs them in a commit of his own."""
        today = self._today(merchant_id, now_ms)
        steps = []
        for row in self._open(merchant_id):
            reasons = self._reasons(row, self._destination(row, today))
            kept = lasting(row)
            if row.state != "held":
                if reasons:
                    steps.append(held(row, reasons, now_ms))
            elif not reasons and UNTIL_REVIEWED.isdisjoint(kept):
                steps.append(released(row, now_ms))
            elif reasons_of(row) != [*kept, *reasons]:
                steps.append(lifted(row, [*kept, *reasons], now_ms))
        return steps

    # -- what people ask

    async def page(self, where: dict[str, str | int], after: int, limit: int) -> list[PayoutRow]:
        """Payouts whose columns equal `where`, by number, those after `after`."""
        return await self._journal.select(Question(PayoutRow, where, after=after, limit=limit))

    async def find(self, payout_id: int) -> PayoutRow:
        """The payout of that number; raises Refused (404)."""
        found = await self._journal.select(Question(PayoutRow, {"payout_id": payout_id}, limit=1))
        if not found:
            raise Refused("payout_not_found", f"no payout {payout_id}", status=404)
        return found[0]

    def view(self, row: PayoutRow) -> dict[str, Any]:
        """The payout as the API shows it."""
        return payout_view(row, self._registry.of_no(row.terminal_no))

    # -- the inside

    async def _act(
        self, actor: Actor, action: str, payout_id: int, why: str, step: Callable[[PayoutRow, int], Step]
    ) -> dict[str, Any]:
        stored = await self.find(payout_id)

        def decide(now_ms: int) -> Written:
            taken = step(self._now(stored), now_ms)
            before, after = self.view(taken.before), self.view(taken.after)
            return written([taken])._replace(before=before, after=after, answer=after)

        answer: dict[str, Any] = await self._desk.act(
            actor, action, Subject(f"payout {payout_id}", stored.merchant_id), decide, why
        )
        return answer

    def _now(self, stored: PayoutRow) -> PayoutRow:
        """The row as it stands in its turn at the desk; raises Refused where it ended since `stored` was read."""
        row = self._registry.payouts.get(stored.payout_id)
        if row is None and stored.state in PAYOUTS_OPEN:
            text = f"payout {stored.payout_id} changed while this was asked; look at it again"
            raise Refused("payout_changed", text)
        return row or stored

    def _open(self, merchant_id: str) -> list[PayoutRow]:
        return self._registry.payouts.of_merchant(merchant_id)

    def _destination(self, row: PayoutRow, today: date) -> Destination:
        return destination_of(row, today, self.accounts)

    def _reasons(self, row: PayoutRow, to: Destination) -> list[str]:
        """What of account and terminal stands against paying; nothing against what the merchant owes."""
        book = self._registry.of_no(row.terminal_no)
        of_terminal = "" if book is None or row.net_minor < 0 else self.holds(book)
        return [*([of_terminal] if of_terminal else []), *to.hold_reasons]

    def _today(self, merchant_id: str, now_ms: int) -> date:
        return _local_day(self.calendar(merchant_id, now_ms), now_ms)


def _local_day(calendar: BusinessCalendar, now_ms: int) -> date:
    return datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(calendar.time_zone).date()
