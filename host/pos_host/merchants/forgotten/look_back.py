"""The daily look-back: after each business day, what was settled how, what was late and why, and whether books,
payouts and dry runs agree. The report is read from the journal between two look-backs, so it never changes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from pos_host.clock import iso_utc
from pos_host.journal import Journal, Question
from pos_host.ledger.dialect_names import dialect_named
from pos_host.ledger.entry import BatchRow
from pos_host.ledger.group_totals import sides_of
from pos_host.ledger.merchant_rows import PayoutRow, RecordRow
from pos_host.ledger.records import body_of, record
from pos_host.merchants.actors import HOST
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written
from pos_host.merchants.forgotten.look_back_reading import Closing, DryRun, Flagged, JournalReading
from pos_host.merchants.lives import Life
from pos_host.settlement.business_day import business_day
from pos_host.settlement.policy import Policy
from pos_specs.totals import Side

LOOK_BACK = "look_back"
"""Kind of its records; the id is the business day (ISO date)."""

LIFE = Life(LOOK_BACK, "due", {"due": {"make": "made"}, "made": {}})

AFTER_MS = 6 * 3_600_000
"""So long after the cut-off it is made: the host's own settlements are done, and nobody has come to work yet."""

ENTRIES_AT_ONCE = 5_000
"""Entries read in one go: a day of any size is read in little memory."""

OFFENDER_DAYS, OFFENDER_TIMES = 30, 3
"""A repeat offender was late in three of the last thirty look-backs: twice may be bad luck."""

LATE_KEPT = 1_000
"""Late terminals that the record of a day keeps for the look-backs after it; the report itself names all."""


class Settled(NamedTuple):
    """A closed batch with its money: debit and credit of the host's books, minor units of `currency`."""

    closing: Closing
    merchant_id: str
    terminal_id: str
    currency: str
    debit: Side
    credit: Side

    @property
    def net_minor(self) -> int:
        return self.debit.amount_minor - self.credit.amount_minor


class LookBack:
    """Makes the look-back of each business day of the acquirer's policy when it is due, and shows it."""

    def __init__(self, desk: Desk, journal: Journal, policy: Policy) -> None:
        self._desk = desk
        self._registry = desk.registry
        self._journal = journal
        self._policy = policy
        self._next: RecordRow | None = None
        for row in self._registry.records.of_kind(LOOK_BACK):
            self._note(row)
        self._registry.records.listen(LOOK_BACK, self._note)

    def next_due_ms(self) -> int | None:
        """When the next day is looked back on; None before the first terminal is there."""
        if self._next is not None:
            return self._next.due_at_ms
        since_ms = min((book.enrolled_at_ms for book in self._registry if book.enrolled), default=None)
        return None if since_ms is None else business_day(self._policy, since_ms).ends_at_ms + AFTER_MS

    async def act_on_due(self, now_ms: int) -> None:
        """Look back on the day that is due, up to now: days for which no host ran are in the one that was due."""
        due_ms = self.next_due_ms()
        if due_ms is None:
            return
        day = business_day(self._policy, due_ms - AFTER_MS - 1).date.isoformat()
        before = self._last_made(day)
        after = 0 if before is None else body_of(before)["through_sequence"]
        reading = await self._read(after, None, _flagged_of(before))
        body = {
            "after_sequence": after,
            "through_sequence": max(after, reading.through),
            "made_at": iso_utc(now_ms),
            "flagged": {str(no): list(flag) for no, flag in reading.flagged.items()},
            "late": sorted({closing.terminal_no for closing in reading.closings if closing.late})[:LATE_KEPT],
            "open_dry_runs": [list(run) for run in await self._still_open(before, reading.dry_runs)],
        }
        counts = Counter(closing.result for closing in reading.closings)
        told = {"date": day, "settled": dict(counts), "late": sum(bool(one.late) for one in reading.closings)}
        told["still_flagged"] = len(reading.flagged)

        def decide(now_ms: int) -> Written:
            made = record(LOOK_BACK, day, "", LIFE.after("due", "make"), now_ms, body)
            following = business_day(self._policy, max(due_ms, now_ms) - AFTER_MS)
            day_after = following.date.isoformat()
            next_due_ms = following.ends_at_ms + AFTER_MS
            scheduled = record(LOOK_BACK, day_after, "", LIFE.initial, now_ms, {}, next_due_ms)
            return Written((made, scheduled), (Told("look_back.made", 0, told),), None, told)

        await self._desk.act(HOST, "look_back.make", Subject(f"business day {day}"), decide)

    def days(self) -> list[str]:
        """The business days that were looked back on, the latest first."""
        made = [row.record_id for row in self._registry.records.of_kind(LOOK_BACK) if row.state == "made"]
        return sorted(made, reverse=True)

    async def report(self, day: date | None = None) -> dict[str, Any]:
        """The look-back of a business day, by default of the latest; raises Refused (404) where there is none."""
        row = self._made(day)
        body = body_of(row)
        before = self._last_made(row.record_id)
        reading = await self._read(body["after_sequence"], body["through_sequence"], _flagged_of(before))
        settled = await self._with_money(reading.closings)
        dry_runs = [*_dry_runs_of(before), *reading.dry_runs]
        return {
            "date": row.record_id,
            "made_at": body["made_at"],
            "sequence": {"after": body["after_sequence"], "through": body["through_sequence"]},
            "settled": _by_way(settled),
            "not_settled": reading.not_settled,
            "reminders": reading.reminders,
            "late_totals": reading.late_totals,
            "late": [_late_view(one) for one in settled if one.closing.late],
            "causes": dict(Counter(one.closing.cause for one in settled if one.closing.late)),
            "still_flagged": [self._flag_view(no, flag) for no, flag in reading.flagged.items()],
            "repeat_offenders": self._offenders(row.record_id),
            "payouts": await self._beside_payouts(settled),
            "dry_run": [await self._beside_reality(run) for run in dry_runs],
        }

    async def settlements(self, day: date | None = None) -> tuple[str, list[dict[str, Any]]]:
        """The business day of a look-back and each of its settlements; raises Refused (404) where there is none."""
        row = self._made(day)
        body = body_of(row)
        flagged = _flagged_of(self._last_made(row.record_id))
        reading = await self._read(body["after_sequence"], body["through_sequence"], flagged)
        return row.record_id, [settlement_view(one) for one in await self._with_money(reading.closings)]

    # -- within

    def _note(self, row: RecordRow) -> None:
        if row.state == LIFE.initial:
            self._next = row

    def _made(self, day: date | None) -> RecordRow:
        records = self._registry.records
        days = self.days()
        row = records.find(LOOK_BACK, day.isoformat() if day is not None else days[0] if days else "")
        if row is None or row.state != "made":
            due_ms = self.next_due_ms()
            when = "" if due_ms is None else f"; the next is made at {iso_utc(due_ms)}"
            raise Refused("not_there", f"no look-back{f' of {day}' if day else ''}{when}", status=404)
        return row

    def _last_made(self, day: str) -> RecordRow | None:
        """The look-back before that of `day`."""
        earlier = next((known for known in self.days() if known < day), None)
        return None if earlier is None else self._registry.records.find(LOOK_BACK, earlier)

    async def _read(self, after: int, through: int | None, flagged: dict[int, Flagged]) -> JournalReading:
        reading = JournalReading(flagged)
        while through is None or after < through:
            most = ENTRIES_AT_ONCE if through is None else min(ENTRIES_AT_ONCE, through - after)
            page = await self._journal.entries_after(after, most)
            for stored in page:
                reading.take(stored)
            if len(page) < most:
                break
            after = page[-1].sequence
        return reading

    async def _with_money(self, closings: Iterable[Closing]) -> list[Settled]:
        settled = []
        for closing in closings:
            row, book = await self._journal.batch(closing.batch_id), self._registry.of_no(closing.terminal_no)
            if row is None or book is None:
                continue
            debit, credit = _sides(row)
            settled.append(Settled(closing, book.merchant_id, book.terminal_id, row.currency, debit, credit))
        return settled

    async def _beside_payouts(self, settled: list[Settled]) -> dict[str, Any]:
        """The settled money beside what is to be paid of it, before fees."""
        differences = []
        for one in settled:
            if not one.debit.count and not one.credit.count:
                continue
            found = await self._journal.select(Question(PayoutRow, {"payout_id": one.closing.batch_id}, limit=1))
            paid_minor = found[0].captured_minor - found[0].refunded_minor if found else None
            if paid_minor != one.net_minor:
                where = {"batch_id": one.closing.batch_id, "terminal_id": one.terminal_id}
                differences.append({**where, "books_minor": one.net_minor, "payout_minor": paid_minor})
        return {"checked": len(settled), "differences": differences}

    async def _beside_reality(self, run: DryRun) -> dict[str, Any]:
        """What a dry run would have settled beside what became of that batch since."""
        row, book = await self._journal.batch(run.batch_id), self._registry.of_no(run.terminal_no)
        closed = row is not None and row.state == "settled"
        net_minor = None
        if row is not None and closed:
            debit, credit = _sides(row)
            net_minor = debit.amount_minor - credit.amount_minor
        return {
            "terminal_id": "" if book is None else book.terminal_id,
            "merchant_id": "" if book is None else book.merchant_id,
            "batch_id": run.batch_id,
            "batch_number": run.number,
            "business_day": run.business_day,
            "would_settle_minor": run.net_minor,
            "settled_minor": net_minor,
            "result": row.result if row is not None and closed else None,
            "settled_at": iso_utc(row.closed_at_ms) if row is not None and closed else None,
            "same": net_minor == run.net_minor if closed else None,
        }

    async def _still_open(self, before: RecordRow | None, runs: list[DryRun]) -> list[DryRun]:
        """The dry runs whose batches are open still: the next look-back tells of them again."""
        left = []
        for run in [*_dry_runs_of(before), *runs]:
            row = await self._journal.batch(run.batch_id)
            if row is not None and row.state != "settled":
                left.append(run)
        return left

    def _offenders(self, day: str) -> list[dict[str, Any]]:
        """Terminals that were late again and again, the worst first."""
        days = [known for known in self.days() if known <= day][:OFFENDER_DAYS]
        times: Counter[int] = Counter()
        for known in days:
            row = self._registry.records.find(LOOK_BACK, known)
            times.update([] if row is None else body_of(row)["late"])
        found = []
        for number, count in sorted(times.items(), key=lambda pair: (-pair[1], pair[0])):
            book = self._registry.of_no(number)
            if count >= OFFENDER_TIMES and book is not None:
                found.append({"merchant_id": book.merchant_id, "terminal_id": book.terminal_id, "times_late": count})
        return found

    def _flag_view(self, terminal_no: int, flag: Flagged) -> dict[str, Any]:
        book = self._registry.of_no(terminal_no)
        return {
            "merchant_id": "" if book is None else book.merchant_id,
            "terminal_id": "" if book is None else book.terminal_id,
            "severity": flag.severity,
            "since": flag.since,
            "reasons": list(flag.reasons),
        }


def settlement_view(one: Settled) -> dict[str, Any]:
    """One settlement as a row of the report."""
    closing = one.closing
    return {
        "merchant_id": one.merchant_id,
        "terminal_id": one.terminal_id,
        "batch_id": closing.batch_id,
        "batch_number": closing.number,
        "settled_at": iso_utc(closing.at_ms),
        "by": closing.by,
        "result": closing.result,
        "differences": closing.differences,
        "debit": one.debit._asdict(),
        "credit": one.credit._asdict(),
        "net_minor": one.net_minor,
        "currency": one.currency,
        "late": closing.late or None,
        "cause": closing.cause or None,
    }


def _late_view(one: Settled) -> dict[str, Any]:
    view = settlement_view(one)
    return {name: view[name] for name in view if name not in ("debit", "credit", "differences")}


def _by_way(settled: list[Settled]) -> list[dict[str, Any]]:
    """How many batches, and how much, by who settled, result and currency."""
    sums: dict[tuple[str, str, str], list[int]] = {}
    for one in settled:
        found = sums.setdefault((one.closing.by, one.closing.result, one.currency), [0, 0])
        found[0] += 1
        found[1] += one.net_minor
    return [
        {"by": by, "result": result, "currency": currency, "batches": count, "net_minor": net_minor}
        for (by, result, currency), (count, net_minor) in sorted(sums.items())
    ]


def _sides(row: BatchRow) -> tuple[Side, Side]:
    groups = {name: Side(*side) for name, side in json.loads(row.host_totals or "{}").items()}
    return sides_of(dialect_named(row.dialect).totals_kind, groups)


def _flagged_of(row: RecordRow | None) -> dict[int, Flagged]:
    kept = {} if row is None else body_of(row)["flagged"]
    return {int(no): Flagged(*flag)._replace(reasons=tuple(flag[3])) for no, flag in kept.items()}


def _dry_runs_of(row: RecordRow | None) -> list[DryRun]:
    return [] if row is None else [DryRun(*run) for run in body_of(row)["open_dry_runs"]]
