"""The entry a financial decision posts, and the decision around it: the same for every handler."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pos_host.clock import Instant
from pos_host.handlers.issuer import Judgement
from pos_host.ledger.book import Batch, Book, Transaction, approval_code_of
from pos_host.ledger.decision import NO_VALUES, Decision
from pos_host.ledger.entry import APPROVALS, CHARGED, Entry
from pos_host.transaction.request import Request
from pos_specs.vocabulary import DECLINED_BY_RULE

if TYPE_CHECKING:
    from pos_host.money.charged_product import ChargedProducts

new = tuple.__new__
"""Makes a NamedTuple of all its columns without the call of its own `__new__`: for the two that every message needs."""


def approve(request: Request, book: Book, batch: Batch, now: Instant, **extra: Any) -> Decision:
    """An approval: posts the entry with an RRN and approval code of the terminal's own sequence.

    `extra` sets further columns of the entry (`original`, `organisation`, `detail` …).
    """
    rrn = book.next_rrn()
    code = approval_code_of(rrn)
    entry = request_entry(request, book, batch, now, "approved", rrn, code, **extra)
    return new(Decision, ("approved", now.at_ms, rrn, code, NO_VALUES, (entry,), (), ""))


def approval(
    request: Request,
    book: Book,
    batch: Batch,
    now: Instant,
    *,
    outcome: str = "approved",
    approval_code: str = "",
    **extra: Any,
) -> Decision:
    """An approval that is not a plain one: of a part, or under an approval code that was given before."""
    rrn = book.next_rrn()
    code = approval_code or approval_code_of(rrn)
    entry = request_entry(request, book, batch, now, outcome, rrn, code, **extra)
    return Decision(outcome, now.at_ms, rrn, code, values_of(entry), (entry,))


def part_of(judged: Judgement, asked_minor: int, detail: dict[str, Any]) -> dict[str, Any]:
    """The columns of an approval that may be of a part only: its amount, and in its detail what was asked for."""
    if judged.outcome == "partially_approved":
        detail = {**detail, "asked_minor": asked_minor}
    return {"amount_minor": judged.amount_minor, "detail": json.dumps(detail)}


def values_of(entry: Entry) -> Mapping[str, str]:
    """What the answer says besides what every answer does: the amount of a part that was approved, a rule's code."""
    if entry.outcome == DECLINED_BY_RULE:
        return {"response_code": json.loads(entry.detail)["response_code"]}
    return {"approved_amount": f"{entry.amount_minor:012d}"} if entry.outcome == "partially_approved" else NO_VALUES


def decline(request: Request, book: Book, batch: Batch | None, now: Instant, outcome: str, reason: str) -> Decision:
    """A refusal by name: it is journalled like an approval, so that the same request gets the same answer.

    Without a batch it is journalled as `refused`: no batch remembers it. It stands beside the current one,
    so that a host that recovers counts its RRN.
    """
    rrn = book.next_rrn()
    detail = json.dumps({"reason": reason, "function": request.function})
    entry = request_entry(request, book, batch or book.current, now, outcome, rrn, "", detail=detail)
    if batch is None:
        entry = entry._replace(kind="refused", key="")
    return Decision(outcome, now.at_ms, rrn, entries=(entry,), reason=reason)


def request_entry(
    request: Request,
    book: Book,
    batch: Batch | None,
    now: Instant,
    outcome: str,
    rrn: str,
    approval_code: str,
    *,
    kind: str = "",
    amount_minor: int | None = None,
    organisation: str | None = None,
    account: str | None = None,
    currency: str = "",
    original: str = "",
    detail: str = "",
    product: str = "",
) -> Entry:
    """The journal's entry of a request; the card appears masked and as a print only.

    What is given by keyword stands in place of what the request says. In the order of Entry's columns.
    """
    card_print, masked, known_organisation, _, _ = request.card
    function = kind or request.function
    if function in CHARGED and not product and outcome in APPROVALS:
        product = charged_as(request, book)
    columns = (
        function,
        book.terminal_no,
        batch.batch_id if batch else 0,
        now.at_ms,
        outcome,
        request.message.mti,
        request.stan,
        request.key,
        (request.amount_minor or 0) if amount_minor is None else amount_minor,
        currency or request.currency,
        masked,
        card_print,
        known_organisation if organisation is None else organisation,
        request.meaning("account_type") if account is None else account,
        rrn,
        approval_code,
        request.invoice,
        original,
        detail,
        product,
    )
    return new(Entry, columns)


def charged_as(request: Request, book: Book) -> str:
    """What a fee would be taken for, by the acquirer's own table or the shipped one: the column `product` of its
    entry."""
    return (book.products or _charged_products()).of(request)


@lru_cache(1)
def _charged_products() -> ChargedProducts:
    """Loaded with the first money: a host that starts has no use for it."""
    from pos_host.money.charged_product import ChargedProducts
    from pos_host.money.products import shipped_products

    return ChargedProducts(shipped_products())


def repeat_of(transaction: Transaction) -> Decision:
    """The stored decision once more; posts nothing."""
    entry = transaction.entry
    return Decision(entry.outcome, entry.at_ms, entry.rrn, entry.approval_code, values_of(entry), reason="repeat")
