"""Payouts after their batch: made when they are due, held and released, returned; each step goes over the desk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from pos_host.journal import Journal, Question
from pos_host.ledger.book import Book
from pos_host.ledger.merchant_rows import PAYOUTS_OPEN, PayoutRow
from pos_host.logs import Logger
from pos_host.merchants.actors import HOST, Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written
from pos_host.money.agreed import NoAccounts, Paying, PayoutAccounts, nothing_holds
from pos_host.money.payout_at_close import ABOVE_MAXIMUM, BELOW_MINIMUM, NO_FEE_RULE, OUT_OF_BALANCE
from pos_host.money.payout_states import PAYOUT
from pos_host.money.payout_views import payout_view

if TYPE_CHECKING:
    from pos_host.money.business_calendar import BusinessCalendar

log = Logger("pos_host.payouts")

BY_OPERATOR = "held_by_operator"
BELOW_ZERO = "net_below_zero"
"""Why a payout that is due waits: refunds or charges outweigh what else is due to its merchant."""

UNTIL_REVIEWED = frozenset({OUT_OF_BALANCE, BELOW_MINIMUM, ABOVE_MAXIMUM, NO_FEE_RULE, BY_OPERATOR})
"""Reasons that only a person's release takes away; all others are asked for again."""

Holds = Callable[[Book], str]


class Payouts:
    """Makes the payouts that fall due, to the account that is active then, or holds them; once, across restarts.

    `accounts` and `holds` say what stands against paying: a merchant's account, a terminal's violation.
    """

    def __init__(
        self,
        desk: Desk,
        journal: Journal,
        calendar: Callable[[], BusinessCalendar],
        accounts: PayoutAccounts | None = None,
        holds: Holds = nothing_holds,
    ) -> None:
        self.accounts: PayoutAccounts = accounts or NoAccounts()
        self.holds = holds
        self._desk = desk
        self._registry = desk.registry
        self._journal = journal
        self.calendar = calendar
        held = [row for row in self._registry.payouts.values() if row.state == "held"]
        self._unjudged = {row.merchant_id for row in held if UNTIL_REVIEWED.isdisjoint(reasons_of(row))}

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
            steps: list[_Step] = []
            for currency in sorted({row.currency for row in waiting if row.due_at_ms <= now_ms}):
                due = [row for row in waiting if row.due_at_ms <= now_ms or BELOW_ZERO in reasons_of(row)]
                steps += self._steps_when_due([row for row in due if row.currency == currency], now_ms)
            return _written(steps)

        await self._desk.act(HOST, "payout.make", Subject(f"payouts of {merchant_id}", merchant_id), decide)

    def _steps_when_due(self, due: Sequence[PayoutRow], now_ms: int) -> list[_Step]:
        """What becomes of a merchant's payouts of one currency. Where one is below zero, all that are due go together,
        with what was carried over: to one account if they come to zero or more, else they wait for the next day."""
        today = self._local_day(now_ms)
        judged = [(row, self._paying(row, today)) for row in due]
        steps = [_held(row, reasons, now_ms) for row, paying in judged if (reasons := self._reasons(row, paying))]
        free = [(row, paying) for row, paying in judged if not self._reasons(row, paying)]
        if all(row.net_minor >= 0 for row, _ in free):
            return steps + [_made(row, paying, now_ms) for row, paying in free]
        if sum(row.net_minor for row, _ in free) >= 0:
            largest = max(free, key=lambda pair: pair[0].net_minor)[1]
            return steps + [_made(row, largest, now_ms) for row, _ in free]
        calendar = self.calendar()
        day = calendar.next_business_day(today)
        at_ms = calendar.payout_time_ms(day)
        return steps + [_carried_over(row, day, at_ms, now_ms) for row, _ in free]

    # -- what people do

    async def hold(self, actor: Actor, payout_id: int, why: str) -> dict[str, Any]:
        """Keep a payout back until somebody releases it; gives it as the API shows it.

        Raises Refused, NotNow or NotKept.
        """
        return await self._act(
            actor, "payout.hold", payout_id, why, lambda row, now_ms: _held(row, [BY_OPERATOR], now_ms)
        )

    async def release(self, actor: Actor, payout_id: int, why: str) -> dict[str, Any]:
        """Let a held payout go on, as after the review of an out-of-balance batch; it is made when it is due.

        Raises Refused where account or terminal still hold it, NotNow or NotKept.
        """

        def step(row: PayoutRow, now_ms: int) -> _Step:
            state = PAYOUT.after(row.state, "release")
            remaining = self._reasons(row, self._paying(row, self._local_day(now_ms)))
            if remaining:
                text = f"payout {row.payout_id} is still held: {', '.join(remaining)}"
                raise Refused("still_held", text, reasons=remaining)
            return _Step(row, row._replace(state=state, reasons="[]", changed_at_ms=now_ms), "payout.released")

        return await self._act(actor, "payout.release", payout_id, why, step)

    async def give_back(self, actor: Actor, payout_id: int, why: str) -> dict[str, Any]:
        """End a held payout that its merchant does not get; raises Refused, NotNow or NotKept."""

        def step(row: PayoutRow, now_ms: int) -> _Step:
            state = PAYOUT.after(row.state, "return")
            return _Step(row, row._replace(state=state, changed_at_ms=now_ms), "payout.returned")

        return await self._act(actor, "payout.return", payout_id, why, step)

    async def judge_again(self, merchant_id: str, actor: Actor = HOST) -> None:
        """Hold or release a merchant's open payouts by what stands against them now; raises NotKept."""

        def decide(now_ms: int) -> Written:
            return _written(self.steps_of_judging(merchant_id, now_ms))

        await self._desk.act(actor, "payout.judge", Subject(f"payouts of {merchant_id}", merchant_id), decide)

    def steps_of_judging(self, merchant_id: str, now_ms: int) -> list[_Step]:
        """The steps of `judge_again`, for somebody who needs them in a commit of his own."""
        today = self._local_day(now_ms)
        steps = []
        for row in self._open(merchant_id):
            reasons = self._reasons(row, self._paying(row, today))
            lasting = [reason for reason in reasons_of(row) if reason in UNTIL_REVIEWED]
            if row.state == "held":
                if not reasons and not lasting:
                    freed = row._replace(state=PAYOUT.after(row.state, "release"), reasons="[]", changed_at_ms=now_ms)
                    steps.append(_Step(row, freed, "payout.released"))
                elif reasons_of(row) != [*lasting, *reasons]:
                    kept = row._replace(reasons=json.dumps([*lasting, *reasons]), changed_at_ms=now_ms)
                    steps.append(_Step(row, kept, "payout.held"))
            elif reasons:
                steps.append(_held(row, reasons, now_ms))
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
        self, actor: Actor, action: str, payout_id: int, why: str, step: Callable[[PayoutRow, int], _Step]
    ) -> dict[str, Any]:
        stored = await self.find(payout_id)

        def decide(now_ms: int) -> Written:
            made = step(self._now(stored), now_ms)
            return _written([made])._replace(
                before=self.view(made.before), after=self.view(made.after), answer=self.view(made.after)
            )

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
        mine = (row for row in self._registry.payouts.values() if row.merchant_id == merchant_id)
        return sorted(mine, key=lambda row: row.payout_id)

    def _paying(self, row: PayoutRow, today: date) -> Paying:
        return self.accounts.payout_account(row.merchant_id, product_of(row), today, row.net_minor)

    def _reasons(self, row: PayoutRow, paying: Paying) -> list[str]:
        book = self._registry.of_no(row.terminal_no)
        of_terminal = "" if book is None else self.holds(book)
        return [*([of_terminal] if of_terminal else []), *paying.hold_reasons]

    def _local_day(self, now_ms: int) -> date:
        return datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(self.calendar().time_zone).date()


class _Step:
    """One step of one payout: the row before and after, and its event."""

    __slots__ = ("after", "before", "event", "more")

    def __init__(self, before: PayoutRow, after: PayoutRow, event: str, more: dict[str, Any] | None = None) -> None:
        self.before = before
        self.after = after
        self.event = event
        self.more = more or {}


def reasons_of(row: PayoutRow) -> list[str]:
    """Why a payout is held, or waits."""
    reasons: list[str] = json.loads(row.reasons)
    return reasons


def product_of(row: PayoutRow) -> str:
    """The product of a payout of one; "" for several, and for a fixed charge."""
    products = {line.get("product", "") for line in json.loads(row.lines)}
    return str(products.pop()) if len(products) == 1 else ""


def told(row: PayoutRow) -> dict[str, Any]:
    """What the events of a payout say; by the state `verify` follows it."""
    return {
        "payout_id": row.payout_id,
        "state": row.state,
        "currency": row.currency,
        "net_minor": row.net_minor,
        "business_day": row.business_day,
        "due_day": row.due_day,
        "reasons": reasons_of(row),
        "account_id": row.account_id,
    }


def _written(steps: Iterable[_Step]) -> Written:
    made = list(steps)
    events = tuple(Told(step.event, step.after.terminal_no, {**told(step.after), **step.more}) for step in made)
    return Written(tuple(step.after for step in made), events)


def _made(row: PayoutRow, paying: Paying, now_ms: int) -> _Step:
    state = PAYOUT.after(row.state, "make")
    made = row._replace(state=state, account_id=paying.account_id, reasons="[]", changed_at_ms=now_ms)
    return _Step(row, made, "payout.made", {"account": paying.masked})


def _held(row: PayoutRow, reasons: Sequence[str], now_ms: int) -> _Step:
    state = PAYOUT.after(row.state, "hold")
    return _Step(row, row._replace(state=state, reasons=json.dumps(list(reasons)), changed_at_ms=now_ms), "payout.held")


def _carried_over(row: PayoutRow, day: date, at_ms: int, now_ms: int) -> _Step:
    carried = row._replace(
        state=PAYOUT.after(row.state, "carry_over"),
        due_day=day.isoformat(),
        due_at_ms=at_ms,
        reasons=json.dumps([BELOW_ZERO]),
        changed_at_ms=now_ms,
    )
    return _Step(row, carried, "payout.carried_over")
