"""Events as the journal tells them: an entry's sequence is the event's, in the same commit as the books."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from pos_host.journal import Journal, StoredEntry
from pos_host.ledger.book import Book
from pos_host.ledger.entry import APPROVALS, FINANCIAL, PAYOUT, Entry
from pos_host.ledger.host_settlement import JUDGED
from pos_host.ledger.registry import Registry
from pos_host.merchants.desk import OFFICE
from pos_host.publishing.events import Event, cloud_event
from pos_host.views import current_batch_view, unsettled_view, without_prints

PUBLISHED = "published"
"""The name of the publisher's cursor in the store."""

_KINDS = {
    "reversal_of_closed": "transaction.reversal_of_settled",
    "answer_undelivered": "transaction.answer_undelivered",
    "sign_in": "terminal.signed_in",
    "sign_off": "terminal.signed_off",
    "parameters": "terminal.parameters_sent",
    "status": "terminal.status_received",
    "script_result": "transaction.script_result_received",
    "signature": "transaction.signature_received",
    "tc_advice": "transaction.certificate_received",
    "settlement": "batch.totals_received",
    "batch_upload": "batch.records_received",
    "batch_upload_end": "batch.upload_ended",
    "batch_opened": "batch.opened",
    "upload_begun": "batch.upload_begun",
    "terminal_enrolled": "terminal.enrolled",
    "late_totals": "batch.late_totals_received",
    "late_notice": "transaction.told_late",
    "unsettled": "terminal.unsettled",
    "reminded": "terminal.reminded",
    "after_closing": "terminal.late_message",
}


JUDGED_TYPES = {
    "settled": "terminal.settled_by_host",
    "dry_run": "batch.would_be_settled",
    "carried_over": "batch.carried_over",
    "held": "batch.held_for_review",
}
"""What the host made of a forgotten batch, as the type of its event."""


def cloud_events_of(journal: Journal, registry: Registry) -> Callable[[int, int], Awaitable[list[dict[str, Any]]]]:
    """A function that gives the events after a sequence as CloudEvents, for the API."""

    async def after(sequence: int, limit: int) -> list[dict[str, Any]]:
        stored = await journal.entries_after(sequence, limit)
        return [cloud_event(event_of(item, registry), journal.store_id) for item in stored]

    return after


class JournalEvents:
    """The journal's entries as events, and where the publisher has got to."""

    def __init__(self, journal: Journal, registry: Registry) -> None:
        self.source_id = journal.store_id
        self.wake = asyncio.Event()
        self._journal = journal
        self._registry = registry

    async def events_after(self, sequence: int, limit: int) -> list[Event]:
        """Events after `sequence`, in order, at most `limit`."""
        stored = await self._journal.entries_after(sequence, limit)
        return [event_of(item, self._registry) for item in stored]

    async def published_through(self) -> int:
        return await self._journal.get_mark(PUBLISHED)

    async def save_published(self, sequence: int) -> None:
        await self._journal.set_mark(PUBLISHED, sequence)


class BookBoard:
    """What is retained on MQTT: each terminal's batch and flag as they stand."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def take_changed(self) -> set[tuple[str, str]]:
        changed, self._registry.changed = self._registry.changed, set()
        return {(book.merchant_id, book.terminal_id) for book in changed}

    def batch_state(self, merchant_id: str, terminal_id: str) -> dict[str, Any] | None:
        book = self._registry.find(merchant_id, terminal_id)
        current = None if book is None else book.uploading or book.current
        return None if current is None else current_batch_view(current)

    def unsettled_state(self, merchant_id: str, terminal_id: str) -> dict[str, Any] | None:
        book = self._registry.find(merchant_id, terminal_id)
        return None if book is None else unsettled_view(book)

    def all_terminals(self) -> list[tuple[str, str]]:
        return [(book.merchant_id, book.terminal_id) for book in self._registry if book.enrolled]


def event_of(stored: StoredEntry, registry: Registry) -> Event:
    """The event an entry is; every entry is one, so the sequence has no gaps."""
    entry = stored.entry
    book = registry.of_no(entry.terminal_no)
    merchant_id, terminal_id = _subject(book)
    if entry.kind == OFFICE and not merchant_id:
        merchant_id = json.loads(entry.detail)["merchant_id"]
    return Event(stored.sequence, event_type(entry), merchant_id, terminal_id, entry.at_ms, _data(entry))


def event_type(entry: Entry) -> str:
    """`transaction.approved`, `batch.settled` and so on."""
    if entry.kind in FINANCIAL:
        return "transaction.approved" if entry.outcome in APPROVALS else "transaction.declined"
    if entry.kind == "reversal":
        return "transaction.reversed" if entry.outcome == "approved" else "transaction.declined"
    if entry.kind == "balance":
        return "transaction.balance_told" if entry.outcome == "approved" else "transaction.declined"
    if entry.kind == "batch_closed":
        balanced = json.loads(entry.detail)["result"] != "out_of_balance"
        return "batch.settled" if balanced else "batch.out_of_balance"
    if entry.kind == OFFICE:
        return str(json.loads(entry.detail)["type"])
    if entry.kind == PAYOUT:
        return f"payout.{json.loads(entry.detail)['state']}"
    if entry.kind == JUDGED:
        return JUDGED_TYPES[json.loads(entry.detail)["result"]]
    return _KINDS.get(entry.kind, "transaction.declined")


def _subject(book: Book | None) -> tuple[str, str]:
    return ("", "") if book is None else (book.merchant_id, book.terminal_id)


def _data(entry: Entry) -> dict[str, Any]:
    """The entry's own columns that say something; the card's print stays inside."""
    data: dict[str, Any] = {"function": entry.kind, "outcome": entry.outcome}
    for name in ("mti", "stan", "rrn", "approval_code", "card", "currency", "invoice"):
        value = getattr(entry, name)
        if value:
            data[name] = value
    if entry.amount_minor:
        data["amount_minor"] = entry.amount_minor
    if entry.batch_id:
        data["batch_id"] = entry.batch_id
    if entry.detail:
        data["detail"] = without_prints(json.loads(entry.detail))
    return data
