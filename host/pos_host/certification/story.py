"""What one terminal has done so far, as far as more than one rule asks for it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from pos_host.certification.observed import Observed
from pos_host.ledger.book import Batch, Book
from pos_specs.totals import Totals, parse_hypercom, parse_unionpay

BooksAt = Callable[[str, str], Book | None]
"""Merchant and terminal → the host's book of it."""


class Story:
    """One terminal. `reversible` are the functions that it undoes by a reversal.

    `unheard` is the last such request without an answer that can be believed, until it is reversed or answered;
    `requests` are those of the open batch by STAN, `stans` all that were ever sent, `declined` what was refused in the
    open batch. `keys`: "unknown", "good" after a sign-in that was heard, "bad" after one whose keys a rule replaced,
    "unsure" after one whose answer was lost. `records` are those uploaded since the settlement, by place and STAN.
    """

    def __init__(self, merchant_id: str, terminal_id: str, book_at: BooksAt, reversible: Collection[str]) -> None:
        self.merchant_id, self.terminal_id = merchant_id, terminal_id
        self.reversible = reversible
        self.messages = 0
        self.unheard: Observed | None = None
        self.requests: dict[str, Observed] = {}
        self.stans: set[str] = set()
        self.declined: list[Observed] = []
        self.keys = "unknown"
        self.settlement: Observed | None = None
        self.records: dict[tuple[str, str], Observed] = {}
        self._book_at = book_at

    @property
    def book(self) -> Book | None:
        """The host's book of the terminal."""
        return self._book_at(self.merchant_id, self.terminal_id)

    def batch_of(self, seen: Observed) -> Batch | None:
        """The host's batch that a message of the settlement names; the book is as its answer left it."""
        number = seen.exchange.language.meaning("batch_number", seen.request) or ""
        return None if self.book is None or not number else self.book.batch_numbered(number)

    def place(self, seen: Observed) -> None:
        """Before the rules see a message: say what it repeats."""
        if seen.function == "settlement":
            before = self.settlement
            if before is not None and (number_of(before), totals_in(before)) == (number_of(seen), totals_in(seen)):
                seen.again = before
        elif seen.is_trade or seen.is_advice:
            known = self.requests.get(seen.stan)
            if known is not None and seen.repeats(known):
                seen.again = known

    def remember(self, seen: Observed) -> None:
        """After the rules have seen it."""
        self.messages += 1
        if seen.is_trade or seen.is_advice:
            self._remember_request(seen)
        elif seen.is_reversal:
            if seen.heard == "yes":
                self.unheard = None
        elif seen.function == "sign_in":
            self._remember_sign_in(seen)
        elif seen.function == "settlement":
            if seen.again is None or seen.exchange.language.dialect.totals_kind == "hypercom63":
                self.records = {}  # PAX terminals begin a broken upload anew, UnionPay's go on with it
            self.settlement = seen
        elif seen.function == "batch_upload":
            for key in record_keys(seen):
                if seen.heard == "yes":
                    self.records[key] = seen
        if closes_batch(seen):
            self.requests, self.declined = {}, []

    def _remember_request(self, seen: Observed) -> None:
        self.stans.add(seen.stan)
        if seen.again is None:
            self.requests[seen.stan] = seen
            if seen.is_trade:
                self.unheard = None  # the terminal has gone on, with or without a reversal
        if seen.heard == "yes":
            if self.unheard is not None and self.unheard.stan == seen.stan:
                self.unheard = None
            if seen.declined:
                self.declined.append(seen)
        elif seen.function in self.reversible:
            self.unheard = seen

    def _remember_sign_in(self, seen: Observed) -> None:
        if seen.heard != "yes":
            self.keys = "unsure"
        elif seen.exchange.rules:
            self.keys = "bad"
        elif seen.approved:
            self.keys = "good"


def number_of(seen: Observed) -> str:
    """The batch number that a message names, "" where it names none."""
    return (seen.exchange.language.meaning("batch_number", seen.request) or "").strip()


def totals_in(seen: Observed) -> Totals | None:
    """The totals that a settlement or its trailer declares; None where they cannot be read."""
    dialect, fields = seen.exchange.language.dialect, seen.fields
    try:
        if dialect.totals_kind == "hypercom63":
            return parse_hypercom(fields.get(63, ""), dialect.totals_groups)
        return parse_unionpay(fields.get(48, ""))
    except ValueError:
        return None


def wants_upload(seen: Observed) -> bool:
    """Whether the answer to a settlement tells the terminal to upload its batch."""
    return seen.function == "settlement" and seen.exchange.outcome.startswith("out_of_balance")


def closes_batch(seen: Observed) -> bool:
    """Whether the terminal was told that its batch is closed."""
    if seen.heard != "yes" or seen.exchange.outcome not in ("approved", "out_of_balance"):
        return False
    return seen.function == "batch_upload_end" or (seen.function == "settlement" and not wants_upload(seen))


def record_keys(seen: Observed) -> list[tuple[str, str]]:
    """What an upload message tells of: which kind of record (60.3 in UnionPay), and the STAN of each."""
    language = seen.exchange.language
    if language.dialect.totals_kind == "hypercom63":
        return [("", (language.meaning("original_stan", seen.request) or "").strip())]
    parts: dict[str, Any] = language.parts.of(seen.request, 48) or {}
    kind = seen.fields.get(60, "")[8:11]
    if "records" in parts:
        return [(kind, str(record.get("stan", ""))) for record in parts["records"]]
    return [(kind, seen.stan)]
