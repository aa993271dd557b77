"""Reversal: the terminal got no answer and takes its transaction back."""

from __future__ import annotations

import json

from pos_host.clock import Instant
from pos_host.handlers.originals import card_differs, reversed_stan
from pos_host.handlers.posting_entry import repeat_of, request_entry
from pos_host.ledger.authorisations import after_reversal, authorisation_no_of
from pos_host.ledger.book import Batch, Book, Transaction
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import ADVICES, SALES, VOIDS
from pos_host.ledger.late_differences import reversed_late
from pos_host.transaction.request import Request


def reversal(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Take back the transaction with that STAN, or leave a tombstone where there is none.

    Source: architecture (unknown reversals), unionpay.md 4.5 (matched by STAN and batch), 8a (closed batch).
    """
    found = _original(request, book)
    if found is None:
        stored = request.stored_original
        if stored is not None and _agrees(request, stored):
            return _of_forgotten(request, book, batch, stored, now)
        return _unknown(request, book, batch, now)
    home, original = found
    if home.closed:
        return _of_closed(request, book, home, original, now)
    outcome, reason = _judge(request, book, original)
    if outcome == "approved":
        done = _post(request, book, home, now, "approved", original=original.key)
        row = book.authorisations.get(authorisation_no_of(original.entry) or 0) if original.captured else None
        return done if row is None else done._replace(rows=(after_reversal(row, original.entry),))
    if not request.rule.advice:
        return _post(request, book, home, now, outcome, reason=reason)
    other = outcome == "original_differs"  # then its own original may still come
    return _post(request, book, home, now, "approved", reason=f"nothing taken back: {reason}", tombstone=other)


def reversal_key(request: Request, batch: Batch) -> str:
    """The identity of a reversal kept in `batch`; one that names another batch is apart from this batch's own."""
    named = request.batch_number
    return request.key if named in ("", batch.number) else f"{request.key}@{named}"


def _original(request: Request, book: Book) -> tuple[Batch, Transaction] | None:
    """By STAN, newest batch first; a closed batch counts only when the message can mean no open one."""
    number = request.batch_number
    stan = reversed_stan(request)
    for candidate in reversed(book.batches):
        if number and candidate.number != number:
            continue
        found = _latest(candidate, stan, request)
        if found is not None:
            return candidate, found
    return None


def _latest(batch: Batch, stan: str, request: Request) -> Transaction | None:
    """The transaction of that STAN; in a closed batch only one that also agrees in amount and card,
    since STANs begin again and an unknown reversal must not hit a stranger."""
    found = batch.by_stan.get(stan)
    if found is None:
        return None
    return found if not batch.closed or _agrees(request, found) else None


def _agrees(request: Request, original: Transaction) -> bool:
    """Amount and card are the original's: what it asked for, or what was made of it."""
    amounts = (original.asked_minor, original.entry.amount_minor, original.amount_minor)
    return request.amount_minor in amounts and not card_differs(request, original)


def _unknown(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Accepted. A tombstone waits for the original, unless that names a batch in which it is refused anyway."""
    if request.batch_number in ("", batch.number):
        return _post(request, book, batch, now, "approved", reason="no such transaction: tombstone", tombstone=True)
    reason = f"no such transaction in batch {request.batch_number}"
    return _post(request, book, batch, now, "approved", reason=reason)


def _judge(request: Request, book: Book, original: Transaction) -> tuple[str, str]:
    stan = original.stan
    if original.function in ADVICES:
        return "original_not_found", f"STAN {stan} is an advice, which nobody reverses (unionpay.md 4.5)"
    if not _agrees(request, original):
        return "original_differs", f"amount or card differs from the transaction of STAN {stan}"
    if original.voided and original.approved:
        return "already_voided", f"the transaction of STAN {stan} was voided"
    if original.refunded_minor and original.captured:
        return "already_reversed", f"the money of STAN {stan} was given back by a refund"
    return _judge_authorisation(book, original) if original.captured else ("approved", "")


def _judge_authorisation(book: Book, original: Transaction) -> tuple[str, str]:
    """An auth, or the void of a completion, is taken back only while nothing was built on it."""
    row = book.authorisations.get(authorisation_no_of(original.entry) or 0)
    if row is not None and row.state != "open" and original.function in ("auth", "completion_void", "purchase_void"):
        return f"already_{row.state}", f"the authorisation {row.approval_code} was {row.state}"
    return "approved", ""


def _of_forgotten(request: Request, book: Book, batch: Batch, original: Transaction, now: Instant) -> Decision:
    """What it names is in a batch closed so long ago that only the store knows it: as with any closed batch.

    Journalled with the open batch, under the name of the other.
    """
    outcome = "approved" if request.rule.advice else "original_settled"
    reason = f"STAN {request.stan} is in batch {request.batch_number}, closed long ago: not reversed, for review"
    key = reversal_key(request, batch)
    rrn, detail = book.next_rrn(), _told(reason, original)
    entry = request_entry(request, book, batch, now, outcome, rrn, "", kind="reversal_of_closed", detail=detail)
    return Decision(outcome, now.at_ms, rrn, entries=(entry._replace(key=key),), reason=reason)


def _of_closed(request: Request, book: Book, home: Batch, original: Transaction, now: Instant) -> Decision:
    """A closed batch never changes: the money stays settled and the case is there to be reviewed.

    Refused (25), except where the terminal would block on anything but 00 (the dialect calls it an advice).
    """
    done = _done_before(request, home, original)
    if done is not None:
        return repeat_of(done)
    outcome = "approved" if request.rule.advice else "original_settled"
    reason = f"STAN {original.stan} is in batch {home.number}, which is closed: not reversed, for review"
    rrn = book.next_rrn()
    entry = request_entry(
        request,
        book,
        home,
        now,
        outcome,
        rrn,
        "",
        kind="reversal_of_closed",
        detail=_told(reason, original),
    )
    looked_at = reversed_late(book, home, original.stan, _moved_minor(original), now.at_ms)
    rows = () if looked_at is None else (looked_at,)
    return Decision(outcome, now.at_ms, rrn, entries=(entry,), rows=rows, reason=reason)


def _told(reason: str, original: Transaction) -> str:
    """What the entry says of a transaction that stays settled, for the report of discrepancies."""
    named = {"settled_batch_id": original.entry.batch_id, "original_stan": original.stan}
    return json.dumps({"reason": reason, **named, "moved_minor": _moved_minor(original)})


def _moved_minor(original: Transaction) -> int:
    """What stands of a transaction, in minor units: above zero for a sale, less what was refunded of it, below for what
    went to the cardholder; 0 where nothing moved or it was taken back already."""
    if not original.captured or original.voided:
        return 0
    if original.function in SALES or original.function == "refund_void":
        return original.amount_minor - original.refunded_minor
    return -original.amount_minor if original.function in VOIDS or original.function == "refund" else 0


def _done_before(request: Request, home: Batch, original: Transaction) -> Transaction | None:
    """The reversal of before: this message's own, or the one that took the original back while it was open."""
    mine = home.reversals.get(request.key)
    if mine is not None and request.same_content(mine.function, mine.asked_minor, mine.card_print):
        return mine
    if not original.reversed:
        return None
    return next((done for done in home.reversals.values() if done.original == original.key), None)


def _post(
    request: Request,
    book: Book,
    batch: Batch,
    now: Instant,
    outcome: str,
    *,
    original: str = "",
    reason: str = "",
    tombstone: bool = False,
) -> Decision:
    rrn = book.next_rrn()
    detail = json.dumps({"reason": reason, "tombstone": tombstone}) if reason else ""
    entry = request_entry(request, book, batch, now, outcome, rrn, "", original=original, detail=detail)
    entry = entry._replace(stan=reversed_stan(request), key=reversal_key(request, batch))
    return Decision(outcome, now.at_ms, rrn, entries=(entry,), reason=reason)
