"""The payout of a batch, written in the commit that closes it, whoever closes it; and that of what came late."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from pos_host.ledger.book import Batch, Book
from pos_host.ledger.entry import LATE_NOTICE, PAYOUT, BatchRow, Entry, HostSettlementRow, Row
from pos_host.ledger.group_totals import sides
from pos_host.ledger.late_differences import late_difference
from pos_host.ledger.late_notices import as_told
from pos_host.ledger.merchant_rows import PayoutRow, RecordRow
from pos_host.ledger.records import Records, body_of, record
from pos_host.money.agreed import Terms
from pos_host.money.payout_numbers import late_payout_id
from pos_host.settlement.policy import Policy

if TYPE_CHECKING:
    from pos_host.money.captured import Captured
    from pos_host.money.fee_schedule import FeeSchedule
    from pos_host.money.payout import ChargedDay, PayoutAmounts

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

    def __init__(self, terms: Terms, records: Records) -> None:
        self.terms = terms
        self._records = records

    def added(self, book: Book, entries: tuple[Entry, ...], rows: tuple[Row, ...]) -> Written:
        """The same entries and rows, and the payouts of the batches that they close, and of what they tell of late;
        and where they dispute a batch that is paid, or will be, the record by which that is looked at."""
        closing = [row for row in rows if isinstance(row, BatchRow) and row.state == "settled"]
        for row in closing:
            batch = book.batch_of_id(row.batch_id)
            if batch is not None and not batch.closed:
                more_entries, more_rows = self._payout(book, batch, row, _host_day(rows, row.batch_id))
                entries, rows = (*entries, *more_entries), (*rows, *more_rows)
            elif batch is not None:
                disputed = late_difference(book, batch, row, entries[0].at_ms)
                rows = rows if disputed is None else (*rows, disputed)
        for entry in [entry for entry in entries if entry.kind == LATE_NOTICE]:
            more_entries, more_rows = self._late_payout(book, entry)
            entries, rows = (*entries, *more_entries), (*rows, *more_rows)
        return entries, rows

    def _payout(self, book: Book, batch: Batch, closed: BatchRow, host_day: str) -> Written:
        from pos_host.money.captured import captured_in
        from pos_host.settlement.business_day import business_date

        captured = captured_in(batch, self._charged_schedule)
        if not captured:
            return (), ()
        policy, at_ms = self.terms.policy_of(book), closed.closed_at_ms
        worked = self._worked(book, captured, policy, batch.currency)
        reasons = _reasons(batch, closed, policy, worked.amounts)
        day = date.fromisoformat(host_day) if host_day else business_date(policy, at_ms)
        row = self._row(book, batch.batch_id, at_ms, worked, reasons, day)
        return (payout_entry(row, batch.batch_id, worked.days),), (row, *self._schedule_rows(worked.days, at_ms))

    def _late_payout(self, book: Book, entry: Entry) -> Written:
        """What an upload alone told of in a batch the host had settled is paid for from the day it was told on."""
        from pos_host.money.captured import captured_late
        from pos_host.settlement.business_day import business_date

        batch = book.batch_of_id(entry.batch_id)
        if batch is None:
            return (), ()
        policy = self.terms.policy_of(book)
        captured = captured_late(batch, as_told(entry), self._charged_schedule)
        worked = self._worked(book, captured, policy, entry.currency)
        reasons = [NO_FEE_RULE] if worked.amounts.unpriced else []
        number = late_payout_id(batch.batch_id, len(batch.late) + 1)
        row = self._row(book, number, entry.at_ms, worked, reasons, business_date(policy, entry.at_ms))
        return (payout_entry(row, batch.batch_id, worked.days),), (
            row,
            *self._schedule_rows(worked.days, entry.at_ms),
        )

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

    def _row(self, book: Book, number: int, at_ms: int, worked: Worked, reasons: list[str], day: date) -> PayoutRow:
        calendar, amounts = self.terms.calendar_of(book.merchant_id, day), worked.amounts
        return PayoutRow(
            payout_id=number,
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
            changed_at_ms=at_ms,
            reasons=json.dumps(reasons),
            lines=json.dumps([line._asdict() for line in amounts.lines]),
        )

    def _charged_schedule(self, digest: str) -> FeeSchedule | None:
        """A schedule by which something was charged before."""
        from pos_host.money.stored_schedule import CHARGED_SCHEDULE, schedule_of

        row = self._records.find(CHARGED_SCHEDULE, digest)
        return None if row is None else schedule_of(body_of(row))

    def _schedule_rows(self, days: list[ChargedDay], at_ms: int) -> list[RecordRow]:
        """The schedules that the store does not have yet: by them `verify` works the fees out again."""
        from pos_host.money.stored_schedule import CHARGED_SCHEDULE, stored

        made = {kept.digest: kept.body for kept in (stored(day.schedule) for day in days)}
        new = [digest for digest in made if self._records.find(CHARGED_SCHEDULE, digest) is None]
        return [record(CHARGED_SCHEDULE, digest, "", "charged", at_ms, made[digest]) for digest in new]


def payout_entry(row: PayoutRow, batch_id: int, days: list[ChargedDay]) -> Entry:
    """The entry that tells of a new payout; with its days and their schedules `verify` works it out again."""
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
    return Entry(PAYOUT, row.terminal_no, batch_id, row.changed_at_ms, currency=row.currency, detail=json.dumps(detail))


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


def _reasons(batch: Batch, closed: BatchRow, policy: Policy, amounts: PayoutAmounts) -> list[str]:
    """An upload that the host ended may have differed already."""
    debit_minor = sides(batch)[0].amount_minor
    low, high = policy.min_amount_minor, policy.max_amount_minor
    found = {
        OUT_OF_BALANCE: closed.result == "out_of_balance" or bool(json.loads(closed.discrepancies or "[]")),
        BELOW_MINIMUM: low is not None and debit_minor < low,
        ABOVE_MAXIMUM: high is not None and debit_minor > high,
        NO_FEE_RULE: amounts.unpriced > 0,
    }
    return [reason for reason, holds in found.items() if holds]
