"""Finding the transaction a void, refund, adjust or reversal speaks of, or the authorisation a completion names."""

from __future__ import annotations

from collections.abc import Iterator

from pos_host.journal import Sought
from pos_host.ledger.book import Batch, Book, Transaction
from pos_host.ledger.entry import FINANCIAL, LATE_NOTICE, SALES, AuthorisationRow
from pos_host.ledger.late_notices import sale_told_late
from pos_host.transaction.request import Request


def original_of(request: Request, book: Book, *, also_late: bool = False) -> tuple[Batch, Transaction] | None:
    """The original a void or refund names, in the remembered batches, newest first.

    It is named by batch and STAN (UnionPay DE61), RRN (DE37), invoice (Hypercom DE62) or STAN (DE90);
    what the message gives must all fit. Who names an adjust means what that changed. For a refund only batches count
    of which the book knows every refund; of others the store is asked. `also_late`: a sale that stands beside its
    closed batch counts too, which can be refunded and nothing else.
    """
    for batch in reversed(book.batches):
        if request.function == "refund" and not book.remembers_since(batch):
            continue
        if not _may_mean(request, batch):
            continue
        found = _in_batch(request, batch)
        if found is None and also_late and batch.late:
            stan, rrn, _ = _names(request)
            found = sale_told_late(batch, stan, rrn)
        if found is not None:
            return batch, found
    return None


def _may_mean(request: Request, batch: Batch) -> bool:
    number = request.meaning("original_batch_number").strip().lstrip("0")
    return not number or number == batch.number.lstrip("0")


def _in_batch(request: Request, batch: Batch) -> Transaction | None:
    stan, rrn, invoice = _names(request)
    if stan:
        found = batch.by_stan.get(stan)
    elif rrn:
        found = batch.by_rrn.get(rrn)
    else:
        found = batch.by_invoice.get(invoice) if invoice else None
    if found is None or (rrn and found.rrn != rrn):
        return None
    return batch.answers.get(found.original, found) if found.function == "adjust" else found


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


def reversed_stan(request: Request) -> str:
    """DE90, or DE56 of 1993, names the original where the dialect has it; elsewhere a reversal repeats its STAN."""
    if request.language.dialect.meaning.get("original_stan", "").startswith(("90.", "56.")):
        return request.meaning("original_stan")
    return request.stan


ASK_THE_STORE = frozenset({"refund", "reversal"})
"""Functions that may speak of a batch which no book remembers any more."""


def sought_in_store(request: Request, book: Book) -> Sought | None:
    """What the store must be asked for before the request can be decided; None when the book knows enough.

    A refund's sale of whatever batch; of a reversal, what stands in a batch that it names and the book forgot.
    """
    if request.function == "reversal":
        number = request.batch_number
        if not number or book.batch_numbered(number) is not None:
            return None
        return Sought(FINANCIAL, number, reversed_stan(request), "")
    if not names_an_original(request) or original_of(request, book, also_late=True) is not None:
        return None
    number, (stan, rrn, _) = request.meaning("original_batch_number"), _names(request)
    before = tuple(terminal.terminal_no for terminal in predecessors_of(book))
    return Sought(SALES | {LATE_NOTICE}, number if number.strip("0") else "", stan, rrn, before)


def predecessors_of(book: Book) -> Iterator[Book]:
    """The terminals whose place this one took, one after the other, the latest first."""
    before = book.predecessor
    while before is not None:
        yield before
        before = before.predecessor


def names_an_authorisation(request: Request) -> bool:
    """Whether the request says an approval code or anything else of an authorisation."""
    return bool(request.meaning("approval_code").strip()) or names_an_original(request)


def authorisation_named(request: Request, book: Book) -> AuthorisationRow | None:
    """The authorisation of this terminal that fits what the request says: approval code, batch and STAN, card.

    RRN counts only without a code, since in some dialects it is the terminal's own. The latest where several fit;
    None too for a request that says nothing of one.
    """
    if not names_an_authorisation(request):
        return None
    fitting = [row for row in book.authorisations.values() if _fits(request, row)]
    found = max(fitting, key=lambda row: row.authorisation_no, default=None)
    if found is None and book.predecessor is not None:  # it took over what that terminal had authorised
        return authorisation_named(request, book.predecessor)
    return found


def _fits(request: Request, row: AuthorisationRow) -> bool:
    code, (stan, rrn, _) = request.meaning("approval_code").strip(), _names(request)
    if request.function == "batch_upload" and request.language.dialect.totals_kind == "hypercom63":
        stan = ""  # DE60 names the record itself
    if code != row.approval_code if code else (rrn and rrn != row.rrn):
        return False
    if request.card.print and row.card_print and request.card.print != row.card_print:
        return False
    number = request.meaning("original_batch_number")
    named = [name for name in row.named.split() if not number.strip("0") or name.startswith(number)]
    return not stan or any(name.endswith(stan) for name in named)
