"""Fixed charges, such as a monthly rent: each a payout below zero, due once, netted with what else is due."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from pos_host.journal import Journal
from pos_host.ledger.merchant_rows import PayoutRow, RecordRow
from pos_host.ledger.records import record
from pos_host.merchants.actors import HOST
from pos_host.merchants.desk import Desk, Subject, Told, Written
from pos_host.money.agreed import Terms
from pos_host.money.payout_numbers import charge_payout_id

if TYPE_CHECKING:
    from pos_host.money.business_calendar import BusinessCalendar
    from pos_host.money.fees import DueCharge

CHARGE = "charge"
"""Kind of the records of charges taken; the id counts them."""

CHARGED_THROUGH = "charged_through"
"""The journal's mark of the last day whose charges were taken, as the days' ordinal."""

FIXED_CHARGE = "fixed_charge"
"""What stands for the product in the line of a charge."""

LOOKED_BACK_DAYS = 400
"""A host that stood still for longer than a year takes what fell due in the last of it: older charges are for people
to talk about."""


class Charges:
    """Takes the charges of each day at its payout time, from every merchant whose schedule has them that day.

    `calendar` is the acquirer's at an instant (UTC milliseconds); a charge falls due by the merchant's own.

    A charge has a record of its own that names merchant, charge and day, in the same commit as its payout, so that it
    is taken once whatever is looked at again.
    """

    def __init__(self, desk: Desk, journal: Journal, terms: Terms, calendar: Callable[[int], BusinessCalendar]) -> None:
        self._desk = desk
        self._journal = journal
        self._terms = terms
        self._calendar = calendar
        self._through: date | None = None

    def next_due_ms(self) -> int | None:
        """The payout time of the day after the last one that was looked at; 0 before the store was asked for it."""
        return 0 if self._through is None else self._due_ms(self._through + timedelta(1))

    async def act_on_due(self, now_ms: int) -> None:
        """Take the charges of all days that have come since."""
        today = self._day(now_ms)
        if self._through is None:
            kept = await self._journal.get_mark(CHARGED_THROUGH)
            self._through = date.fromordinal(kept) if kept else today - timedelta(1)
        until = today if self._due_ms(today) <= now_ms else today - timedelta(1)
        if until <= self._through:
            return
        begin = max(self._through, until - timedelta(LOOKED_BACK_DAYS))
        for merchant_id in self._merchants():
            await self._take(merchant_id, begin, until)
        await self._journal.set_mark(CHARGED_THROUGH, until.toordinal())
        self._through = until

    def _merchants(self) -> list[str]:
        """Those that have a terminal; what is closed pays no rent."""
        books = (book for book in self._desk.registry if book.enrolled)
        return sorted({book.merchant_id for book in books if book.merchant.status != "closed"})

    async def _take(self, merchant_id: str, after: date, until: date) -> None:
        due = list(self._due(merchant_id, after, until))
        if not due:
            return

        def decide(now_ms: int) -> Written:
            taken = {row.body for row in self._desk.records.of_kind(CHARGE, merchant_id)}
            new = [charge for charge in due if _body(charge) not in taken]
            first = int(self._desk.records.next_id(CHARGE))
            return _written(merchant_id, new, first, due_ms, now_ms)

        def due_ms(day: date) -> int:
            return self._terms.calendar_of(merchant_id, day).payout_time_ms(day)

        await self._desk.act(HOST, "payout.charge", Subject(f"charges of {merchant_id}", merchant_id), decide)

    def _due(self, merchant_id: str, after: date, until: date) -> Iterable[DueCharge]:
        """By the schedule of each day."""
        from pos_host.money.fees import charges_due

        for count in range(1, (until - after).days + 1):
            day = after + timedelta(count)
            yield from charges_due(self._terms.schedule_of(merchant_id, day), day - timedelta(1), day)

    def _due_ms(self, day: date) -> int:
        return self._terms.calendar_of("", day).payout_time_ms(day)

    def _day(self, now_ms: int) -> date:
        return datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(self._calendar(now_ms).time_zone).date()


def _body(charge: DueCharge) -> str:
    return json.dumps({"name": charge.name, "day": charge.day.isoformat()})


def _written(
    merchant_id: str, charges: list[DueCharge], first: int, due_ms: Callable[[date], int], now_ms: int
) -> Written:
    rows: list[RecordRow | PayoutRow] = []
    events: list[Told] = []
    for number, charge in enumerate(charges, first):
        body = {"name": charge.name, "day": charge.day.isoformat()}
        payout = _payout(merchant_id, charge, charge_payout_id(number), due_ms(charge.day), now_ms)
        rows += [record(CHARGE, str(number), merchant_id, "taken", now_ms, body), payout]
        told = {
            "payout_id": payout.payout_id,
            "charge": charge.name,
            "state": payout.state,
            "currency": payout.currency,
            "business_day": payout.business_day,
            "due_day": payout.due_day,
            "due_at_ms": payout.due_at_ms,
            "captured_minor": 0,
            "refunded_minor": 0,
            "fees_minor": 0,
            "charges_minor": payout.charges_minor,
            "net_minor": payout.net_minor,
            "reasons": [],
            "account_id": "",
            "lines": json.loads(payout.lines),
        }
        events.append(Told("payout.pending", 0, told))
    return Written(tuple(rows), tuple(events))


def _payout(merchant_id: str, charge: DueCharge, number: int, due_at_ms: int, now_ms: int) -> PayoutRow:
    from pos_specs.currencies import find_currency

    day = charge.day.isoformat()
    line = {"product": FIXED_CHARGE, "charge": charge.name, "charges_minor": charge.amount_minor}
    return PayoutRow(
        payout_id=number,
        terminal_no=0,
        merchant_id=merchant_id,
        state="pending",
        currency=find_currency(charge.currency).number,
        business_day=day,
        due_day=day,
        due_at_ms=due_at_ms,
        captured_minor=0,
        refunded_minor=0,
        fees_minor=0,
        charges_minor=charge.amount_minor,
        net_minor=-charge.amount_minor,
        account_id="",
        changed_at_ms=now_ms,
        reasons="[]",
        lines=json.dumps([line]),
    )
