"""Settlement: the terminal's totals meet the host's; the batch closes or its upload begins."""

from __future__ import annotations

from collections.abc import Callable

from pos_host.clock import Instant
from pos_host.handlers.closing import NOTHING_BESIDE, begin_upload, close, sent_for, stored_answer, stored_settlement
from pos_host.handlers.late_settlement import (
    answered_with,
    counted_on,
    late_hypercom,
    late_trailer,
    late_unionpay,
    may_settle_late,
    settled_with_earlier,
    span,
)
from pos_host.handlers.posting_entry import decline, request_entry
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import SETTLED_BY_HOST
from pos_host.ledger.group_totals import has_money, totals_of
from pos_host.ledger.reconciliation import (
    differences,
    hypercom_balanced,
    iso87_agree,
    iso87_counts_agree,
    unionpay_codes,
)
from pos_host.transaction.request import Request
from pos_specs.totals import (
    BALANCED,
    NOT_BALANCED,
    Side,
    Totals,
    parse_hypercom,
    parse_iso87,
    parse_unionpay,
    write_iso87,
    write_unionpay,
)

CHECKPOINTS = ("501", "503")
"""DE24 of reconciliations of 1993 that end no batch (hypercom.md 3.2)."""

MOST_COUNT, MOST_AMOUNT_MINOR = 999, 999_999_999_999
"""N3 and N12 of UnionPay's DE48."""


def settlement(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Judge the totals by the dialect's rules; the same totals again get the same answer."""
    return _RULES[request.language.dialect.totals_kind](request, book, batch, now)


def settlement_trailer(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Hypercom 0500/960000: ends the upload. 00 only if totals and every record agree, else 77 (hypercom.md 2.7)."""
    named = _named_batch(request, book)
    if named is None:
        return decline(request, book, batch, now, "wrong_batch", f"batch {request.batch_number} is not known")
    try:
        sent = parse_hypercom(request.message.fields[63], request.language.dialect.totals_groups)
    except ValueError as error:
        return decline(request, book, batch, now, "format_error", f"element 63: {error}")
    parts = counted_on(book, named)
    if parts is not None:
        return late_trailer(request, book, parts, now, sent)
    if named.closed:
        return _repeat_trailer(request, book, named, sent, now)
    if named.state != "uploading" and hypercom_balanced(named, sent):
        return settlement(request, book, batch, now)
    found = differences(named, complete=True)
    balanced = hypercom_balanced(named, sent) and not found
    result = "balanced_after_upload" if balanced else "out_of_balance"
    outcome = "approved" if balanced else "out_of_balance"
    return close(request, book, named, now, result, outcome, sent, found, {})


def _unionpay(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    named = _named_batch(request, book)
    sent_text = request.message.fields[48]
    if named is None:
        reason = f"batch {request.batch_number} is not known"
        return decline(request, book, batch, now, "wrong_batch", reason)
    try:
        sent = parse_unionpay(sent_text)
    except ValueError as error:
        return decline(request, book, batch, now, "format_error", f"element 48: {error}")
    if named.closed:
        repeated = None if named.awaits_terminal else _repeat(named, sent)
        if repeated is not None:
            return repeated
        if not may_settle_late(named):
            reason = f"batch {named.number} is closed with other totals"
            return decline(request, book, batch, now, "wrong_batch", reason)
    codes = (NOT_BALANCED, NOT_BALANCED) if _forced(request, named) else unionpay_codes(named, sent)
    if codes == (BALANCED, BALANCED):
        values = {"totals": _with_codes(sent_text, *codes)}
        if named.closed:
            return late_unionpay(request, book, named, now, "approved", sent, values, None)
        return close(request, book, named, now, "balanced", "approved", sent, [], values)
    alone = request.upload_forced or named.state != "open"
    spanning = None if alone else settled_with_earlier(book, named, sent)
    if spanning is not None:
        values = {"totals": _with_codes(sent_text, BALANCED, BALANCED)}
        beside = answered_with(request, book, spanning.parts, now, "approved", sent)
        return close(request, book, named, now, "balanced", "approved", spanning.share, [], values, beside)
    values = {"totals": _host_totals(named, codes, len(sent_text))}
    halves = [half for half, code in zip(("domestic", "foreign"), codes, strict=True) if code != BALANCED]
    if named.closed:
        return late_unionpay(request, book, named, now, "out_of_balance", sent, values, halves)
    return begin_upload(request, book, named, now, "out_of_balance", sent, values, halves)


def _hypercom(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    named = _named_batch(request, book)
    if named is None:
        reason = f"batch {request.batch_number} is not known"
        return decline(request, book, batch, now, "wrong_batch", reason)
    try:
        sent = parse_hypercom(request.message.fields[63], request.language.dialect.totals_groups)
    except ValueError as error:
        return decline(request, book, batch, now, "format_error", f"element 63: {error}")
    parts = counted_on(book, named)
    if parts is not None:
        return late_hypercom(request, book, parts, now, sent)
    if named.closed:
        return _repeat(named, sent) or decline(
            request, book, batch, now, "wrong_batch", f"batch {named.number} is closed with other totals"
        )
    if hypercom_balanced(named, sent) and not _forced(request, named):
        return close(request, book, named, now, "balanced", "approved", sent, [], {})
    return begin_upload(request, book, named, now, "out_of_balance_send_batch", sent, {})


def _iso87(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    sent = parse_iso87(request.message)
    if _net(sent) != _signed(request.message.fields[97]):
        reason = "element 97: is not what elements 86 to 89 make"
        return decline(request, book, batch, now, "format_error", reason)
    if request.language.dialect.edition == "1993" and request.message.fields.get(24) in CHECKPOINTS:
        return _checkpoint(request, book, batch, now, sent)
    repeated = _repeat_without_number(request, book, batch, sent)
    if repeated is not None:
        return repeated
    parts = counted_on(book, batch)
    host, share = span(parts, batch, sent, alone=iso87_agree(totals_of(batch), sent))
    balanced = iso87_agree(host, sent)
    values = _iso87_values(request, sent if balanced else host)
    values["settlement_code"] = "1" if balanced else "2"
    result, outcome = ("balanced", "approved") if balanced else ("out_of_balance", "out_of_balance")
    beside = NOTHING_BESIDE if parts is None else answered_with(request, book, parts, now, outcome, sent)
    return close(request, book, batch, now, result, outcome, share, [], values, beside)


def _checkpoint(request: Request, book: Book, batch: Batch, now: Instant, sent: Totals) -> Decision:
    """Compare and close nothing; the answer brings the host's totals. Asked again it is judged again."""
    totals, _ = span(counted_on(book, batch), batch, sent, alone=iso87_agree(totals_of(batch), sent))
    if iso87_agree(totals, sent):
        outcome = "approved"
    else:
        outcome = "amounts_differ" if iso87_counts_agree(totals, sent) else "out_of_balance"
    rrn = book.next_rrn()
    entry = request_entry(request, book, batch, now, outcome, rrn, "")
    return Decision(outcome, now.at_ms, rrn, values=_iso87_values(request, totals), entries=(entry,))


def _iso87_values(request: Request, totals: Totals) -> dict[str, str]:
    names = request.language.dialect.answer
    return {names[number]: text for number, text in write_iso87(totals).items() if number in names}


def _forced(request: Request, batch: Batch) -> bool:
    """Whether a rule has the terminal upload a batch whatever its totals; one that is closed keeps its answer."""
    return request.upload_forced and not batch.closed


def _named_batch(request: Request, book: Book) -> Batch | None:
    return book.batch_numbered(request.batch_number)


def _repeat(batch: Batch, sent: Totals) -> Decision | None:
    """The answer once more of a closed batch, when the totals are the ones it was settled with.

    Where an upload closed it, the terminal has lost an answer since and begins again: it is sent the way it
    went before (its records are compared, its end answered as then), except that Hypercom's 00 says it all.
    """
    begun = batch.settlement.get("begun")
    if begun is None:
        return stored_settlement(batch) if sent_for(batch) == sent else None
    first = {name: Side(*side) for name, side in begun["totals"].items()}
    if sent not in (first, sent_for(batch)):
        return None
    done = batch.settlement
    if batch.dialect.totals_kind == "hypercom63" and done["outcome"] == "approved":
        return stored_settlement(batch)
    return stored_answer(begun)


def _repeat_trailer(request: Request, book: Book, batch: Batch, sent: Totals, now: Instant) -> Decision:
    """A trailer whose answer was lost; the terminal may have worked its totals out anew since."""
    uploaded = batch.settlement.get("begun") is not None
    if batch.result in ("balanced_after_upload", "out_of_balance") or (uploaded and batch.result == SETTLED_BY_HOST):
        return stored_settlement(batch)
    return _repeat(batch, sent) or decline(
        request, book, batch, now, "wrong_batch", f"batch {batch.number} is closed with other totals"
    )


def _repeat_without_number(request: Request, book: Book, batch: Batch, sent: Totals) -> Decision | None:
    """ISO 1987 names no batch: the same message again, or the last batch's totals while nothing was sold since."""
    closed = [known for known in book.batches if known.closed and not known.awaits_terminal]
    if not closed:
        return None
    last = closed[-1]
    same_message = last.settlement["key"] == request.key and sent_for(last) == sent
    nothing_since = not has_money(batch) and any(side.count for side in sent.values())
    forgotten = any(known.awaits_terminal for known in book.batches)
    if same_message or (nothing_since and not forgotten and sent_for(last) == sent):
        return stored_settlement(last)
    return None


def _host_totals(batch: Batch, codes: tuple[str, str], digits: int) -> str:
    """DE48 of the host's totals. 31 digits hold both halves as one; what does not fit is shown as all nines."""
    totals = totals_of(batch)
    if digits == 31:
        for side in ("debit", "credit"):
            home, away = totals[f"domestic_{side}"], totals[f"foreign_{side}"]
            totals[f"domestic_{side}"] = Side(home.count + away.count, home.amount_minor + away.amount_minor)
    shown = {
        name: Side(min(side.count, MOST_COUNT), min(side.amount_minor, MOST_AMOUNT_MINOR))
        for name, side in totals.items()
    }
    return write_unionpay(shown, codes, digits)


def _with_codes(totals: str, domestic: str, foreign: str) -> str:
    """DE48 as sent with the reconciliation codes set in digits 30 and 61 (unionpay.md 4.1)."""
    marked = totals[:30] + domestic
    return marked if len(totals) == 31 else marked + totals[31:61] + foreign


def _net(totals: Totals) -> int:
    """DE97 = 86 - 87 - 88 + 89 (hypercom.md 3.2)."""
    amount = {name: side.amount_minor for name, side in totals.items()}
    return amount["credits"] - amount["credits_reversal"] - amount["debits"] + amount["debits_reversal"]


def _signed(net: str) -> int:
    return -int(net[1:]) if net[:1] == "D" else int(net[1:])


_RULES: dict[str, Callable[[Request, Book, Batch, Instant], Decision]] = {
    "unionpay48": _unionpay,
    "hypercom63": _hypercom,
    "iso87": _iso87,
}
