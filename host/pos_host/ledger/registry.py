"""All books of the host, by merchant and terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pos_host.ledger.added_terminal import ADDED_TERMINAL, added_terminal_id
from pos_host.ledger.book import Book
from pos_host.ledger.entry import Row
from pos_host.ledger.merchant import MERCHANT, Merchant
from pos_host.ledger.merchant_rows import PayoutRow, RecordRow
from pos_host.ledger.open_payouts import OpenPayouts
from pos_host.ledger.records import Records, body_of
from pos_host.ledger.standing import REOPENING, REPLACEMENT
from pos_host.ledger.takeover import TERMINAL_SYNC
from pos_host.settlement.policy import Policy
from pos_specs.dialect import Dialect


class Registry:
    """The books in memory, and the merchant's side beside them: records, and the payouts that are not ended, by number.

    `changed` collects the books whose state moved since somebody last looked; `policy_of` says which policy a new one
    comes under.
    """

    def __init__(self) -> None:
        self._books: dict[tuple[str, str], Book] = {}
        self._by_terminal: dict[str, list[Book]] = {}
        self._by_no: dict[int, Book] = {}
        self._last_no = 0
        self._merchants: dict[str, Merchant] = {}
        self.records = Records()
        self.payouts = OpenPayouts()
        self.policy_of: Callable[[Book], Policy] | None = None
        self._products: Any = None
        self.changed: set[Book] = set()
        self.changed_for_watch: set[Book] = set()

    def __len__(self) -> int:
        return len(self._books)

    def __iter__(self) -> Iterator[Book]:
        return iter(list(self._books.values()))

    def find(self, merchant_id: str, terminal_id: str) -> Book | None:
        """The book of a terminal; without a merchant the only one of that terminal id."""
        if merchant_id:
            return self._books.get((merchant_id, terminal_id))
        found = self._by_terminal.get(terminal_id, [])
        return found[0] if len(found) == 1 else None

    def of_terminal(self, terminal_id: str) -> list[Book]:
        """Every enrolled terminal of that id, one per merchant."""
        return [book for book in self._by_terminal.get(terminal_id, []) if book.enrolled]

    def of_no(self, terminal_no: int) -> Book | None:
        return self._by_no.get(terminal_no)

    def knows_merchant(self, merchant_id: str) -> bool:
        merchant = self._merchants.get(merchant_id)
        return merchant is not None and (merchant.recorded or any(mid == merchant_id for mid, _ in self._books))

    def knows_terminal(self, merchant_id: str, terminal_id: str) -> bool:
        """Whether the terminal is enrolled, or was added and may enrol."""
        book = self._books.get((merchant_id, terminal_id))
        return (book is not None and book.enrolled) or self.expects(merchant_id, terminal_id)

    def expects(self, merchant_id: str, terminal_id: str) -> bool:
        """Whether the terminal was added to the merchant, so that its first message enrols it."""
        return self.records.find(ADDED_TERMINAL, added_terminal_id(merchant_id, terminal_id)) is not None

    def merchant(self, merchant_id: str) -> Merchant:
        """The merchant of that number; one that nobody has heard of yet is active and not recorded."""
        return self._merchants.setdefault(merchant_id, Merchant(merchant_id))

    def of_merchant(self, merchant_id: str) -> list[Book]:
        """The merchant's enrolled terminals, in the order of enrolment."""
        mine = [book for book in self._books.values() if book.merchant_id == merchant_id and book.enrolled]
        return sorted(mine, key=lambda book: book.terminal_no)

    def apply(self, rows: Iterable[Row]) -> None:
        """Take over what was committed of the merchant's side; other rows are the books' own."""
        for row in rows:
            if isinstance(row, RecordRow):
                self.records.take(row)
                if row.kind == MERCHANT:
                    self.merchant(row.record_id).take(row)
                elif row.kind == TERMINAL_SYNC:
                    self._by_no[int(row.record_id)].owed = row if row.state == "waiting" else None
                elif row.kind == REOPENING:
                    self._reopen(row)
                elif row.kind == REPLACEMENT:
                    self._succeed(row)
            elif isinstance(row, PayoutRow):
                self.payouts.take(row)

    def create(self, merchant_id: str, terminal_id: str, dialect: Dialect) -> Book:
        """A book for a terminal not seen before; it counts once its enrolment is committed."""
        return self.add(Book(self._last_no + 1, merchant_id, terminal_id, dialect))

    def add(self, book: Book) -> Book:
        book.merchant = self.merchant(book.merchant_id)
        replacement = self.records.find(REPLACEMENT, added_terminal_id(book.merchant_id, book.terminal_id))
        book.products = self._products
        if self.policy_of is not None:
            book.policy = self.policy_of(book)
        self._books[(book.merchant_id, book.terminal_id)] = book
        self._by_terminal.setdefault(book.terminal_id, []).append(book)
        self._by_no[book.terminal_no] = book
        self._last_no = max(self._last_no, book.terminal_no)
        if replacement is not None:
            self._succeed(replacement)
        return book

    def charge_by(self, products: Any) -> None:
        """Have every transaction from now on charged by the acquirer's own table of products (ChargedProducts)."""
        self._products = products
        for book in self:
            book.products = products

    def _reopen(self, row: RecordRow) -> None:
        """A reopened terminal has to sign in; a merchant's reopening is about no terminal."""
        book = self._by_no.get(body_of(row)["terminal_no"])
        if book is not None and row.state in ("approved", "signed_in"):
            book.sign_in_due = row if row.state == "approved" else None

    def _succeed(self, row: RecordRow) -> None:
        """Put a terminal into the place of the one before it, once the host has heard of both."""
        body = body_of(row)
        book = self._books.get((row.merchant_id, body["new_terminal_id"]))
        if book is not None:
            book.replaces, book.predecessor = row, self._by_no.get(body["old_terminal_no"])

    def touched(self, book: Book) -> None:
        """Note that a book changed."""
        self.changed.add(book)
        self.changed_for_watch.add(book)
