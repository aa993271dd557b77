"""The states of terminals and merchants: who trades, who only ends what was begun, who is closed."""

from __future__ import annotations

from typing import NamedTuple

from pos_host.ledger.book import Book
from pos_host.ledger.entry import Row
from pos_host.ledger.merchant import MERCHANT
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of, record
from pos_host.ledger.registry import Registry
from pos_host.ledger.rows import terminal_row
from pos_host.ledger.standing import standing_of
from pos_host.merchants.desk import Refused, Subject
from pos_host.merchants.lives import Life

TERMINAL = Life(
    "terminal",
    "active",
    {
        # sells
        "active": {"suspend": "suspended", "begin_closing": "closing", "replace": "closed"},
        # sells nothing, ends what was begun; payouts are held where the reason says so
        "suspended": {"resume": "active", "go_on_closing": "closing", "close": "closed", "replace": "closed"},
        # sells nothing, ends what was begun
        "closing": {"suspend": "suspended", "withdraw": "active", "close": "closed", "replace": "closed"},
        # everything it sends is refused and kept; it may have been replaced, and then it stays closed
        "closed": {"reopen": "active"},
    },
)

MERCHANT_STATES = Life(
    "merchant",
    "active",
    {
        "active": {"suspend": "suspended", "begin_closing": "closing"},
        "suspended": {"resume": "active", "go_on_closing": "closing", "close": "closed"},
        "closing": {"suspend": "suspended", "withdraw": "active", "close": "closed"},
        # its terminals are closed too; each is reopened by itself once the merchant is
        "closed": {"reopen": "active"},
    },
)

SUSPENSION = "suspension"
"""Kind of the record of the last suspension; its id says of what."""


class Whom(NamedTuple):
    """A terminal, by its book, or with None a whole merchant."""

    merchant_id: str
    book: Book | None = None

    @property
    def terminal_no(self) -> int:
        """0 for a merchant."""
        return 0 if self.book is None else self.book.terminal_no

    @property
    def name(self) -> str:
        return f"merchant {self.merchant_id}" if self.book is None else f"terminal {self.book.terminal_id}"

    @property
    def life(self) -> Life:
        return MERCHANT_STATES if self.book is None else TERMINAL

    @property
    def record_id(self) -> str:
        """Of a record of which there is one for each terminal and merchant."""
        return f"merchant/{self.merchant_id}" if self.book is None else f"terminal/{self.book.terminal_no}"

    def subject(self) -> Subject:
        """For the desk: what is done to a terminal is done in its turn."""
        return Subject(self.name, self.merchant_id, self.book)


def merchant_known(registry: Registry, merchant_id: str) -> Whom:
    """A whole merchant; raises Refused (404) for one that nobody knows."""
    if registry.records.find(MERCHANT, merchant_id) is None:
        raise Refused("unknown_merchant", f"merchant {merchant_id} is not known", status=404)
    return Whom(merchant_id)


def state_of(registry: Registry, whom: Whom) -> str:
    """Its own state; a merchant's does not show in its terminals' own."""
    return registry.merchant(whom.merchant_id).status if whom.book is None else whom.book.status


def state_row(registry: Registry, whom: Whom, state: str, now_ms: int) -> Row:
    """The row that puts a terminal or merchant into another state; nothing else of it changes."""
    if whom.book is not None:
        return terminal_row(whom.book, now_ms)._replace(status=state)
    kept = registry.records.find(MERCHANT, whom.merchant_id)
    return record(MERCHANT, whom.merchant_id, whom.merchant_id, state, now_ms, {} if kept is None else body_of(kept))


def suspension_of(registry: Registry, whom: Whom) -> RecordRow | None:
    """The last suspension, whether it still holds or not."""
    return registry.records.find(SUSPENSION, whom.record_id)


def holds_payouts(registry: Registry, book: Book) -> str:
    """Why the payouts of a terminal are held, or "": it or its merchant is suspended for a reason that says so."""
    if standing_of(book) == "active":
        return ""
    for whom in (Whom(book.merchant_id, book), Whom(book.merchant_id)):
        row = suspension_of(registry, whom)
        if row is not None and state_of(registry, whom) == "suspended" and body_of(row)["holds_payouts"]:
            return "terminal_suspended" if whom.book is not None else "merchant_suspended"
    return ""
