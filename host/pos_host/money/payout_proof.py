"""Proves payouts from entries: what each batch pays, what became of it, and that it adds up for every merchant."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple

from pos_host.ledger.book import Batch
from pos_host.ledger.entry import PAYOUT, Entry
from pos_host.ledger.group_totals import sides
from pos_host.ledger.late_notices import as_told
from pos_host.ledger.merchant_rows import PayoutRow, RecordRow
from pos_host.money import payout_states
from pos_host.money.captured import Captured, captured_in, captured_late
from pos_host.money.destination import line_net_minor
from pos_host.money.fee_schedule import FeeSchedule
from pos_host.money.payout import ChargedDay, PayoutAmounts, payout_amounts
from pos_host.money.payout_at_close import letters_of
from pos_host.money.payout_numbers import batch_of_payout, late_payout_id
from pos_host.money.stored_schedule import CHARGED_SCHEDULE, digest_of, schedule_of

TELLING = ("state", "net_minor", "due_day", "due_at_ms", "reasons", "account_id", "terminal_no", "currency")
"""What the last event of a payout says and its row must say too."""

Differs = Callable[..., None]


class Sums(NamedTuple):
    """A merchant's money of one business day and currency, in minor units; the last four by state of the payouts."""

    captured_minor: int = 0
    refunded_minor: int = 0
    fees_minor: int = 0
    charges_minor: int = 0
    paid_minor: int = 0
    pending_minor: int = 0
    held_minor: int = 0
    returned_minor: int = 0


STATE_SUMS = {
    "made": "paid_minor",
    "pending": "pending_minor",
    "released": "pending_minor",
    "held": "held_minor",
    "returned": "returned_minor",
}
"""In which sum a payout's net stands. A released one waits to be made, as a pending one does."""


class PayoutProof:
    """Takes the entries that speak of payouts, and compares what they make with the rows; `differs` is told of each
    difference with what it is about, a text, and where."""

    def __init__(self, payouts: Iterable[PayoutRow], records: Iterable[RecordRow], differs: Differs) -> None:
        self._rows = {row.payout_id: row for row in payouts}
        self._differs = differs
        self._told: dict[int, dict[str, Any]] = {}
        self._owed: set[int] = set()
        self._late: dict[int, Captured] = {}
        self._charges: set[tuple[str, str, str]] = set()
        self._captured: dict[tuple[str, str, str], list[int]] = {}
        self._schedules = self._read_schedules(records)

    def __len__(self) -> int:
        return len(self._rows)

    def closed(self, batch: Batch) -> None:
        """A batch was closed: what moved money in it has to be paid. One from before there were payouts was not."""
        captured = captured_in(batch)
        products = [sale.charged_as for sale in captured.sales] + [refund.charged_as for refund in captured.refunds]
        if any(products):
            self._owed.add(batch.batch_id)

    def told_late(self, batch: Batch, entry: Entry) -> None:
        """A late notice that is about to be applied to its closed batch: it has to be paid for, beside that."""
        number = late_payout_id(batch.batch_id, len(batch.late) + 1)
        self._late[number] = captured_late(batch, as_told(entry), self._schedules.get)
        self._owed.add(number)

    def batch_pays(self, batch: Batch, entry: Entry, merchant_id: str) -> None:
        """The entry that tells what a closed batch pays, or what came late beside it; raises KeyError, TypeError or
        ValueError if it cannot be read."""
        told = json.loads(entry.detail)
        late = self._late.get(told["payout_id"])
        number = batch.batch_id if late is None else told["payout_id"]
        self._owed.discard(number)
        if number in self._told:
            self._differs("payout", "a batch is paid twice", batch_id=batch.batch_id)
            return
        if told["payout_id"] != number or batch_of_payout(number) != batch.batch_id:
            self._differs("payout", "its entry names another batch", payout_id=number)
        where = {"terminal_no": entry.terminal_no, "currency": entry.currency}
        self._told[number] = {"account_id": "", **told, **where}
        captured = captured_in(batch, self._schedules.get) if late is None else late
        days = self._days(told["days"], number)
        if days is None:
            return
        if not days and captured.instants_ms():
            self._differs("payout", "the days of its sales are not there", payout_id=number)
            return
        made = payout_amounts(letters_of(entry.currency), *captured, days)
        self._compare_amounts(number, told, made)
        if late is None:
            self._compare_gross(batch, made)
        day = self._captured.setdefault((merchant_id, told["business_day"], entry.currency), [0, 0, 0, 0])
        for place, amount_minor in enumerate((made.captured_minor, made.refunded_minor, made.fees_minor)):
            day[place] += amount_minor

    def followed(self, told: dict[str, Any]) -> None:
        """An event of the desk: a fixed charge, which is a payout below zero, or a step of a payout that was there."""
        number = told["payout_id"]
        before = self._told.get(number)
        if "charge" in told:
            self._charged(told, before)
            return
        if before is None:
            self._differs("payout", "an event of a payout that no batch made", payout_id=number)
            return
        steps = payout_states.PAYOUT.table[before["state"]]
        same = told["state"] == before["state"] and bool(steps)  # why it is held may change; what ended has no events
        if not same and told["state"] not in steps.values():
            text = f"went from {before['state']} to {told['state']}, which no step does"
            self._differs("payout", text, payout_id=number)
        if told["due_day"] != before["due_day"] and "due_at_ms" not in told:
            before.pop("due_at_ms", None)  # a store of before its events told of the instant
        self._follow_lines(before, told)
        self._told[number] = {**before, **told}

    def _follow_lines(self, before: dict[str, Any], told: dict[str, Any]) -> None:
        """A payout that was made to several accounts names one for each line, and alters nothing else of them."""
        if "lines" not in told:
            return
        lines = [{name: value for name, value in line.items() if name != "account_id"} for line in told["lines"]]
        if lines != before["lines"]:
            self._differs("payout", "its lines are not those of its batch", payout_id=told["payout_id"])
        shares: dict[str, int] = {}
        for line in told["lines"]:
            of = line["account_id"]
            shares[of] = shares.get(of, 0) + line_net_minor(line)
        if {share["account_id"]: share["net_minor"] for share in told["shares"]} != shares:
            self._differs("payout", "its shares are not what its lines make", payout_id=told["payout_id"])
        if sum(shares.values()) != told["net_minor"]:
            self._differs("payout", "its shares are not the payout", payout_id=told["payout_id"])

    def _charged(self, told: dict[str, Any], before: dict[str, Any] | None) -> None:
        named = (told["merchant_id"], told["charge"], told["business_day"])
        if before is not None or named in self._charges:
            self._differs("payout", "a charge is taken twice", payout_id=told["payout_id"])
        if before is not None:
            return
        self._charges.add(named)
        self._told[told["payout_id"]] = {**told, "terminal_no": 0}
        key = (told["merchant_id"], told["business_day"], told["currency"])
        self._captured.setdefault(key, [0, 0, 0, 0])[3] += told["charges_minor"]

    def finish(self) -> None:
        """Compare the rows with what the entries made, and the sums of each merchant and day."""
        for number in sorted(self._owed):
            what = "a late notice" if number in self._late else "a closed batch with money"
            self._differs("payout", f"{what} has none", batch_id=batch_of_payout(number))
        for number in sorted(self._rows.keys() | self._told.keys()):
            self._compare_row(number, self._rows.get(number), self._told.get(number))
        self._compare_days()

    def _compare_amounts(self, number: int, told: dict[str, Any], made: PayoutAmounts) -> None:
        lines = [line._asdict() for line in made.lines]
        recomputed = {
            "captured_minor": made.captured_minor,
            "refunded_minor": made.refunded_minor,
            "fees_minor": made.fees_minor,
            "net_minor": made.net_minor,
            "lines": lines,
        }
        for name, value in recomputed.items():
            if told[name] != value:
                where = {"payout_id": number, "stored": told[name], "recomputed": value}
                self._differs("payout", f"{name} is not what the transactions make", **where)

    def _compare_gross(self, batch: Batch, made: PayoutAmounts) -> None:
        debit, credit = sides(batch)
        if made.captured_minor - made.refunded_minor != debit.amount_minor - credit.amount_minor:
            self._differs("payout", "gross is not what the batch's totals say", payout_id=batch.batch_id)

    def _compare_row(self, number: int, row: PayoutRow | None, told: dict[str, Any] | None) -> None:
        if row is None or told is None:
            text = "the entries have a payout that is not there" if row is None else "no entry tells of it"
            self._differs("payout", text, payout_id=number)
            return
        stored: dict[str, Any] = {**row._asdict(), "reasons": json.loads(row.reasons), "lines": json.loads(row.lines)}
        amounts = ("captured_minor", "refunded_minor", "fees_minor", "charges_minor", "business_day", "lines")
        for name in (*TELLING, *amounts):
            if name in told and stored[name] != told[name]:
                where = {"payout_id": number, "stored": stored[name], "told": told[name]}
                self._differs("payout", f"{name} is not what its entries say", **where)

    def _compare_days(self) -> None:
        """captured − refunded − fees − charges = paid + pending + held + returned, for every merchant and day."""
        of_rows = sums_by(self._rows.values(), lambda row: (row.merchant_id, row.business_day, row.currency))
        for key in sorted(of_rows.keys() | self._captured.keys()):
            captured, refunded, fees, charges = self._captured.get(key, [0, 0, 0, 0])
            owed_minor = captured - refunded - fees - charges
            kept_minor = sum(of_rows.get(key, Sums())[4:])
            if owed_minor != kept_minor:
                where = dict(zip(("merchant_id", "business_day", "currency"), key, strict=True))
                self._differs("payouts of a day", f"owed {owed_minor}, paid or kept {kept_minor}", **where)

    def _days(self, told: list[list[Any]], batch_id: int) -> list[ChargedDay] | None:
        days = []
        for day, begins_at_ms, digest in told:
            schedule = self._schedules.get(digest)
            if schedule is None:
                self._differs("payout", f"its fee schedule {digest} is not there", payout_id=batch_id)
                return None
            days.append(ChargedDay(date.fromisoformat(day), begins_at_ms, schedule))
        return days

    def _read_schedules(self, records: Iterable[RecordRow]) -> dict[str, FeeSchedule]:
        found: dict[str, FeeSchedule] = {}
        for row in records:
            if row.kind != CHARGED_SCHEDULE:
                continue
            try:
                body = json.loads(row.body)
                if digest_of(body) != row.record_id:
                    self._differs("fee schedule", "is not what was charged by", schedule=row.record_id)
                found[row.record_id] = schedule_of(body)
            except (ValueError, KeyError, TypeError, ArithmeticError):
                self._differs("fee schedule", "cannot be read", schedule=row.record_id)
        return found


def sums_by(
    rows: Iterable[PayoutRow], key_of: Callable[[PayoutRow], tuple[str, str, str]]
) -> dict[tuple[str, str, str], Sums]:
    """The sums of payouts by whatever `key_of` says of each."""
    found: dict[tuple[str, str, str], list[int]] = {}
    places = {name: place for place, name in enumerate(Sums._fields)}
    for row in rows:
        sums = found.setdefault(key_of(row), [0] * len(Sums._fields))
        for name in ("captured_minor", "refunded_minor", "fees_minor", "charges_minor"):
            sums[places[name]] += getattr(row, name)
        sums[places[STATE_SUMS[row.state]]] += row.net_minor
    return {key: Sums(*sums) for key, sums in found.items()}


def speaks_of_payouts(told: dict[str, Any]) -> bool:
    """Whether an event of the desk is one of a payout."""
    return str(told.get("type", "")).startswith(f"{PAYOUT}.")
