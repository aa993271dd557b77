"""Notices about a transaction that stands already: a script's result, a signature, a transaction certificate.

They tell what has happened, so they are always accepted, also where the host knows no such transaction. No money
moves; the journal keeps the notice beside the transaction it speaks of.
"""

from __future__ import annotations

import json

from pos_host.clock import Instant
from pos_host.handlers.originals import original_of
from pos_host.handlers.posting_entry import request_entry
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.decision import Decision
from pos_host.transaction.request import Request
from pos_specs.tlv import TlvError, parse_tlv

ICC_DATA = 55

SCRIPT_RESULTS = "DF31"
"""What the chip made of each issuer script, five bytes a script (unionpay.md 5.6)."""

CERTIFICATE = ("9F26", "9F27")
"""The cryptogram that proves the transaction, and of which kind it is (EMV book 3)."""

SIGNATURE = 62
"""The element of the cardholder's signature, a picture (unionpay.md 3)."""


def script_result(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Accept what became of the issuer scripts that an answer carried."""
    return _accept(request, book, batch, now, _chip_data(request, (SCRIPT_RESULTS,)))


def tc_advice(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Accept the chip's certificate of a transaction."""
    return _accept(request, book, batch, now, _chip_data(request, CERTIFICATE))


def signature(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Accept a signature; of the picture nothing is kept but its size."""
    element = request.language.dialect.elements.get(SIGNATURE)
    size = len(request.message.fields.get(SIGNATURE, ""))
    is_hex = element is not None and element.content == "b"
    return _accept(request, book, batch, now, {"signature_bytes": size // 2 if is_hex else size})


def _accept(request: Request, book: Book, batch: Batch, now: Instant, told: dict[str, object]) -> Decision:
    found = original_of(request, book)
    rrn = book.next_rrn()
    entry = request_entry(
        request,
        book,
        batch,
        now,
        "approved",
        rrn,
        "",
        original=found[1].key if found else "",
        detail=json.dumps({**told, "original_known": found is not None}),
    )
    return Decision("approved", now.at_ms, rrn, entries=(entry,))


def _chip_data(request: Request, tags: tuple[str, ...]) -> dict[str, object]:
    """These data objects of DE55 in hex, as far as they can be read; none of them says anything of the card."""
    value = request.message.fields.get(ICC_DATA, "")
    try:
        data = dict(parse_tlv(bytes.fromhex(value)))
    except (TlvError, ValueError):
        return {}
    return {tag: data[tag] for tag in tags if tag in data}
