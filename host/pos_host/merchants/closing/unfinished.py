"""Unfinished business: what a terminal that is to be closed still leaves open, and what ends each of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from pos_host.clock import iso_utc
from pos_host.ledger.authorisations import has_expired
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.group_totals import has_money, sides
from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.ledger.registry import Registry
from pos_host.money.payout_steps import reasons_of

BATCH, UPLOAD, UNDELIVERED, AUTHORISATION, PAYOUT = (
    "batch_unsettled",
    "upload_running",
    "answer_undelivered",
    "authorisation_open",
    "payout_open",
)
"""Kinds of unfinished business."""

MAY_BE_HANDED_OVER = frozenset({UNDELIVERED, AUTHORISATION})
"""Kinds that somebody may take over and so end for the terminal; money in a batch or payout is never taken over."""


class Unfinished(NamedTuple):
    """One thing. `id` names it as long as it stands, `amount_minor` in minor units of `currency`."""

    id: str
    kind: str
    terminal_id: str
    concerns: str
    remedy: str
    amount_minor: int
    currency: str

    def view(self) -> dict[str, Any]:
        """As the API shows it."""
        return {**self._asdict(), "may_be_handed_over": self.kind in MAY_BE_HANDED_OVER}


def unfinished_of(registry: Registry, book: Book, now_ms: int) -> list[Unfinished]:
    """What a terminal leaves open at `now_ms` (UTC): batches, uploads, answers, pre-authorisations, payouts."""
    found = [thing for batch in book.batches if not batch.closed for thing in _of_batch(book, batch)]
    found += _authorisations(book, now_ms)
    return found + _payouts(row for row in registry.payouts.values() if row.terminal_no == book.terminal_no)


def unfinished_of_merchant(registry: Registry, merchant_id: str, now_ms: int) -> list[Unfinished]:
    """What all terminals of a merchant leave open, and what is paid to it for none of them."""
    found = [thing for book in registry.of_merchant(merchant_id) for thing in unfinished_of(registry, book, now_ms)]
    mine = (row for row in registry.payouts.values() if row.merchant_id == merchant_id and not row.terminal_no)
    return found + _payouts(mine)


def _of_batch(book: Book, batch: Batch) -> Iterator[Unfinished]:
    debit, credit = sides(batch)
    net_minor, currency = debit.amount_minor - credit.amount_minor, batch.currency or batch.dialect.currency
    tid, named = book.terminal_id, f"batch {batch.number}"
    if has_money(batch):
        remedy = "settle it at the terminal, or have the host settle it"
        text = f"{named}: {debit.count} debits, {credit.count} credits"
        yield Unfinished(f"batch:{batch.batch_id}", BATCH, tid, text, remedy, net_minor, currency)
    if batch.state == "uploading":
        remedy = "let the terminal end its upload, or have the host settle the batch"
        text = f"{named}: its records come in"
        yield Unfinished(f"upload:{batch.batch_id}", UPLOAD, tid, text, remedy, net_minor, currency)
    for stan, since_ms in batch.undelivered.items():
        original = batch.by_stan.get(stan)
        if original is not None and not original.reversed:
            text = f"{named}, trace {stan}: approved at {iso_utc(since_ms)}, the answer did not arrive"
            remedy = "let the terminal reverse it, void it, or hand it over to somebody who asks the cardholder"
            thing_id, amount_minor = f"answer:{batch.batch_id}:{stan}", original.amount_minor
            yield Unfinished(thing_id, UNDELIVERED, tid, text, remedy, amount_minor, original.entry.currency)


def _authorisations(book: Book, now_ms: int) -> list[Unfinished]:
    remedy = "complete it, void it, or hand it over to another terminal of the merchant"
    return [
        Unfinished(
            f"authorisation:{row.authorisation_no}",
            AUTHORISATION,
            book.terminal_id,
            f"pre-authorisation {row.approval_code} of card {row.card}, until {iso_utc(row.expires_at_ms)}",
            remedy,
            row.amount_minor,
            row.currency,
        )
        for row in book.authorisations.values()
        if row.state == "open" and not has_expired(row, now_ms)
    ]


def _payouts(rows: Iterable[PayoutRow]) -> list[Unfinished]:
    return [
        Unfinished(
            f"payout:{row.payout_id}",
            PAYOUT,
            "",
            f"payout {row.payout_id} is {row.state}" + (f": {', '.join(reasons_of(row))}" if reasons_of(row) else ""),
            "have it released or returned" if row.state == "held" else f"it is made on {row.due_day}",
            row.net_minor,
            row.currency,
        )
        for row in sorted(rows, key=lambda row: row.payout_id)
    ]
