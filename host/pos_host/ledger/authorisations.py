"""What becomes of a pre-authorisation, entry by entry: the same rule makes its row live and proves it in `verify`."""

from __future__ import annotations

import json
from typing import Any

from pos_host.ledger.book import Book
from pos_host.ledger.entry import AuthorisationRow, Entry

COUNTS = 1_000_000
"""Numbers within a batch: the six digits of the terminal's own count in an RRN."""


def authorisation_no_of(entry: Entry) -> int | None:
    """The number of the authorisation an entry speaks of; None for one that speaks of none."""
    if '"authorisation"' not in entry.detail:
        return None
    number: int | None = json.loads(entry.detail).get("authorisation")
    return number


def next_authorisation_no(batch_id: int, rrn: str) -> int:
    """The number of the authorisation that an auth with this RRN opens."""
    return batch_id * COUNTS + int(rrn[-6:])


def after(row: AuthorisationRow | None, entry: Entry) -> AuthorisationRow:
    """The authorisation once `entry` (an auth, its void, its completion or the void of that) was posted.

    Raises KeyError where `row` is None and the entry does not open one.
    """
    if row is None:
        return _opened(entry, json.loads(entry.detail))
    if entry.kind == "auth":
        named = f"{row.named} {json.loads(entry.detail)['batch_number']}{entry.stan}"
        row = row._replace(amount_minor=row.amount_minor + entry.amount_minor, named=named)
    elif entry.kind == "auth_void":
        row = row._replace(state="voided")
    elif entry.original:  # the void of its completion
        row = row._replace(state="open", completed_minor=0)
    else:
        row = row._replace(state="completed", completed_minor=entry.amount_minor)
    return row._replace(batch_id=entry.batch_id)


def after_reversal(row: AuthorisationRow, reversed_entry: Entry) -> AuthorisationRow:
    """The authorisation once that entry was taken back: as it stood before it."""
    if reversed_entry.kind == "auth":
        left_minor = row.amount_minor - reversed_entry.amount_minor
        row = row._replace(amount_minor=left_minor, state=row.state if left_minor else "reversed")
    elif reversed_entry.original:
        row = row._replace(state="completed", completed_minor=reversed_entry.amount_minor)
    else:
        row = row._replace(state="open", completed_minor=0)
    return row._replace(batch_id=reversed_entry.batch_id)


def forget_finished(book: Book) -> None:
    """Keep what is open, and what changed in a remembered batch; what had expired when the last one closed goes too."""
    remembered = {batch.batch_id for batch in book.batches}
    closed_at_ms = max((batch.closed_at_ms for batch in book.batches), default=0)
    book.authorisations = {
        number: row
        for number, row in book.authorisations.items()
        if row.batch_id in remembered or (row.state == "open" and row.expires_at_ms > closed_at_ms)
    }


def has_expired(row: AuthorisationRow, at_ms: int) -> bool:
    """Whether an authorisation is open too late to be completed at `at_ms`."""
    return row.state == "open" and at_ms >= row.expires_at_ms


def _opened(entry: Entry, detail: dict[str, Any]) -> AuthorisationRow:
    return AuthorisationRow(
        authorisation_no=detail["authorisation"],
        terminal_no=entry.terminal_no,
        state="open",
        batch_id=entry.batch_id,
        named=f"{detail['batch_number']}{entry.stan}",
        approval_code=entry.approval_code,
        rrn=entry.rrn,
        card=entry.card,
        card_print=entry.card_print,
        currency=entry.currency,
        amount_minor=entry.amount_minor,
        completed_minor=0,
        authorised_at_ms=entry.at_ms,
        expires_at_ms=detail["expires_at_ms"],
    )
