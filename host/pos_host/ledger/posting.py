"""Applying what was committed: the one place where a book changes, live and at recovery alike."""

from __future__ import annotations

import json

from pos_host.ledger.authorisations import forget_finished
from pos_host.ledger.book import BATCHES_PER_TERMINAL, Batch, Book, LateTransaction, Tombstone, Transaction
from pos_host.ledger.dialect_names import dialect_named
from pos_host.ledger.entry import (
    APPROVALS,
    AUTHORISING,
    FINANCIAL,
    LATE_NOTICE,
    PAYOUT,
    SETTLED_BY_HOST,
    VOIDS,
    AuthorisationRow,
    BatchRow,
    Entry,
    FlagRow,
    HostSettlementRow,
    KeyRow,
    Row,
    TerminalRow,
)
from pos_host.ledger.group_totals import count_in, has_money
from pos_host.ledger.late_notices import as_told, told_late_as
from pos_host.ledger.reconciliation import with_records
from pos_specs.dialect import Dialect
from pos_specs.totals import Side

SIGN_IN, REMINDED = "sign_in", "reminded"
"""Kinds of the entries of a sign-in, and of a reminder to settle."""

CLOSED_BATCHES_KEPT = 2
"""Closed batches whose transactions stay in memory, for late repeats, reversals and uploads. Older
ones are asked of the store."""


SETTLED_BY_HOST_KEPT = 14
"""Batches the host settled that stay besides: their terminal may still count on in them. Two weeks of a terminal
that never settles; one that is silent for longer is asked about, not counted up."""


class BooksDamaged(Exception):
    """An invariant of the books does not hold: our mistake, never the peer's."""


def apply_row(book: Book, row: Row) -> None:
    """Take over a row that was committed."""
    if isinstance(row, TerminalRow):
        book.enrolled = True
        book.status = row.status
        book.enrolled_at_ms = row.enrolled_at_ms
        book.number_known = bool(row.number_known)
        if book.dialect.name != row.dialect:
            book.dialect = dialect_named(row.dialect)
    elif isinstance(row, BatchRow):
        _apply_batch(book, row)
    elif isinstance(row, FlagRow):
        book.flag = row if row.severity else None
    elif isinstance(row, KeyRow):
        book.sealed_keys, book.keys = row.sealed, None
    elif isinstance(row, AuthorisationRow):
        book.authorisations[row.authorisation_no] = row
        before = book.predecessor
        while before is not None:  # what was handed over is kept once
            before.authorisations.pop(row.authorisation_no, None)
            before = before.predecessor
    elif isinstance(row, HostSettlementRow):
        book.host_settlement = row


def apply_entry(book: Book, entry: Entry, sequence: int) -> None:
    """Take over an entry that was committed at `sequence`; raises BooksDamaged for one without its batch."""
    book.last_sequence = sequence
    if entry.rrn:
        book.rrn_sequence = int(entry.rrn[6:])
    if entry.kind in FINANCIAL:
        _apply_financial(book, entry, sequence)
    elif entry.kind == "reversal":
        _apply_reversal(book, entry, sequence)
    elif entry.kind == "reversal_of_closed":
        _batch(book, entry).reversals[entry.key] = Transaction(sequence, entry._replace(kind="reversal"))
    elif entry.kind == PAYOUT:
        _apply_payout(book, entry)
    elif entry.kind == LATE_NOTICE:
        _apply_late(book, as_told(entry), sequence)
    elif entry.kind == "batch_upload" and entry.outcome == "approved":
        _apply_upload(book, entry)
    elif entry.kind == "answer_undelivered":
        _apply_undelivered(book, entry)
    elif entry.kind in (SIGN_IN, REMINDED):
        _apply_wish(book, entry)


def _batch(book: Book, entry: Entry) -> Batch:
    batch = book.batches[-1] if book.batches else None
    if batch is None or batch.batch_id != entry.batch_id:
        batch = book.batch_of_id(entry.batch_id)
    if batch is None:
        raise BooksDamaged(f"entry {entry.kind} of batch {entry.batch_id}, which the book does not have")
    return batch


def _apply_financial(book: Book, entry: Entry, sequence: int) -> None:
    batch = _batch(book, entry)
    transaction = Transaction(sequence, entry)
    batch.last_activity_at_ms = entry.at_ms
    key = entry.key
    if key:  # an adjust that only an upload told of has none: its record stands under its original's STAN
        batch.answers[key] = transaction
        batch.by_rrn[entry.rrn] = transaction
        batch.by_stan[entry.stan] = transaction
    if entry.outcome in APPROVALS:
        _count(book, batch, transaction, entry)


def _count(book: Book, batch: Batch, transaction: Transaction, entry: Entry) -> None:
    kind, invoice = entry.kind, entry.invoice
    if kind in AUTHORISING:
        return
    if not batch.first_money_at_ms:
        batch.first_money_at_ms = entry.at_ms
        batch.currency = entry.currency
    count_in(batch, transaction, 1)
    if kind == "purchase":
        if invoice:
            batch.by_invoice[invoice] = transaction
    elif kind in VOIDS:
        _mark(book, batch, entry.original, voided=True)
    elif kind == "adjust" and entry.original:
        _adjust(book, batch, entry)
    else:
        if invoice:
            batch.by_invoice[invoice] = transaction
        if kind == "refund" and entry.original:
            _give_back(book, entry, entry.amount_minor)


def _give_back(book: Book, refund: Entry, amount_minor: int) -> None:
    """Note on the refunded transaction, where it is remembered, how much of it went back (below 0: no longer)."""
    for known in book.batches:
        rrn = json.loads(refund.detail).get("original_rrn")
        for original in (known.answers.get(refund.original), told_late_as(known, refund.original)):
            if original is None or original.rrn != rrn:
                continue
            if book.remembers_since(known):  # of others the store is asked
                original.refunded_minor += amount_minor


def _forget_refunds(batch: Batch) -> None:
    """What was given back of a batch's sales is known no longer once a later batch is forgotten."""
    for transaction in (*batch.answers.values(), *batch.late.values()):
        transaction.refunded_minor = 0


def _adjust(book: Book, batch: Batch, entry: Entry) -> None:
    """The original counts with its new amount from now on."""
    original = _named(batch, entry)
    more_minor = entry.amount_minor - original.amount_minor
    count_in(batch, original, -1)
    original.amount_minor = entry.amount_minor
    count_in(batch, original, 1)
    if entry.stan != original.stan:
        batch.adjusts[entry.stan] = original
    if original.function == "refund" and original.original:
        _give_back(book, original.entry, more_minor)


def _named(batch: Batch, entry: Entry) -> Transaction:
    """The transaction an entry names; raises BooksDamaged when the batch does not have it."""
    original = batch.answers.get(entry.original)
    if original is None:
        raise BooksDamaged(f"{entry.kind} of {entry.original} in batch {batch.batch_id}, which has no such key")
    return original


def _apply_reversal(book: Book, entry: Entry, sequence: int) -> None:
    batch = _batch(book, entry)
    batch.last_activity_at_ms = entry.at_ms
    reversal = Transaction(sequence, entry)
    batch.reversals[entry.key] = reversal
    if entry.outcome != "approved":
        return
    if not entry.original:
        if json.loads(entry.detail).get("tombstone"):
            batch.tombstones[entry.stan] = Tombstone(entry.stan, entry.amount_minor, entry.card_print)
        return
    original = _named(batch, entry)
    batch.undelivered.pop(original.stan, None)
    if original.reversed:
        return
    count_in(batch, original, -1)
    original.reversed = True
    count_in(batch, original, 1)
    if original.function in VOIDS and original.approved:
        _mark(book, batch, original.original, voided=False)
    elif original.function == "refund" and original.approved and original.original:
        _give_back(book, original.entry, -original.amount_minor)
    _note_money(batch, entry.at_ms)


def _mark(book: Book, batch: Batch, key: str, *, voided: bool) -> None:
    original = batch.answers.get(key)
    if original is None:
        raise BooksDamaged(f"void of {key} in batch {batch.batch_id}, which has no such key")
    count_in(batch, original, -1)
    original.voided = voided
    count_in(batch, original, 1)
    if original.function == "refund" and original.original:
        _give_back(book, original.entry, -original.amount_minor if voided else original.amount_minor)
    _note_money(batch, original.entry.at_ms)


def _note_money(batch: Batch, since_ms: int) -> None:
    """The unsettled watch counts from a batch's first money; in one that lost it all the next is the first."""
    if not has_money(batch):
        batch.first_money_at_ms = 0
    elif not batch.first_money_at_ms:
        batch.first_money_at_ms = since_ms


def _apply_upload(book: Book, entry: Entry) -> None:
    """Keep the records with their batch."""
    batch = _batch(book, entry)
    batch.last_activity_at_ms = entry.at_ms
    batch.uploads = with_records(batch.uploads, json.loads(entry.detail)["records"])


def _apply_payout(book: Book, entry: Entry) -> None:
    """By which schedules a batch was charged is kept with it, for refunds of its sales; and with what came late, whose
    payout is told of in the same commit, before anything else can come late."""
    told, batch = json.loads(entry.detail), _batch(book, entry)
    if told["payout_id"] == entry.batch_id:
        batch.charged = told["days"]
    elif batch.late:
        next(reversed(batch.late.values())).charged = told["days"]


def _apply_late(book: Book, told: Entry, sequence: int) -> None:
    """What an upload told of after its batch was closed stands beside it; a refund has given back all the same."""
    _batch(book, told).late[told.stan] = LateTransaction(sequence, told)
    if told.kind == "refund" and told.original:
        _give_back(book, told, told.amount_minor)


def _apply_undelivered(book: Book, entry: Entry) -> None:
    batch = book.batch_of_id(entry.batch_id)
    if batch is not None:
        batch.undelivered[entry.stan] = entry.at_ms


def _apply_wish(book: Book, entry: Entry) -> None:
    """A reminder asks for a sign-in as long as its batch is the latest; a sign-in grants it. Of earlier batches neither
    says anything any more, so recovery, which applies them after all batches are there, ends the same."""
    current = book.current
    if current is None or entry.batch_id != current.batch_id or entry.outcome != "approved":
        return
    book.reminded = entry.kind == REMINDED
    if entry.kind == SIGN_IN:
        book.untold_batch_id = 0


def _apply_batch(book: Book, row: BatchRow) -> None:
    batch = book.batch_of_id(row.batch_id)
    if batch is None:
        batch = Batch(row.batch_id, row.number, _dialect(book, row), row.opened_at_ms)
        book.batches.append(batch)
        book.ordinal = max(book.ordinal, row.batch_id % BATCHES_PER_TERMINAL)
        book.rrn_sequence = max(book.rrn_sequence, row.rrn_base)
        book.reminded = False
    was_closed = batch.closed
    batch.number = row.number
    batch.state = row.state
    batch.result = row.result
    batch.closed_at_ms = row.closed_at_ms
    batch.after_sequence = row.after_sequence
    batch.rrn_base = row.rrn_base
    batch.dialect = _dialect(book, row)
    if row.currency:
        batch.currency = row.currency
    if row.terminal_totals:
        batch.terminal_totals = {name: Side(*side) for name, side in json.loads(row.terminal_totals).items()}
    if row.discrepancies:
        batch.discrepancies = json.loads(row.discrepancies)
    if row.settlement:
        batch.settlement = json.loads(row.settlement)
    if batch.closed:
        _note_untold(book, batch, newly=not was_closed)
    _forget_old(book)


def _note_untold(book: Book, batch: Batch, *, newly: bool) -> None:
    """Keep which batch the host settled without its terminal, which learns the next number at its sign-in only."""
    if batch.awaits_terminal and batch.dialect.batch.number == "sign_in":
        if newly:
            book.untold_batch_id = batch.batch_id
    elif newly or book.untold_batch_id == batch.batch_id:
        book.untold_batch_id = 0


def still_remembered(closed: list[tuple[int, str]]) -> set[int]:
    """Of a terminal's closed batches (id and result, in their order) the ids of those that its book keeps."""
    settled_by_host = [batch_id for batch_id, result in closed if result == SETTLED_BY_HOST]
    latest = [batch_id for batch_id, _ in closed[-CLOSED_BATCHES_KEPT:]]
    return {*latest, *settled_by_host[-SETTLED_BY_HOST_KEPT:]}


def _dialect(book: Book, row: BatchRow) -> Dialect:
    return book.dialect if book.dialect.name == row.dialect else dialect_named(row.dialect)


def _forget_old(book: Book) -> None:
    closed = [batch for batch in book.batches if batch.closed]
    if len(closed) > CLOSED_BATCHES_KEPT:
        kept = still_remembered([(batch.batch_id, batch.result) for batch in closed])
        book.batches = [batch for batch in book.batches if not batch.closed or batch.batch_id in kept]
        for batch in book.batches:
            if not book.remembers_since(batch):
                _forget_refunds(batch)
    if book.authorisations:
        forget_finished(book)
