"""The payout of a batch, written in the commit that closes it, whoever closes it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from pos_host.ledger.book import Batch, Book
from pos_host.ledger.entry import BatchRow, Entry, HostSettlementRow, Row
from pos_host.ledger.group_totals import sides
from pos_host.ledger.merchant_rows import PayoutRow, RecordRow
from pos_host.ledger.records import Records, record
from pos_host.money.agreed import Terms
from pos_host.settlement.policy import Policy

if TYPE_CHECKING:
    from pos_host.money.business_calendar import BusinessCalendar
    from pos_host.money.captured import Captured
    from pos_host.money.payout import ChargedDay, PayoutAmounts

PAYOUT = "payout"
"""Kind of the entry that tells what a closed batch pays; the row of its name is made of it."""

OUT_OF_BALANCE = "out_of_balance"
BELOW_MINIMUM = "amount_below_minimum"
ABOVE_MAXIMUM = "amount_above_maximum"
NO_FEE_RULE = "no_fee_rule"
"""Why a payout is held from the beginning: somebody has to review the batch."""

Written = tuple[tuple[Entry, ...], tuple[Row, ...]]


class Worked(NamedTuple):
    """What a batch pays, the days its sales were made on, and the currency."""

    amounts: PayoutAmounts
    days: list[ChargedDay]
    currency: str


class PayoutsAtClose:
    """Adds to what closes a batch the payout of that batch. What fees and calendars need is loaded with the first."""

    def __init__(self, terms: Terms, records: Records, calendar: BusinessCalendar | None = None) -> None:
        self.terms = terms
        self._records = records
        self._calendar = calendar

    def added(self, book: Book, entries: tuple[Entry, ...], rows: tuple[Row, ...]) -> Written:
        """The same entries and rows, and the payouts of the batches that they close."""
        closing = [row for row in rows if isinstance(row, BatchRow) and row.state == "settled"]
        for row in closing:
            batch = book.batch_of_id(row.batch_id)
            if batch is not None and not batch.closed:
                more_entries, more_rows = self._payout(book, batch, row, _host_day(rows, row.batch_id))
                entries, rows = (*entries, *more_entries), (*rows, *more_rows)
        return entries, rows

    def _payout(self, book: Book, batch: Batch, closed: BatchRow, host_day: str) -> Written:
        from pos_host.money.captured import captured_in
        from pos_host.settlement.business_day import business_date

        captured = captured_in(batch)
        if not captured:
            return (), ()
        policy, at_ms = self.terms.policy_of(book), closed.closed_at_ms
        worked = self._worked(book, captured, policy, batch.currency)
        reasons = _reasons(batch, closed.result, policy, worked.amounts)
        day = date.fromisoformat(host_day) if host_day else business_date(policy, at_ms)
        row = self._row(book, closed, worked, reasons, day)
        return (payout_entry(row, worked.days),), (row, *self._schedule_rows(worked.days, at_ms))

    def _worked(self, book: Book, captured: Captured, policy: Policy, currency: str) -> Worked:
        from pos_host.money.payout import payout_amounts

        letters = letters_of(currency)
        days = self._days(book, captured.instants_ms(), policy)
        return Worked(payout_amounts(letters, *captured, days), days, currency)

    def _days(self, book: Book, instants_ms: Iterable[int], policy: Policy) -> list[ChargedDay]:
        """The business days of these instants, in order, each with the schedule that holds on it."""
        from pos_host.money.payout import ChargedDay
        from pos_host.settlement.business_day import business_day

        days: list[ChargedDay] = []
        ends_at_ms = 0
        for at_ms in sorted(instants_ms):
            if at_ms >= ends_at_ms:
                day, begins_at_ms, ends_at_ms = business_day(policy, at_ms)
                schedule = self.terms.schedule_of(book.merchant_id, day, book.terminal_id)
                days.append(ChargedDay(day, begins_at_ms, schedule))
        return days

    def _row(self, book: Book, closed: BatchRow, worked: Worked, reasons: list[str], day: date) -> PayoutRow:
        calendar, amounts = self.calendar, worked.amounts
        return PayoutRow(
            payout_id=closed.batch_id,
            terminal_no=book.terminal_no,
            merchant_id=book.merchant_id,
            state="held" if reasons else "pending",
            currency=worked.currency,
            business_day=day.isoformat(),
            due_day=calendar.payout_day(day).isoformat(),
            due_at_ms=calendar.payout_due_ms(day),
            captured_minor=amounts.captured_minor,
            refunded_minor=amounts.refunded_minor,
            fees_minor=amounts.fees_minor,
            charges_minor=0,
            net_minor=amounts.net_minor,
            account_id="",
            changed_at_ms=closed.closed_at_ms,
            reasons=json.dumps(reasons),
            lines=json.dumps([line._asdict() for line in amounts.lines]),
        )

    def _schedule_rows(self, days: list[ChargedDay], at_ms: int) -> list[RecordRow]:
        """The schedules that the store does not have yet: by them `verify` works the fees out again."""
        from pos_host.money.stored_schedule import CHARGED_SCHEDULE, stored

        made = {kept.digest: kept.body for kept in (stored(day.schedule) for day in days)}
        new = [digest for digest in made if self._records.find(CHARGED_SCHEDULE, digest) is None]
        return [record(CHARGED_SCHEDULE, digest, "", "charged", at_ms, made[digest]) for digest in new]

    @property
    def calendar(self) -> BusinessCalendar:
        """The days on which payouts are made."""
        if self._calendar is None:
            from pos_host.money.business_calendar import shipped_calendar

            self._calendar = shipped_calendar()
        return self._calendar


def payout_entry(row: PayoutRow, days: list[ChargedDay]) -> Entry:
    """The entry that tells of a new payout; with its days and their schedules it can be worked out again."""
    from pos_host.money.stored_schedule import stored

    detail = {
        "payout_id": row.payout_id,
        "state": row.state,
        "reasons": json.loads(row.reasons),
        "business_day": row.business_day,
        "due_day": row.due_day,
        "due_at_ms": row.due_at_ms,
        "captured_minor": row.captured_minor,
        "refunded_minor": row.refunded_minor,
        "fees_minor": row.fees_minor,
        "charges_minor": row.charges_minor,
        "net_minor": row.net_minor,
        "lines": json.loads(row.lines),
        "days": [[day.day.isoformat(), day.begins_at_ms, stored(day.schedule).digest] for day in days],
    }
    return Entry(
        PAYOUT, row.terminal_no, row.payout_id, row.changed_at_ms, currency=row.currency, detail=json.dumps(detail)
    )


def letters_of(currency: str) -> str:
    """The letters of a currency's number; of an unknown one the number, so that only rules for any currency apply."""
    from pos_specs.currencies import MoneyError, find_currency

    try:
        return find_currency(currency).code
    except MoneyError:
        return currency


def _host_day(rows: tuple[Row, ...], batch_id: int) -> str:
    """The business day that the host's own settlement ended; "" where the batch was not closed by its schedule."""
    judged = [row for row in rows if isinstance(row, HostSettlementRow) and row.batch_id == batch_id]
    return judged[0].business_day if judged else ""


def _reasons(batch: Batch, result: str, policy: Policy, amounts: PayoutAmounts) -> list[str]:
    debit_minor = sides(batch)[0].amount_minor
    low, high = policy.min_amount_minor, policy.max_amount_minor
    found = {
        OUT_OF_BALANCE: result == "out_of_balance",
        BELOW_MINIMUM: low is not None and debit_minor < low,
        ABOVE_MAXIMUM: high is not None and debit_minor > high,
        NO_FEE_RULE: amounts.unpriced > 0,
    }
    return [reason for reason, holds in found.items() if holds]
