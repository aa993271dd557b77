"""The events that a merchant may see: those of its own terminals and its own affairs, without the acquirer's people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pos_host.entry_walk import Range, Walk, walk
from pos_host.event_log import event_of
from pos_host.journal import EntryQuestion, Journal, StoredEntry
from pos_host.ledger.registry import Registry
from pos_host.publishing.events import Event, cloud_event

SEEN = (
    "transaction.",
    "batch.",
    "terminal.",
    "payout.",
    "merchant.",
    "settlement_application.",
    "settlement_account.",
    "settlement_holder.",
    "closure.",
    "reopening.",
    "policy.",
    "fee_schedule.",
    "calendar.",
    "complaint.",
    "document.kept",
)
"""What the type of such an event begins with. What is not named here, a new type among it, no merchant sees: patterns
that the risk view looks at, escalations, refusals, users and their rights are the acquirer's."""

_OF_THE_OFFICE = frozenset({"actor", "action", "audit_no", "digest"})
"""Keys of a detail that tell who of the acquirer's people did it."""


EventsOfMerchant = Callable[[str, int, int], Awaitable[tuple[list[dict[str, Any]], int | None]]]


def merchant_events_of(journal: Journal, registry: Registry) -> EventsOfMerchant:
    """A function that gives a merchant's events after a sequence, in order, as CloudEvents, and the sequence from which
    the next page goes on (None at the end)."""

    async def events_of_merchant(merchant_id: str, after: int, limit: int) -> tuple[list[dict[str, Any]], int | None]:
        return await _events_of_merchant(journal, registry, merchant_id, after, limit)

    return events_of_merchant


async def _events_of_merchant(
    journal: Journal, registry: Registry, merchant_id: str, after: int, limit: int
) -> tuple[list[dict[str, Any]], int | None]:
    mine = tuple(book.terminal_no for book in registry.of_merchant(merchant_id))

    def fits(stored: StoredEntry) -> bool:
        event = event_of(stored, registry)
        return event.merchant_id == merchant_id and event.type.startswith(SEEN)

    made = Walk(Range(after + 1, await journal.last_sequence()), limit, fits)
    await walk(journal, EntryQuestion({"terminal_no": (0, *mine)}), made)
    shown = [_without_people(event_of(stored, registry)) for stored in made.found]
    return [cloud_event(event, journal.store_id) for event in shown], made.cursor


def _without_people(event: Event) -> Event:
    detail = event.data.get("detail")
    if not isinstance(detail, dict):
        return event
    kept = {name: value for name, value in detail.items() if name not in _OF_THE_OFFICE}
    return event._replace(data={**event.data, "detail": kept})
