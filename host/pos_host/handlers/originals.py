"""Finding the transaction a void, refund or reversal speaks of."""

from __future__ import annotations

from pos_host.ledger.book import Batch, Book, Transaction
from pos_host.transaction.request import Request


def original_of(request: Request, book: Book) -> tuple[Batch, Transaction] | None:
    """The original a void or refund names, in the remembered batches, newest first.

    It is named by batch and STAN (UnionPay DE61), RRN (DE37), invoice (Hypercom DE62) or STAN (DE90);
    what the message gives must all fit.
    """
    for batch in reversed(book.batches):
        found = _in_batch(request, batch)
        if found is not None:
            return batch, found
    return None


def _in_batch(request: Request, batch: Batch) -> Transaction | None:
    number = request.meaning("original_batch_number").strip().lstrip("0")
    if number and number != batch.number.lstrip("0"):
        return None
    stan, rrn, invoice = _names(request)
    if stan:
        found = batch.by_stan.get(stan)
    elif rrn:
        found = batch.by_rrn.get(rrn)
    else:
        found = batch.by_invoice.get(invoice) if invoice else None
    if found is None or (rrn and found.rrn != rrn):
        return None
    return found


def _names(request: Request) -> tuple[str, str, str]:
    stan = request.meaning("original_stan")
    if not stan.strip("0"):
        stan = ""
    return stan, request.meaning("rrn").strip(), request.invoice


def names_an_original(request: Request) -> bool:
    """Whether the message says anything about an original; a Hypercom refund usually does not."""
    stan, rrn, _ = _names(request)
    return bool(stan or rrn)


def card_differs(request: Request, original: Transaction) -> bool:
    """Both name a card and it is not the same."""
    mine, its = request.card.print, original.card_print
    return bool(mine and its and mine != its)
