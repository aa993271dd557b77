"""The terminal's own settlement after the host's: compared with what the host settled and what came since.

A UnionPay terminal names its batch, and its later sales were refused, so that batch is all there is to compare; one
that signed in meanwhile and kept its log may settle the host's batches together with its own, under the new number.
Other terminals were never told and count on: their totals span every batch the host settled and the one that is open.
A batch the host settled keeps its totals and its result; the share that came since closes as any batch does.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from pos_host.clock import Instant
from pos_host.handlers.closing import Beside, begin_upload, begun_answer, close, plain
from pos_host.handlers.posting_entry import request_entry
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import LATE_TOTALS, SETTLED_BY_HOST, BatchRow, Entry, Row
from pos_host.ledger.group_totals import totals_of
from pos_host.ledger.reconciliation import differences, hypercom_agree, totals_less, totals_together, unionpay_codes
from pos_host.ledger.rows import batch_row
from pos_host.transaction.request import Request
from pos_specs.totals import BALANCED, Totals


class Parts(NamedTuple):
    """What a terminal that was not told counts as one batch: those the host settled, and the one that is not closed.
    `named` is the one among them that its settlement names."""

    settled: list[Batch]
    last: Batch
    named: Batch


def counted_on(book: Book, named: Batch) -> Parts | None:
    """The batches the terminal may count as one; None where the host settled none of them."""
    place = next((place for place, batch in enumerate(book.batches) if not batch.closed), None)
    if place is None:
        return None
    begin = place
    while begin and book.batches[begin - 1].awaits_terminal:
        begin -= 1
    settled, last = book.batches[begin:place], book.batches[place]
    if named in settled:
        settled = settled[settled.index(named) :]
    elif named is not last:
        return None
    return Parts(settled, last, named) if settled else None


def span(parts: Parts | None, batch: Batch, sent: Totals, *, alone: bool) -> tuple[Totals, Totals]:
    """The host's totals that `sent` is compared with, and the share of `sent` that is the open batch's.

    `alone`: the terminal counts the open batch only, as one that was told of the others does.
    """
    if parts is None or alone:
        return totals_of(batch), sent
    return totals_together([*parts.settled, batch]), totals_less(sent, totals_together(parts.settled))


def answered_with(
    request: Request, book: Book, parts: Parts, now: Instant, outcome: str, sent: Totals, next_number: str = ""
) -> Beside:
    """What the answer means for the batches the host settled: their terminal has settled now."""
    rows = tuple(_told_row(request, book, part, now, outcome, sent, parts.last) for part in parts.settled)
    return Beside(rows, (), next_number, sent)


def late_hypercom(request: Request, book: Book, parts: Parts, now: Instant, sent: Totals) -> Decision:
    """Hypercom's 0500: 00 for what was settled, or for all of it, which closes what came since; else 95."""
    settled, last, named = parts
    if last.state == "open":
        for count in range(1, len(settled) + 1):
            if named is not last and hypercom_agree(totals_together(settled[:count]), sent):
                return _reconciled(request, book, parts, settled[:count], now, sent)
    host, share = span(parts, last, sent, alone=_is_alone(parts, sent))
    if hypercom_agree(host, sent):
        number = named.dialect.batch.after(named.number)
        beside = answered_with(request, book, parts, now, "approved", sent, number)
        return close(request, book, last, now, "balanced", "approved", share, [], {}, beside)
    return begin_upload(request, book, last, now, "out_of_balance_send_batch", share, {}, answered=sent)


def late_trailer(request: Request, book: Book, parts: Parts, now: Instant, sent: Totals) -> Decision:
    """Hypercom's 0500/960000: 00 only if totals and every record agree, in what the host settled too; else 77."""
    settled, last, named = parts
    alone = _is_alone(parts, sent)
    _, share = span(parts, last, sent, alone=alone)
    agree = hypercom_agree(totals_of(last), share)
    if last.state != "uploading" and agree:
        return late_hypercom(request, book, parts, now, sent)
    found = differences(last, complete=True)
    result = "balanced_after_upload" if agree and not found else "out_of_balance"
    late = [differences(part, complete=not alone) for part in settled]
    outcome = "approved" if result == "balanced_after_upload" and not any(late) else "out_of_balance"
    rows: list[Row] = []
    entries: list[Entry] = []
    for part, more in zip(settled, late, strict=True):
        told = _told_row(request, book, part, now, outcome, sent, last)
        rows.append(told._replace(discrepancies=json.dumps(_with_new(part, more))) if more else told)
        entries.append(_late_entry(book, part, now, {}, complete=not alone))
    beside = Beside(tuple(rows), tuple(entries), named.dialect.batch.after(named.number), sent)
    return close(request, book, last, now, result, outcome, share, found, {}, beside)


def may_settle_late(batch: Batch) -> bool:
    """Whether a UnionPay terminal may still settle a closed batch: the host did, and the terminal's totals have not
    been found right nor its upload ended since."""
    return batch.awaits_terminal or late_upload_awaited(batch)


class Spanning(NamedTuple):
    """Totals of the batches that the host settled and of the open one together; `share` is the open one's part."""

    parts: Parts
    share: Totals


def settled_with_earlier(book: Book, batch: Batch, sent: Totals) -> Spanning | None:
    """Whether a UnionPay terminal that has the new number settles by it what the host settled before, too: only where
    its totals are right to the minor unit, since they do not say so."""
    parts = counted_on(book, batch)
    if parts is None:
        return None
    share = totals_less(sent, totals_together(parts.settled))
    return Spanning(parts, share) if unionpay_codes(batch, share) == (BALANCED, BALANCED) else None


def late_unionpay(
    request: Request,
    book: Book,
    named: Batch,
    now: Instant,
    outcome: str,
    sent: Totals,
    values: dict[str, str],
    disputed: list[str] | None,
) -> Decision:
    """UnionPay's 0500 of a batch the host settled: answered by its totals; disputed halves are uploaded into it."""
    rrn = book.next_rrn()
    answer = {"key": request.key, "outcome": outcome, "at_ms": now.at_ms, "rrn": rrn, "values": values}
    row = batch_row(book, named, terminal_totals=sent, settlement={**answer, "disputed": disputed})
    entries = (
        request_entry(request, book, named, now, outcome, rrn, ""),
        _late_entry(book, named, now, sent, complete=False),
    )
    return Decision(outcome, now.at_ms, rrn, values=values, entries=entries, rows=(row,))


def late_upload_awaited(batch: Batch) -> bool:
    """Whether the end of an upload into a batch the host settled is still to come (UnionPay)."""
    done = batch.settlement
    return batch.result == SETTLED_BY_HOST and done.get("outcome") == "out_of_balance" and "ended" not in done


def late_upload_end(request: Request, book: Book, home: Batch, now: Instant) -> Decision:
    """UnionPay's 0320/202 or 207 into a batch the host settled: what was never uploaded is a difference too."""
    rrn = book.next_rrn()
    ended = {"key": request.key, "outcome": "approved", "at_ms": now.at_ms, "rrn": rrn, "values": {}}
    row = batch_row(
        book,
        home,
        discrepancies=_with_new(home, differences(home, complete=True)),
        settlement={**home.settlement, "ended": ended},
    )
    entries = (
        request_entry(request, book, home, now, "approved", rrn, ""),
        _late_entry(book, home, now, {}, complete=True),
    )
    return Decision("approved", now.at_ms, rrn, entries=entries, rows=(row,))


def _is_alone(parts: Parts, sent: Totals) -> bool:
    """A terminal that names the open batch may know of the others after all."""
    return parts.named is parts.last and hypercom_agree(totals_of(parts.last), sent)


def _reconciled(
    request: Request, book: Book, parts: Parts, settled: list[Batch], now: Instant, sent: Totals
) -> Decision:
    """The totals are those of what the host settled; what came since, if anything, stays open under the next number."""
    rrn = book.next_rrn()
    told = [_told_row(request, book, part, now, "approved", sent, None) for part in settled]
    entries = [request_entry(request, book, parts.named, now, "approved", rrn, "")]
    if len(settled) == 1:
        told = [told[0]._replace(terminal_totals=json.dumps(plain(sent)))]
        entries.append(_late_entry(book, parts.named, now, sent, complete=False))
    rows: list[Row] = list(told)
    number = parts.named.dialect.batch.after(parts.named.number)
    if len(settled) == len(parts.settled) and parts.last.number != number:
        rows.append(batch_row(book, parts.last, number=number))
    return Decision("approved", now.at_ms, rrn, entries=tuple(entries), rows=tuple(rows))


def _told_row(
    request: Request, book: Book, part: Batch, now: Instant, outcome: str, sent: Totals, last: Batch | None
) -> BatchRow:
    """The row of a batch the host settled with the answer its terminal gets now; its totals and result stay."""
    answer = {"key": request.key, "outcome": outcome, "at_ms": now.at_ms, "rrn": book.next_rrn(), "values": {}}
    begun = None if last is None else begun_answer(last)
    return batch_row(book, part, settlement={**answer, "sent": plain(sent), "begun": begun})


def _late_entry(book: Book, batch: Batch, now: Instant, sent: Totals, *, complete: bool) -> Entry:
    detail = {"number": batch.number, "sent": plain(sent), "complete": complete}
    return Entry(LATE_TOTALS, book.terminal_no, batch.batch_id, now.at_ms, detail=json.dumps(detail))


def _with_new(batch: Batch, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = {(item["stan"], item["kind"]) for item in batch.discrepancies}
    return [*batch.discrepancies, *(item for item in found if (item["stan"], item["kind"]) not in known)]
