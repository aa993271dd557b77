"""Batch upload: the terminal sends its records after a disagreement; each is compared, none replaces the host's."""

from __future__ import annotations

import json
from typing import Any

from pos_host.clock import Instant
from pos_host.handlers.adjust import stands_alone, why_not_adjusted
from pos_host.handlers.closing import close, stored_answer, stored_settlement
from pos_host.handlers.late_settlement import late_upload_awaited, late_upload_end
from pos_host.handlers.originals import card_differs, names_an_original, original_of
from pos_host.handlers.posting_entry import charged_as, decline, request_entry
from pos_host.handlers.refund import REFUNDABLE, charged_days, told_of
from pos_host.handlers.settlement import settlement_trailer
from pos_host.handlers.told_sale import is_electronic_cash, what_it_completes
from pos_host.ledger.authorisations import after
from pos_host.ledger.book import Batch, Book, Transaction
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import Entry, Row
from pos_host.ledger.late_notices import late_notice, may_come_late
from pos_host.ledger.reconciliation import differences, with_records
from pos_host.ledger.rows import batch_row
from pos_host.transaction.request import CardReader, Request
from pos_specs.cards import DOMESTIC
from pos_specs.parts import REST

NOTICE_FUNCTIONS = {
    "24": "completion_advice",
    "25": "refund",
    "30": "offline_purchase",
    "32": "adjust",
    "34": "adjust",
    "36": "offline_purchase",
}
"""UnionPay message types (60.1) whose upload may be the host's only notice, and is then posted."""

HYPERCOM_NOTICES = {"02": "adjust", "20": "refund", "22": "adjust"}
"""The same by the first digits of DE3."""

TOLD_AFTERWARDS = "0220"
"""DE60's original message type of Hypercom sales that were not asked for (hypercom.md 2.4)."""

PRE_AUTHORISED = "06"
"""DE25 of a completion (hypercom.md 2.2)."""

TOLD = json.dumps({"posted_from_upload": True})
"""The detail of an entry that an upload brought."""

DETAIL_RECORDS = range(1, 9)
"""Records of one 0320/201: DE48 holds 322 digits (unionpay.md 4.3)."""

FAILED_CHIP = ("204", "206")
ARPC_ERROR = "2"
"""60.3 of failed chip records, and the cryptogram type of the only ones that moved money (unionpay.md 2.3)."""

STAN_DIGITS = 6
TOTAL_DIGITS = 4
"""DE48 of 202 and 207: how many records were uploaded (unionpay.md 4.3)."""


def batch_upload(request: Request, book: Book, batch: Batch, now: Instant, cards: CardReader) -> Decision:
    """Keep the records with their batch, by original STAN, so that a record sent twice counts once."""
    home = _home(request, book, batch)
    if home is None:
        return _of_unknown(request, book, batch, now)
    try:
        records = records_of(request, cards)
    except ValueError as error:
        return decline(request, book, home, now, "format_error", str(error))
    rrn = book.next_rrn()
    detail = json.dumps({"records": records})
    entry = request_entry(request, book, home, now, "approved", rrn, "", detail=detail)
    entries: tuple[Entry, ...] = (entry._replace(amount_minor=0),)
    if home.closed:
        return _into_closed(request, book, home, now, entries[0], records)
    notices, rows = _notices(request, book, home, entry, records, now)
    return Decision("approved", now.at_ms, rrn, entries=(*notices, *entries), rows=rows)


def batch_upload_end(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """The upload is complete: the batch closes `balanced_after_upload` or `out_of_balance`."""
    if request.language.dialect.totals_kind == "hypercom63":
        return settlement_trailer(request, book, batch, now)
    home = book.batch_numbered(request.batch_number)
    if home is None:
        return _of_unknown(request, book, batch, now)
    if not _is_count(request):
        return decline(request, book, batch, now, "format_error", "element 48: is no count of 4 digits")
    if late_upload_awaited(home):
        return late_upload_end(request, book, home, now)
    if home.state != "uploading":
        return _end_of_balanced(request, book, home, now)
    found = differences(home, complete=True)
    result = "out_of_balance" if found else "balanced_after_upload"
    return close(request, book, home, now, result, "approved", home.terminal_totals, found, {})


def _of_unknown(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """A batch that no book remembers: the wrong batch's 77 is for financial requests only (unionpay.md 8a)."""
    reason = f"batch {request.batch_number} is not known, or closed long ago"
    return decline(request, book, batch, now, "original_not_found", reason)


def _is_count(request: Request) -> bool:
    text = request.message.fields.get(48, "")
    return len(text) == TOTAL_DIGITS and text.isdigit()


def _end_of_balanced(request: Request, book: Book, home: Batch, now: Instant) -> Decision:
    """207 after code 1 ends what is closed already; kept once in the journal (unionpay.md 8a)."""
    if home.closed and home.settlement.get("key") == request.key:
        return stored_settlement(home)
    ended = home.settlement.get("ended", {})
    if ended.get("key") == request.key:
        return stored_answer(ended)
    rrn = book.next_rrn()
    entry = request_entry(request, book, home, now, "approved", rrn, "")
    return Decision("approved", now.at_ms, rrn, entries=(entry,))


def _home(request: Request, book: Book, batch: Batch) -> Batch | None:
    """The batch the records belong to: the one they name, else one the host settled that has the transaction, else
    the one being uploaded, else the last closed one (whose 0330 was lost), else the open one."""
    if request.batch_number:
        return book.batch_numbered(request.batch_number)
    stan = request.meaning("original_stan")
    settled = [
        known for known in book.batches if known.awaits_terminal and (stan in known.by_stan or stan in known.adjusts)
    ]
    if settled:
        return settled[-1]
    if book.uploading is not None:
        return book.uploading
    closed = [known for known in book.batches if known.closed and stan in known.uploads]
    return closed[-1] if closed else batch


def records_of(request: Request, cards: CardReader) -> list[dict[str, Any]]:
    """The records that an upload message carries, cards masked; raises ValueError where it does not say whose or how
    many."""
    parts = request.language.parts.of(request.message, 48)
    if request.language.dialect.totals_kind == "unionpay48" and parts is not None and "records" in parts:
        return _detail_records(parts, cards)
    return [_single_record(request)]


def _detail_records(parts: dict[str, Any], cards: CardReader) -> list[dict[str, Any]]:
    """DE48 of 201: a count and records of 40 digits (unionpay.md 4.3); raises ValueError if they do not agree."""
    records, count = parts["records"], parts.get("record_count", "")
    if REST in parts or count != f"{len(records):02d}" or len(records) not in DETAIL_RECORDS:
        raise ValueError(f"element 48: says {count or 'no'} records, holds {len(records)}")
    made = []
    for record in records:
        card = cards.read(record["pan"].lstrip("0"))
        made.append(
            {
                "stan": record["stan"],
                "amount_minor": int(record["amount"]),
                "card": card.masked,
                "card_print": card.print,
            }
        )
    return made


def _single_record(request: Request) -> dict[str, Any]:
    """One message is one record: under its own STAN in UnionPay, under the one DE60 names in Hypercom."""
    unionpay = request.language.dialect.totals_kind == "unionpay48"
    stan = request.stan if unionpay else request.meaning("original_stan")
    if len(stan) != STAN_DIGITS or not stan.isdigit():
        raise ValueError("element 60: names no original")
    record: dict[str, Any] = {
        "stan": stan,
        "amount_minor": request.amount_minor or 0,
        "card": request.card.masked,
        "card_print": request.card.print,
    }
    function = _notice_function(request)
    if function:
        record["function"] = function
    if unionpay and _is_failed(request):
        record["failed"] = True
    return record


def _is_failed(request: Request) -> bool:
    """204 and 206 tell of chip transactions that failed; with an ARPC error the terminal still took the money."""
    if request.message.fields[60][8:11] not in FAILED_CHIP:
        return False
    advice = request.language.parts.of(request.message, 62) or {}
    return advice.get("cryptogram_type") != ARPC_ERROR


def _notice_function(request: Request) -> str:
    fields = request.message.fields
    if request.language.dialect.totals_kind != "hypercom63":
        return NOTICE_FUNCTIONS.get(fields.get(60, "")[:2], "")
    function = HYPERCOM_NOTICES.get(fields.get(3, "")[:2], "")
    if function or request.meaning("original_mti") != TOLD_AFTERWARDS:
        return function
    return "completion_advice" if fields.get(25) == PRE_AUTHORISED else "offline_purchase"


def _notices(
    request: Request,
    book: Book,
    home: Batch,
    entry: Entry,
    records: list[dict[str, Any]],
    now: Instant,
) -> tuple[tuple[Entry, ...], tuple[Row, ...]]:
    """What the upload alone tells of is posted: a refund, an adjust or a sale made offline that never came."""
    record = records[0]  # a record that names its function is the only one of its message
    function = record.get("function", "")
    if not function or not record["amount_minor"]:
        return (), ()
    told = entry._replace(
        kind=function,
        stan=record["stan"],
        key=f"2{record['stan']}",
        amount_minor=record["amount_minor"],
        detail=TOLD,
        product=charged_as(request, book),
    )
    if function == "adjust":
        return _adjust_notice(request, book, home, told), ()
    if record["stan"] in home.by_stan:
        return (), ()
    if function == "refund":
        return (_refund_notice(request, book, told),), ()
    return _sale_notice(request, book, told, now)


def _refund_notice(request: Request, book: Book, told: Entry) -> Entry:
    found = _refunded(request, book)
    if found is None:
        return told
    original = found[1]
    detail = _with(told, told_of(original, charged_days(found, original)))
    return told._replace(original=original.key, detail=detail, product=original.entry.product)


def _adjust_notice(request: Request, book: Book, home: Batch, told: Entry) -> tuple[Entry, ...]:
    """An adjust that never came. Its record stands under its own STAN, in Hypercom mostly under its original's.

    One that cannot be made is left to the comparison.
    """
    hypercom = request.language.dialect.totals_kind == "hypercom63"
    original, key = home.by_stan.get(told.stan), ""
    if original is None:
        original, key = _adjusted(request, book, home, hypercom=hypercom), told.key
        if original is None:
            return (told,) if stands_alone(request, home) else ()
    elif not hypercom or original.function == "adjust":
        return ()  # it came
    if original.amount_minor == told.amount_minor or why_not_adjusted(request, original) is not None:
        return ()
    its = original.entry
    made = told._replace(key=key, original=original.key, organisation=its.organisation, account=its.account)
    return (made._replace(currency=its.currency),)


def _adjusted(request: Request, book: Book, home: Batch, *, hypercom: bool) -> Transaction | None:
    """What the record of an adjust names: in Hypercom by RRN or invoice, since DE60 has the adjust's own STAN. In
    UnionPay also a sale that came late itself."""
    if hypercom:
        return home.by_rrn.get(request.meaning("rrn").strip()) or home.by_invoice.get(request.invoice)
    found = original_of(request, book, also_late=True)
    return None if found is None or found[0] is not home else found[1]


def _sale_notice(request: Request, book: Book, told: Entry, now: Instant) -> tuple[tuple[Entry, ...], tuple[Row, ...]]:
    row, detail = what_it_completes(request, told.kind, book, now)
    code = request.meaning("approval_code").strip()
    told = told._replace(approval_code=code, detail=_with(told, detail))
    if is_electronic_cash(request):
        told = told._replace(organisation=DOMESTIC)
    return (told,), () if row is None else (after(row, told),)


def _with(told: Entry, detail: dict[str, Any]) -> str:
    return json.dumps({**json.loads(told.detail), **detail})


def _refunded(request: Request, book: Book) -> tuple[Batch, Transaction] | None:
    """The sale that a UnionPay refund's record names, and its batch; Hypercom's DE60 names the refund itself."""
    if request.language.dialect.totals_kind != "unionpay48" or not names_an_original(request):
        return None
    found = original_of(request, book, also_late=True)
    if found is None or found[1].function not in REFUNDABLE or card_differs(request, found[1]):
        return None
    return found


def _into_closed(
    request: Request, book: Book, home: Batch, now: Instant, entry: Entry, records: list[dict[str, Any]]
) -> Decision:
    """A closed batch never changes: what its late records differ in is added to its report, and what they alone tell of
    is posted beside it. Its row goes with that, since what closes or alters a batch is where payouts are made."""
    told: tuple[Entry, ...] = ()
    rows: tuple[Row, ...] = ()
    if may_come_late(home, records[0]["stan"]):
        told, rows = _notices(request, book, home, entry, records, now)
    notice = late_notice(home, told[0]) if told else None
    if notice is not None:
        row = batch_row(book, home)
        return Decision("approved", now.at_ms, entry.rrn, entries=(notice, entry), rows=(row, *rows))
    found = differences(home, complete=False, uploads=with_records(home.uploads, records))
    known = {(item["stan"], item["kind"]) for item in home.discrepancies}
    new = [item for item in found if (item["stan"], item["kind"]) not in known]
    differing = (batch_row(book, home, discrepancies=[*home.discrepancies, *new]),) if new else ()
    return Decision("approved", now.at_ms, entry.rrn, entries=(entry,), rows=differing)
