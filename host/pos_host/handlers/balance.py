"""Balance inquiry: what the card's account holds. It moves no money and belongs to no totals."""

from __future__ import annotations

from pos_host.clock import Instant
from pos_host.handlers.issuer import judge
from pos_host.handlers.posting_entry import decline, request_entry
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.decision import Decision
from pos_host.transaction.request import Request

UNKNOWN_BALANCE_MINOR = 100_000
"""What a card holds that is not in the test card table, and is never short of: our choice."""

ACCOUNT_TYPES = {"credit": "30"}
"""Account type of DE54 by the card's product; any other is a savings account, 10 (unionpay.md 2)."""

AVAILABLE = "02"
"""Amount type of DE54: what can be spent."""


def balance(request: Request, book: Book, batch: Batch, now: Instant) -> Decision:
    """Tell the balance of a card that its issuer does not refuse."""
    if not request.card.valid:
        reason = "card number has a wrong length or check digit"
        return decline(request, book, batch, now, "invalid_card", reason)
    judgement = judge(request, 0, now)
    if judgement.outcome != "approved":
        return decline(request, book, batch, now, judgement.outcome, judgement.reason)
    held = UNKNOWN_BALANCE_MINOR if judgement.balance_minor is None else judgement.balance_minor
    rrn = book.next_rrn()
    entry = request_entry(request, book, batch, now, "approved", rrn, "", amount_minor=0)
    return Decision("approved", now.at_ms, rrn, values={"balances": _balances(request, held)}, entries=(entry,))


def _balances(request: Request, held_minor: int) -> str:
    """DE54: account type, amount type, currency, C for a credit balance, twelve digits."""
    card = request.card.test
    account = ACCOUNT_TYPES.get(card.product if card else "", "10")
    return f"{account}{AVAILABLE}{request.currency}C{held_minor:012d}"
