"""The terminals that have to take a change of their merchant's account over, and which of them did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.book import Book
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import Records, body_of
from pos_host.ledger.registry import Registry
from pos_host.ledger.takeover import TERMINAL_SYNC, can_take_over, owed

SIGN_IN_WITHIN_MS = 24 * 3_600_000
"""How long the command to sign in is of use to a terminal that was asleep."""

SendCommand = Callable[[Book, dict[str, Any]], None]
"""Sends a command to a terminal (MQTT)."""


class ChangeTerminals:
    """Looks at terminals for a change; a change names its terminals from its activation on."""

    def __init__(self, registry: Registry, records: Records) -> None:
        self._registry = registry
        self._records = records

    def of_merchant(self, merchant_id: str) -> list[Book]:
        """The terminals that have to take a change over."""
        books = self._registry.of_merchant(merchant_id)
        return [book for book in books if book.status != "closed" and can_take_over(book.dialect)]

    def waited_for(self, change: RecordRow) -> list[Book]:
        """The terminals that have not taken the change yet; one that was closed since is not waited for."""
        books = [self._registry.of_no(number) for number in body_of(change).get("terminals", ())]
        return [book for book in books if book is not None and book.owed is not None and book.status != "closed"]

    def taken(self, change: RecordRow) -> dict[str, int]:
        """When each terminal took it over (UTC milliseconds), by its number."""
        found = {}
        for number in body_of(change).get("terminals", ()):
            sync = self._records.find(TERMINAL_SYNC, str(number))
            if sync is not None and sync.state == "taken":
                found[str(number)] = sync.changed_at_ms
        return found

    def views(self, change: RecordRow) -> list[dict[str, Any]]:
        """The change's terminals, and whether each has taken it."""
        waiting = {book.terminal_no for book in self.waited_for(change)}
        views = []
        for number in body_of(change).get("terminals", ()):
            book = self._registry.of_no(number)
            if book is not None:
                taken = change.state != "activated" or number not in waiting
                views.append({"terminal_id": book.terminal_id, "taken": taken})
        return views


def owed_by(books: Iterable[Book], change: RecordRow, now_ms: int, what: str) -> list[RecordRow]:
    """The rows that say that each terminal owes to take `what` over."""
    told = {"what": what, "change_id": change.record_id}
    return [owed(book.terminal_no, change.merchant_id, now_ms, told) for book in books]


def ask_to_sign_in(books: Iterable[Book], change_id: str, now_ms: int, send: SendCommand) -> None:
    """Ask terminals to sign in, so that they take the change over soon; one that is not there does so later."""
    expires_at = iso_utc(now_ms + SIGN_IN_WITHIN_MS)
    for book in books:
        command_id = f"account-change-{change_id}-{book.terminal_no}"
        send(book, {"command": "sign_in", "id": command_id, "expires_at": expires_at, "reason": "settlement_account"})
