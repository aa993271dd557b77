"""`pos-host verify`: every total, state and result worked out again from the entries alone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Protocol

from pos_host.journal import RowType, StoredEntry
from pos_host.ledger.authorisations import after, after_reversal, authorisation_no_of
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.dialect_names import dialect_named
from pos_host.ledger.entry import (
    APPROVALS,
    FINANCIAL,
    LATE_NOTICE,
    LATE_TOTALS,
    PAYOUT,
    SETTLED_BY_HOST,
    AuthorisationRow,
    BatchRow,
    Entry,
    FlagRow,
    HostSettlementRow,
    TerminalRow,
)
from pos_host.ledger.group_totals import totals_of
from pos_host.ledger.host_settlement import host_settlement_row, is_scheduled
from pos_host.ledger.late_notices import as_told
from pos_host.ledger.merchant_rows import AuditRow, PayoutRow, RecordChangeRow, RecordRow
from pos_host.ledger.posting import BooksDamaged, apply_entry, still_remembered
from pos_host.ledger.reconciliation import differences, hypercom_balanced, iso87_balanced, unionpay_codes
from pos_host.ledger.record_trail import TrailFindings, compared
from pos_host.merchants.audit import broken_links
from pos_host.merchants.desk import OFFICE
from pos_host.merchants.long_numbers import without_foreign_numbers
from pos_host.money.payout_proof import PayoutProof, speaks_of_payouts
from pos_specs.totals import BALANCED, Side, Totals

AFTER_UPLOAD = ("balanced_after_upload", "out_of_balance")
"""Results that the end of an upload gives (ISO 1987, which has none, gives the second at once)."""

UNREADABLE = (BooksDamaged, ValueError, KeyError, TypeError)
"""What an entry or a row raises that is not what the host writes."""

Found = set[tuple[str, str]]
"""Differences between terminal and host, by STAN and kind."""


class RowsOf(Protocol):
    """Gives every row of a table of the store, in the order of its key."""

    def __call__(self, table: type[RowType], /) -> Iterable[RowType]: ...


class Verifier:
    """Takes rows, then all entries in order, and lists what does not agree.

    Of each terminal only the batches that a book remembers are kept, so a store of any size fits in memory.
    `record_trail` is False for a store of before there was one: its records are not covered, and counted as such.
    """

    def __init__(self, rows_of: RowsOf, *, record_trail: bool = True) -> None:
        self.details: list[dict[str, Any]] = []
        self.transactions = 0
        self._rows = {row.batch_id: row for row in rows_of(BatchRow)}
        self._flags = {row.terminal_no: row for row in rows_of(FlagRow)}
        self._authorisations = {row.authorisation_no: row for row in rows_of(AuthorisationRow)}
        self._host_settlements = {row.terminal_no: row for row in rows_of(HostSettlementRow)}
        self._audit = rows_of(AuditRow)
        self._told_digests: dict[int, str] = {}
        self._made_host_settlements: dict[int, HostSettlementRow] = {}
        self._made_authorisations: dict[int, AuthorisationRow] = {}
        self._last_flags: dict[int, dict[str, Any]] = {}
        self._proofs: dict[int, Proof] = {}
        records = list(rows_of(RecordRow))
        self._payouts = PayoutProof(rows_of(PayoutRow), records, self._differs)
        self._trail = TrailFindings([], [], len(records))
        if record_trail:
            self._trail = compared(records, rows_of(RecordChangeRow))
        self._opened: set[int] = set()
        self._last_sequence = 0
        self._books = {
            row.terminal_no: Book(row.terminal_no, row.merchant_id, row.terminal_id, dialect_named(row.dialect))
            for row in rows_of(TerminalRow)
        }

    def take(self, stored: StoredEntry) -> None:
        """The next entry of the journal."""
        sequence, entry = stored
        if sequence != self._last_sequence + 1:
            self._differs("journal", f"entry {self._last_sequence + 1} is missing", sequence=sequence)
        self._last_sequence = sequence
        if entry.kind == OFFICE:
            self._follow_office(entry, sequence)
        if entry.terminal_no == 0:
            return
        book = self._books.get(entry.terminal_no)
        if book is None:
            self._differs("journal", "entry of a terminal that is not there", sequence=sequence)
            return
        try:
            self._take(book, entry, sequence)
        except UNREADABLE as error:
            reason = str(error) if isinstance(error, BooksDamaged) else f"entry cannot be read: {type(error).__name__}"
            self._differs("journal", reason, sequence=sequence)

    def finish(self) -> dict[str, Any]:
        """The report of the contract: number of differences, each of them, and what was checked; `not_covered` beside
        them where there is something that nothing in the store vouches for."""
        for book in self._books.values():
            if not book.batches or self._is_closed(book.batches[-1]):
                self._differs("terminal", "has no open batch", terminal_id=book.terminal_id)
            self._check_flag(book)
        for batch_id, proof in list(self._proofs.items()):
            self._check(batch_id, proof)
        self._check_authorisations()
        self._check_host_settlements()
        self._payouts.finish()
        self.details += [{"what": "audit", **found} for found in broken_links(self._audit, self._told_digests)]
        self._check_records()
        for batch_id, row in self._rows.items():
            if row.terminal_no not in self._books:
                self._differs("batch", "batch of a terminal that is not there", batch_id=batch_id)
            elif batch_id not in self._opened:
                self._differs("batch", "was never opened", batch_id=batch_id)
        checked = {"transactions": self.transactions, "batches": len(self._rows), "payouts": len(self._payouts)}
        report = {"differences": len(self.details), "details": self.details, "checked": checked}
        return {**report, "not_covered": {"records": self._trail.not_covered}} if self._trail.not_covered else report

    def _take(self, book: Book, entry: Entry, sequence: int) -> None:
        if entry.kind == "batch_opened":
            self._open(book, entry)
        elif entry.kind == "unsettled":
            self._last_flags[entry.terminal_no] = json.loads(entry.detail)
        elif is_scheduled(entry):
            self._follow_host_settlement(entry, sequence)
        proof = self._proofs.get(entry.batch_id)
        if proof is None:
            if entry.batch_id and entry.kind not in ("terminal_enrolled", "batch_opened"):
                self._differs("journal", "entry of a batch that is not there", sequence=sequence)
            return
        if entry.kind in FINANCIAL:
            self._check_financial(proof, entry, sequence)
        elif entry.kind == "batch_closed" and proof.closing is not None:
            self._differs("batch", "closed twice", sequence=sequence, batch_id=entry.batch_id)
        self._follow_authorisation(proof.batch, as_told(entry))
        if entry.kind == LATE_NOTICE:
            self._payouts.told_late(proof.batch, entry)
        apply_entry(book, entry, sequence)
        proof.take(entry)
        if entry.kind == "batch_closed":
            self._payouts.closed(proof.batch)
            self._forget_old(book)
        elif entry.kind == PAYOUT:
            self._payouts.batch_pays(proof.batch, entry, book.merchant_id)

    def _open(self, book: Book, entry: Entry) -> None:
        row = self._rows.get(entry.batch_id)
        if row is None:
            return
        if entry.batch_id in self._opened:
            self._differs("batch", "opened twice", batch_id=entry.batch_id)
            return
        self._opened.add(entry.batch_id)
        batch = Batch(row.batch_id, row.number, dialect_named(row.dialect), row.opened_at_ms)
        batch.settlement = json.loads(row.settlement or "{}")
        book.batches.append(batch)
        self._proofs[entry.batch_id] = Proof(batch)

    def _check_financial(self, proof: Proof, entry: Entry, sequence: int) -> None:
        self.transactions += 1
        if entry.key and entry.key in proof.batch.answers:
            self._differs("transaction", "posted twice", sequence=sequence, batch_id=entry.batch_id)
        if entry.outcome in APPROVALS and proof.closing is not None:
            self._differs("batch", "money posted after it closed", sequence=sequence, batch_id=entry.batch_id)

    def _forget_old(self, book: Book) -> None:
        closed = [batch for batch in book.batches if self._is_closed(batch)]
        kept = still_remembered([(batch.batch_id, self._result_of(batch)) for batch in closed])
        for batch in closed:
            if batch.batch_id not in kept:
                self._check(batch.batch_id, self._proofs[batch.batch_id])
                book.batches.remove(batch)

    def _result_of(self, batch: Batch) -> str:
        closing = self._proofs[batch.batch_id].closing or {}
        return str(closing.get("result", ""))

    def _follow_office(self, entry: Entry, sequence: int) -> None:
        """What the desk did: its audit row, and what became of a payout."""
        try:
            told = json.loads(entry.detail)
            if "audit_no" in told:
                self._told_digests[told["audit_no"]] = told["digest"]
            if speaks_of_payouts(told):
                self._payouts.followed(told)
        except UNREADABLE as error:
            self._differs("journal", f"entry cannot be read: {type(error).__name__}", sequence=sequence)

    def _follow_host_settlement(self, entry: Entry, sequence: int) -> None:
        """Each terminal and business day is judged once."""
        made = host_settlement_row(entry)
        before = self._made_host_settlements.get(entry.terminal_no)
        if before is not None and made.business_day <= before.business_day:
            self._differs("host settlement", f"business day {made.business_day} judged twice", sequence=sequence)
        self._made_host_settlements[entry.terminal_no] = made

    def _check_host_settlements(self) -> None:
        stored, made = self._host_settlements, self._made_host_settlements
        for terminal_no in sorted(stored.keys() | made.keys()):
            if stored.get(terminal_no) != made.get(terminal_no):
                book = self._books.get(terminal_no)
                terminal_id = "" if book is None else book.terminal_id
                self._differs("host settlement", "is not what its last entry says", terminal_id=terminal_id)

    def _check_records(self) -> None:
        """What stands in the merchants' records against what was written last; of their content nothing is told."""
        for (kind, record_id), text in self._trail.records:
            named = {"kind": without_foreign_numbers(str(kind)), "id": without_foreign_numbers(str(record_id))}
            self._differs("record", text, **named)
        self.details += [{"what": "record", **found} for found in self._trail.trail]

    def _is_closed(self, batch: Batch) -> bool:
        return self._proofs[batch.batch_id].closing is not None

    def _check(self, batch_id: int, proof: Proof) -> None:
        """What the batch's row says against what its entries make; the proof is done with then."""
        del self._proofs[batch_id]
        try:
            problems = proof.problems(self._rows[batch_id])
        except UNREADABLE as error:
            problems = [{"text": f"row cannot be read: {type(error).__name__}"}]
        for problem in problems:
            self._differs("batch", problem.pop("text"), batch_id=batch_id, **problem)

    def _follow_authorisation(self, batch: Batch, entry: Entry) -> None:
        """What an entry that is about to be applied makes of the authorisation it speaks of."""
        if entry.outcome not in APPROVALS:
            return
        made = self._made_authorisations
        if entry.kind == "reversal" and entry.original:
            original = batch.answers.get(entry.original)
            number = None if original is None or not original.captured else authorisation_no_of(original.entry)
            if original is not None and number is not None:
                made[number] = after_reversal(made[number], original.entry)
        elif entry.kind in FINANCIAL:
            number = authorisation_no_of(entry)
            if number is not None:
                made[number] = after(made.get(number), entry)

    def _check_authorisations(self) -> None:
        for number in sorted(self._authorisations.keys() | self._made_authorisations.keys()):
            stored, made = self._authorisations.get(number), self._made_authorisations.get(number)
            if stored != made:
                told = {"stored": _told(stored), "recomputed": _told(made)}
                self._differs("authorisation", "is not what its entries make", authorisation=number, **told)

    def _check_flag(self, book: Book) -> None:
        row = self._flags.get(book.terminal_no)
        told = self._last_flags.get(book.terminal_no, {})
        try:
            stored = (row.severity, json.loads(row.reasons)) if row is not None and row.severity else (None, [])
        except ValueError:
            stored = ("unreadable", [])
        if stored != (told.get("severity"), told.get("reasons", [])):
            self._differs("flag", "is not what its last entry says", terminal_id=book.terminal_id)

    def _differs(self, what: str, text: str, **where: Any) -> None:
        self.details.append({"what": what, "text": text, **where})


class Proof:
    """One batch made again from its entries, and what its row must say if they are right."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.begun = False
        self.closing: dict[str, Any] | None = None
        self.found: Found = set()
        self.found_at_close: Found = set()

    def take(self, entry: Entry) -> None:
        """An entry that was applied to the batch."""
        if entry.kind == "upload_begun":
            self.begun = True
        elif entry.kind == "batch_closed":
            self.closing = json.loads(entry.detail)
            if self.closing["result"] in AFTER_UPLOAD and self.batch.dialect.totals_kind != "iso87":
                self.found_at_close = _keys(differences(self.batch, complete=True))
            elif self.closing["result"] == SETTLED_BY_HOST and self.begun:
                self.found_at_close = _keys(differences(self.batch, complete=False))
            self.found |= self.found_at_close
        elif entry.kind == "batch_upload" and self.closing is not None:
            self.found |= _keys(differences(self.batch, complete=False))
        elif entry.kind == LATE_TOTALS and self.closing is not None:
            told = json.loads(entry.detail)
            if told["complete"]:
                self.found |= _keys(differences(self.batch, complete=True))
            if told["sent"]:
                self.closing["sent"] = told["sent"]

    def problems(self, row: BatchRow) -> list[dict[str, Any]]:
        """What `row` says otherwise, each with its `text`."""
        if self.closing is None:
            wanted = "uploading" if self.begun else "open"
            return [] if row.state == wanted else [{"text": f"state {row.state}, its entries say {wanted}"}]
        if row.state != "settled":
            return [{"text": f"state {row.state}, its entries say settled"}]
        problems = [
            {"text": f"{what} {told}, closed as {closed}"}
            for what, told, closed in (
                ("number", row.number, self.closing["number"]),
                ("result", row.result, self.closing["result"]),
            )
            if told != closed
        ]
        if row.currency != self.batch.currency:
            problems.append({"text": f"currency {row.currency}, its entries say {self.batch.currency}"})
        return problems + self._totals_problems(row) + self._result_problems(row)

    def _totals_problems(self, row: BatchRow) -> list[dict[str, Any]]:
        problems = []
        made, told = totals_of(self.batch), _totals(json.loads(row.host_totals))
        if told != made:
            problems.append({"text": "totals", "stored": _plain(told), "recomputed": _plain(made)})
        sent, closed_with = _totals(json.loads(row.terminal_totals or "{}")), _totals((self.closing or {})["sent"])
        if sent != closed_with:
            text = "the terminal's totals"
            problems.append({"text": text, "stored": _plain(sent), "recomputed": _plain(closed_with)})
        return problems

    def _result_problems(self, row: BatchRow) -> list[dict[str, Any]]:
        problems = []
        stored = _keys(json.loads(row.discrepancies or "[]"))
        if stored != self.found:
            missing, invented = sorted(self.found - stored), sorted(stored - self.found)
            text = f"differences not reported: {missing}, reported and not there: {invented}"
            problems.append({"text": text})
        if row.result == SETTLED_BY_HOST:
            return problems
        agree = totals_agree(self.batch, _totals(json.loads(row.terminal_totals or "{}")))
        hypercom = self.batch.dialect.totals_kind == "hypercom63"
        if row.result == "balanced" and not agree:
            problems.append({"text": "balanced, but the totals differ"})
        if row.result == "balanced_after_upload" and (self.found_at_close or (hypercom and not agree)):
            problems.append({"text": "balanced after upload, but terminal and host differ"})
        if row.result == "out_of_balance" and agree and not self.found_at_close:
            problems.append({"text": "out of balance, but terminal and host agree"})
        return problems


def totals_agree(batch: Batch, sent: Totals) -> bool:
    """The terminal's totals against the recomputed ones, by the dialect's rule."""
    kind = batch.dialect.totals_kind
    if kind == "unionpay48":
        return unionpay_codes(batch, sent) == (BALANCED, BALANCED)
    return hypercom_balanced(batch, sent) if kind == "hypercom63" else iso87_balanced(batch, sent)


def _told(row: AuthorisationRow | None) -> dict[str, Any] | None:
    return None if row is None else {"state": row.state, "amount_minor": row.amount_minor}


def _keys(found: list[dict[str, Any]]) -> Found:
    return {(item["stan"], item["kind"]) for item in found}


def _totals(plain: dict[str, list[int]]) -> Totals:
    return {name: Side(*side) for name, side in plain.items()}


def _plain(totals: Totals) -> dict[str, list[int]]:
    return {name: list(side) for name, side in totals.items()}
