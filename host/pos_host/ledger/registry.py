"""All books of the host, by merchant and terminal."""

from __future__ import annotations

from collections.abc import Iterator

from pos_host.ledger.book import Book
from pos_specs.dialect import Dialect


class Registry:
    """The books in memory. `changed` collects those whose state moved since somebody last looked."""

    def __init__(self) -> None:
        self._books: dict[tuple[str, str], Book] = {}
        self._by_terminal: dict[str, list[Book]] = {}
        self._by_no: dict[int, Book] = {}
        self._last_no = 0
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
        return any(mid == merchant_id for mid, _ in self._books)

    def create(self, merchant_id: str, terminal_id: str, dialect: Dialect) -> Book:
        """A book for a terminal not seen before; it counts once its enrolment is committed."""
        return self.add(Book(self._last_no + 1, merchant_id, terminal_id, dialect))

    def add(self, book: Book) -> Book:
        self._books[(book.merchant_id, book.terminal_id)] = book
        self._by_terminal.setdefault(book.terminal_id, []).append(book)
        self._by_no[book.terminal_no] = book
        self._last_no = max(self._last_no, book.terminal_no)
        return book

    def touched(self, book: Book) -> None:
        """Note that a book changed."""
        self.changed.add(book)
        self.changed_for_watch.add(book)
