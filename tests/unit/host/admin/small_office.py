"""A host's back office with a few terminals in its books, over the in-memory journal, and a client of its API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, cast

import httpx
from fastapi import FastAPI

from pos_host.admin.api import make_app
from pos_host.assembly import Assembly
from pos_host.clock import Clock, ManualClock, SystemClock
from pos_host.event_log import JournalEvents
from pos_host.journal import Posting
from pos_host.ledger.entry import AuthorisationRow, BatchRow, Entry, TerminalRow
from pos_host.merchant_events import merchant_events_of
from pos_host.merchants.actors import ADMIN, Actor
from pos_host.office import Office
from pos_host.publishing.events import cloud_event
from pos_host.settlement.policy import load_policy
from pos_host.storage.memory import MemoryJournal
from pos_host.transaction.request import CardReader

TOKEN = "token-of-the-test"
MERCHANT, OTHER_MERCHANT = "104110070110814", "104110070110815"
START_MS = 1_772_452_800_000
"""2026-03-02T20:00:00+08:00, three hours before the shipped policy's cut-off."""

SHARED_ID = "T0000002"
"""The terminal id that exists under both merchants."""

CARD = "622202******0005"
DIFFERENCES: list[dict[str, Any]] = [
    {
        "kind": "amount_differs",
        "stan": f"{stan:06d}",
        "terminal": {"amount_minor": 5100, "card": CARD},
        "host": {
            "function": "purchase",
            "amount_minor": 5000,
            "card": CARD,
            "rrn": "000001000004",
            "outcome": "approved",
            "reversed": False,
            "voided": False,
        },
    }
    for stan in range(4, 9)
]
AUTHORISED = [(1, 11, "open"), (1, 12, "completed"), (3, 11, "open"), (3, 12, "voided")]
"""Terminal number, count and state of each pre-authorisation."""

AUTHORISED_FOR_MS = 3_600_000
TERMINALS = [(MERCHANT, "T0000001"), (MERCHANT, SHARED_ID), (OTHER_MERCHANT, SHARED_ID), (OTHER_MERCHANT, "A/B #1")]
SETTLED_BATCHES = 5
"""How many batches T0000001 has settled; the last one with differences."""


async def open_office(clock: Clock | None = None) -> Office:
    """An office whose terminals each hold a sale in their open batch."""
    journal = MemoryJournal()
    journal.post(Posting(_entries(), _rows(), lambda first: None))
    await asyncio.sleep(0.01)
    policy = load_policy(None)
    parts = Assembly(journal, clock or ManualClock(policy, START_MS), policy, CardReader(b"key"))
    log = JournalEvents(journal, parts.registry)

    async def events_after(after: int, limit: int) -> list[dict[str, Any]]:
        return [cloud_event(event, log.source_id) for event in await log.events_after(after, limit)]

    return parts.office(events_after, merchant_events_of(journal, parts.registry))


def actor_of(token: str) -> Actor | None:
    """The one token that this office knows is the admin's."""
    return ADMIN if token == TOKEN else None


def system_clock() -> Clock:
    return SystemClock(load_policy(None))


@asynccontextmanager
async def client_of(
    app: FastAPI, *, peer: str = "127.0.0.1", token: str | None = TOKEN
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `app` that connects from the address `peer`."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(peer, 40000))
    async with httpx.AsyncClient(transport=transport, base_url="http://host", headers=headers) as client:
        yield client


@lru_cache(1)
def _app() -> FastAPI:
    """One app for all tests, since it takes a while to make; each gives it an office of its own."""
    return make_app(cast(Office, None), actor_of, "0.1.0")


@asynccontextmanager
async def api_of(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an office's API, with the token."""
    _app().state.office = office
    async with client_of(_app()) as client:
        yield client


def _entries() -> tuple[Entry, ...]:
    return tuple(
        Entry("purchase", no, _batch_id(no), START_MS, stan="000009", key="000009", amount_minor=5000, currency="156")
        for no, _ in enumerate(TERMINALS, 1)
    )


def _rows() -> tuple[TerminalRow | BatchRow | AuthorisationRow, ...]:
    enrolled = [
        TerminalRow(no, merchant_id, terminal_id, "unionpay", "active", START_MS - 1000, 1)
        for no, (merchant_id, terminal_id) in enumerate(TERMINALS, 1)
    ]
    opened = [_batch(no, _batch_id(no), "open") for no, _ in enumerate(TERMINALS, 1)]
    settled = [_batch(1, 100_001 + earlier, "settled") for earlier in range(SETTLED_BATCHES)]
    sums = json.dumps({"domestic_debit": [5, 25_500]})
    settled[-1] = settled[-1]._replace(
        result="out_of_balance", terminal_totals=sums, discrepancies=json.dumps(DIFFERENCES)
    )
    authorised = [_authorisation(no, count, state) for no, count, state in AUTHORISED]
    return (*enrolled, *settled, *opened, *authorised)


def _authorisation(terminal_no: int, count: int, state: str) -> AuthorisationRow:
    return AuthorisationRow(
        authorisation_no=_batch_id(terminal_no) * 1_000_000 + count,
        terminal_no=terminal_no,
        state=state,
        batch_id=_batch_id(terminal_no),
        named=f"000001{count:06d}",
        approval_code=f"{count:06d}",
        rrn=f"{terminal_no:06d}{count:06d}",
        card=CARD,
        card_print="a1b2c3d4e5f6",
        currency="156",
        amount_minor=50_000,
        completed_minor=48_000 if state == "completed" else 0,
        authorised_at_ms=START_MS,
        expires_at_ms=START_MS + AUTHORISED_FOR_MS,
    )


def _batch_id(terminal_no: int) -> int:
    return terminal_no * 100_000 + (SETTLED_BATCHES + 1 if terminal_no == 1 else 1)


def _batch(terminal_no: int, batch_id: int, state: str) -> BatchRow:
    closed = state == "settled"
    return BatchRow(
        batch_id=batch_id,
        terminal_no=terminal_no,
        number=f"{batch_id % 100_000:06d}",
        state=state,
        result="balanced" if closed else "",
        dialect="unionpay",
        currency="156" if closed else "",
        opened_at_ms=START_MS - 1000,
        closed_at_ms=START_MS if closed else 0,
        after_sequence=0,
        rrn_base=0,
        host_totals=json.dumps({"domestic_debit": [5, 25_000]}) if closed else "",
        terminal_totals="",
        discrepancies="",
        settlement="",
    )
