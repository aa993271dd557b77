"""How a terminal stands: what its own state and its merchant's let it do on the wire."""

from __future__ import annotations

from pos_host.ledger.book import Book
from pos_host.settlement.unsettled import blocking_severities

STANDINGS = ("active", "suspended", "closing", "closed")
"""From the freest to the most restricted; of a terminal and its merchant the more restricted counts."""

REOPENING = "reopening"
"""Kind of the record of a reopening; while it is approved its terminal has to sign in before it sells."""

REPLACEMENT = "replacement"
"""Kind of the record by which one terminal takes the place of another; its id is that of an added terminal."""


def standing_of(book: Book) -> str:
    """The more restricted of the terminal's own state and its merchant's."""
    return max(book.status, book.merchant.status, key=STANDINGS.index)


def closed_outcome(book: Book) -> tuple[str, str] | None:
    """What everything that a closed terminal sends is answered, as outcome and reason; None while it is not closed."""
    if book.merchant.status == "closed":
        return "merchant_closed", f"merchant {book.merchant_id} is closed"
    if book.status == "closed":
        return "terminal_closed", f"terminal {book.terminal_id} is closed"
    return None


def why_no_sales(book: Book) -> str:
    """Why a terminal may begin no sale now, though it may end what was begun; "" when it may."""
    for who, status in ((f"merchant {book.merchant_id}", book.merchant.status), ("the terminal", book.status)):
        if status != "active":
            return f"{who} is {status}: no new sales, everything that ends one is served"
    if book.sign_in_due is not None:
        return "the terminal was reopened and has not signed in yet"
    batch = book.current
    if book.flag is not None and batch is not None:
        severity = book.flag.severity
        if severity in blocking_severities(book.policy.block_sales_when):
            return f"batch {batch.number} is not settled ({severity}): no new sales until it is"
    return ""
