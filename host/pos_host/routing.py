"""From a request to its decision: repeats, the batch it belongs to, then its handler. Pure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pos_host.clock import Instant
from pos_host.handlers.adjust import adjust
from pos_host.handlers.after_closing import after_closing
from pos_host.handlers.authorisation import auth, auth_void
from pos_host.handlers.balance import balance
from pos_host.handlers.batch_upload import batch_upload, batch_upload_end
from pos_host.handlers.completion import completion
from pos_host.handlers.network import echo, sign_in, sign_off
from pos_host.handlers.notices import script_result, signature, tc_advice
from pos_host.handlers.parameters import parameters
from pos_host.handlers.posting_entry import decline, repeat_of
from pos_host.handlers.purchase import purchase
from pos_host.handlers.refund import refund
from pos_host.handlers.reversal import reversal, reversal_key
from pos_host.handlers.settlement import settlement
from pos_host.handlers.status import status
from pos_host.handlers.told_sale import told_sale
from pos_host.handlers.void import void
from pos_host.ledger.book import Batch, Book, Transaction
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import FINANCIAL, NEW_SALES
from pos_host.ledger.posting import BooksDamaged
from pos_host.ledger.records import changed
from pos_host.ledger.standing import closed_outcome, why_no_sales
from pos_host.security.issuing import KeyIssuer
from pos_host.transaction.request import CardReader, Request

Handler = Callable[[Request, Book, Batch, Instant], Decision]


class Router:
    """The functions the host serves, and what is checked before each."""

    def __init__(self, cards: CardReader, issuer: KeyIssuer | None = None) -> None:
        self._cards = cards
        self._issuer = issuer
        self.handlers: dict[str, Handler] = {
            "sign_in": self._sign_in,
            "sign_off": sign_off,
            "echo": lambda request, book, batch, now: echo(now),
            "purchase": purchase,
            "purchase_void": void,
            "cash_advance": purchase,
            "refund": refund,
            "refund_void": void,
            "auth": auth,
            "auth_void": auth_void,
            "completion": completion,
            "completion_advice": told_sale,
            "completion_void": void,
            "offline_purchase": told_sale,
            "adjust": adjust,
            "reversal": reversal,
            "settlement": settlement,
            "batch_upload": partial(batch_upload, cards=cards),
            "batch_upload_end": batch_upload_end,
            "parameters": parameters,
            "status": status,
            "balance": balance,
            "script_result": script_result,
            "signature": signature,
            "tc_advice": tc_advice,
        }

    def decide(self, request: Request, book: Book, now: Instant) -> Decision:
        """The decision on a complete request of an enrolled terminal."""
        batch = book.current
        if batch is None:
            raise BooksDamaged(f"terminal {book.terminal_id} is enrolled and has no batch")
        if book.status == "closed" or book.merchant.status == "closed":
            refused = closed_outcome(book)
            if refused is not None:
                return after_closing(request, book, now, self._cards, *refused)
        if book.dialect is not request.language.dialect:
            reason = f"the terminal's open batch is in {book.dialect.name}"
            return decline(request, book, None, now, "not_allowed_now", reason)
        if request.function in FINANCIAL:
            repeat = _repeat(request, book)
            if repeat is not None:
                return _same_or_differs(request, book, batch, now, repeat)
            wrong = _wrong_batch(request, book, batch)
            if wrong is not None:
                return decline(request, book, None, now, *wrong)
            if request.function in NEW_SALES and (
                book.status != "active" or book.merchant.status != "active" or book.flag or book.sign_in_due
            ):
                reason = why_no_sales(book)
                if reason:
                    return decline(request, book, None, now, "not_allowed_now", reason)
        elif request.function == "reversal":
            repeat = _repeated_reversal(request, book)
            if repeat is not None and (repeat.original or _asks_the_same(request, repeat)):
                return _same_or_differs(request, book, batch, now, repeat)
        return self.handlers[request.function](request, book, batch, now)

    def _sign_in(self, request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
        """A reopened terminal may sell again from its sign-in on."""
        decision = sign_in(request, book, batch, now, self._issuer)
        due = book.sign_in_due
        if due is None or decision.outcome != "approved":
            return decision
        return decision._replace(rows=(*decision.rows, changed(due, "signed_in", now.at_ms)))


def _asks_the_same(request: Request, stored: Transaction) -> bool:
    return request.same_content(stored.function, stored.asked_minor, stored.card_print)


def _same_or_differs(request: Request, book: Book, batch: Batch, now: Instant, stored: Transaction) -> Decision:
    if _asks_the_same(request, stored):
        return repeat_of(stored)
    reason = f"STAN {request.stan} was already used for another amount, card or function"
    decision = decline(request, book, batch, now, "duplicate_differs", reason)
    unkeyed = tuple(entry._replace(key="", kind="refused") for entry in decision.entries)
    return decision._replace(entries=unkeyed)


def _repeat(request: Request, book: Book) -> Transaction | None:
    """The stored transaction of this identity, in the batch the message means.

    Where messages name no batch, only batches that their terminal has not settled are meant: then STANs begin again.
    """
    number = request.batch_number
    for batch in reversed(book.batches):
        if (batch.number == number) if number else (not batch.closed or batch.awaits_terminal):
            found = batch.answers.get(request.key)
            if found is not None:
                return found
    return None


def _repeated_reversal(request: Request, book: Book) -> Transaction | None:
    for batch in reversed(book.batches):
        found = batch.reversals.get(reversal_key(request, batch))
        if found is not None and (not batch.closed or batch.awaits_terminal or request.batch_number):
            return found
    return None


def _wrong_batch(request: Request, book: Book, batch: Batch) -> tuple[str, str] | None:
    """Whether the message's batch number may trade now (unionpay.md 8a); other dialects name none."""
    if request.language.dialect.batch.number != "sign_in":
        return None
    number = request.batch_number
    if batch.state == "uploading" and number in (batch.number, batch.dialect.batch.after(batch.number)):
        return "not_allowed_now", f"batch {batch.number} is being uploaded"
    if number != batch.number:
        return "wrong_batch", f"batch {number or '(none)'} is not the open one, {batch.number}"
    return None
