"""Why does the terminal say "invalid merchant"? What it sent last, what the host knows of it, and what refuses it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

from pos_host.clock import Clock, iso_utc
from pos_host.journal import Journal
from pos_host.ledger.book import Book
from pos_host.ledger.entry import APPROVALS, Entry
from pos_host.ledger.records import body_of
from pos_host.ledger.registry import Registry
from pos_host.ledger.standing import closed_outcome, standing_of, why_no_sales
from pos_host.ledger.terminal_clock import TERMINAL_CLOCK
from pos_host.merchants.closing.closure_states import CLOSURE, LIFE
from pos_host.merchants.closing.diagnosis_texts import diagnosis_texts
from pos_host.merchants.closing.terminal_states import Whom, suspension_of
from pos_host.settlement.unsettled import blocking_severities
from pos_specs.vocabulary import CARD_OUTCOMES

NEAREST_MOST = 5
"""Ids that are offered where one is not known: more is no help to somebody who mistyped."""

NEAREST_FROM = 0.7
"""How alike an id must be, from 0 to 1: two of eight characters may differ."""

KEY_OUTCOMES = frozenset({"mac_wrong", "mac_missing"})


class Diagnosis:
    """Answers for one terminal at a time; nothing changes by it. `enrol` is how the host takes unknown terminals."""

    def __init__(self, registry: Registry, journal: Journal, clock: Clock, enrol: str) -> None:
        self._registry = registry
        self._journal = journal
        self._clock = clock
        self._enrol = enrol

    async def of(self, book: Book, seen_by: str = "") -> dict[str, Any]:
        """What there is to say of a terminal that the host knows; a merchant (`seen_by`) is told of its own only."""
        last = await self._last_entry(book)
        findings = [*_standing(self._registry, book), *_batch(book), *_last(book, last), *_hints(self._registry, book)]
        others = sorted(
            other.merchant_id
            for other in self._registry.of_terminal(book.terminal_id)
            if other is not book and not seen_by
        )
        if others:
            findings.append(_found("under_another_merchant", f"also under {', '.join(others)}"))
        outcome = _sale_outcome(book)
        current = book.current
        return {
            "merchant_id": book.merchant_id,
            "terminal_id": book.terminal_id,
            "known": True,
            "status": standing_of(book),
            "dialect": book.dialect.name,
            "connected": book.session is not None and not book.session.closed,
            "last_seen_at": iso_utc(book.last_seen_at_ms) or None,
            "last_message": None if last is None else _message(last),
            "batch_number": None if current is None else current.number,
            "sales": _answer(book, outcome),
            "findings": findings,
            "nearest": [],
        }

    async def of_unknown(self, terminal_id: str, merchant_id: str | None, seen_by: str = "") -> dict[str, Any]:
        """What there is to say of numbers that fit no enrolled terminal: what is wrong with them, and what is near; a
        merchant (`seen_by`) is told of its own only."""
        findings = list(self._why_unknown(terminal_id, merchant_id, seen_by))
        seen = [book for book in self._registry if book.enrolled and seen_by in ("", book.merchant_id)]
        pairs = [(book.merchant_id, book.terminal_id) for book in seen]
        nearest = await asyncio.to_thread(_nearest, pairs, terminal_id, merchant_id)
        return {
            "merchant_id": merchant_id,
            "terminal_id": terminal_id,
            "known": False,
            "status": None,
            "dialect": None,
            "connected": False,
            "last_seen_at": None,
            "last_message": None,
            "batch_number": None,
            "sales": None,
            "findings": findings,
            "nearest": [{"merchant_id": mid, "terminal_id": tid} for mid, tid in nearest],
        }

    def _why_unknown(self, terminal_id: str, merchant_id: str | None, seen_by: str) -> Iterator[dict[str, Any]]:
        registry = self._registry
        elsewhere = sorted(book.merchant_id for book in registry.of_terminal(terminal_id) if not seen_by)
        if elsewhere:
            yield _found("under_another_merchant", f"terminal {terminal_id} is under {', '.join(elsewhere)}")
        if merchant_id is not None and registry.expects(merchant_id, terminal_id):
            yield _found("awaited", f"terminal {terminal_id} of merchant {merchant_id}")
            return
        if merchant_id is not None and not registry.knows_merchant(merchant_id):
            yield _found("unknown_merchant", f"merchant {merchant_id}", "unknown_merchant")
        else:
            yield _found("unknown_terminal", f"terminal {terminal_id}", "unknown_terminal")
        if self._enrol == "open":
            yield _found("would_enrol", "--enrol open")

    async def _last_entry(self, book: Book) -> Entry | None:
        """The last thing the terminal sent that was journalled; what the host noted of its own accord is passed over
        for the latest transaction that the book remembers."""
        stored = await self._journal.entries_after(max(book.last_sequence - 1, 0), 1) if book.last_sequence else []
        if stored and stored[0].entry.terminal_no == book.terminal_no and stored[0].entry.mti:
            return stored[0].entry
        known = [transaction for batch in book.batches for transaction in batch.answers.values()]
        latest = max(known, key=lambda transaction: transaction.sequence, default=None)
        return None if latest is None else latest.entry


def _standing(registry: Registry, book: Book) -> Iterator[dict[str, Any]]:
    """What the states of terminal and merchant refuse."""
    merchant, outcome = book.merchant.status, closed_outcome(book)
    if merchant != "active":
        whom = Whom(book.merchant_id)
        told = "merchant_closed" if merchant == "closed" else "not_allowed_now"
        yield _found(f"merchant_{merchant}", _since(registry, whom, merchant), told, book)
    if book.status == "active":
        return
    whom = Whom(book.merchant_id, book)
    replaced_by = _replaced_by(registry, book)
    code = "terminal_replaced" if replaced_by else f"terminal_{book.status}"
    told = "not_allowed_now" if outcome is None else outcome[0]
    yield _found(code, f"by terminal {replaced_by}" if replaced_by else _since(registry, whom, book.status), told, book)


def _batch(book: Book) -> Iterator[dict[str, Any]]:
    """What its batch refuses."""
    if book.sign_in_due is not None:
        yield _found("sign_in_due", f"reopening {book.sign_in_due.record_id}", "not_allowed_now", book)
    if book.flag is not None and book.flag.severity in blocking_severities(book.policy.block_sales_when):
        since = f"{book.flag.severity} since {iso_utc(book.flag.since_ms)}"
        yield _found("batch_blocks_sales", since, "not_allowed_now", book)
    if book.uploading is not None:
        yield _found("batch_uploading", f"batch {book.uploading.number}")


def _last(book: Book, last: Entry | None) -> Iterator[dict[str, Any]]:
    """What became of the last thing it sent, where that was refused."""
    if last is None or last.outcome in APPROVALS:
        return
    reason = _reason(last)
    if last.outcome in KEY_OUTCOMES:
        yield _found("key_trouble", reason, last.outcome, book)
    elif last.outcome in CARD_OUTCOMES:
        yield _found("last_declined", reason, last.outcome, book)
    else:
        yield _found("last_refused", reason, last.outcome, book)


def _hints(registry: Registry, book: Book) -> Iterator[dict[str, Any]]:
    """What refuses nothing and still may be why somebody asks."""
    clock = registry.records.find(TERMINAL_CLOCK, str(book.terminal_no))
    if clock is not None and clock.state == "wrong":
        yield _found("clock_wrong", f"off by {body_of(clock)['off_s']} s")
    if book.owed is not None:
        yield _found("changes_not_taken", f"since {iso_utc(book.owed.changed_at_ms)}")
    if book.session is None or book.session.closed:
        yield _found("not_connected", f"last seen {iso_utc(book.last_seen_at_ms) or 'never'}")


def _found(code: str, concerns: str, outcome: str | None = None, book: Book | None = None) -> dict[str, Any]:
    """A finding; with `outcome` it is one that refuses, and the code is the terminal's dialect's."""
    text = diagnosis_texts()[code]
    return {
        "code": code,
        "text": text.text,
        "concerns": concerns,
        "remedy": text.remedy,
        "refuses": outcome is not None,
        "outcome": outcome,
        "response_code": None if outcome is None or book is None else book.dialect.code_for(outcome, None),
    }


def _sale_outcome(book: Book) -> tuple[str, str] | None:
    """What a purchase would be refused with now, before its card is looked at."""
    closed = closed_outcome(book)
    if closed is not None:
        return closed
    reason = why_no_sales(book)
    return ("not_allowed_now", reason) if reason else None


def _answer(book: Book, refused: tuple[str, str] | None) -> dict[str, Any]:
    outcome, reason = refused or ("approved", "")
    code = book.dialect.code_for(outcome, None)
    return {"allowed": refused is None, "outcome": outcome, "response_code": code, "reason": reason}


def _since(registry: Registry, whom: Whom, status: str) -> str:
    """Why and since when it stands like that."""
    if status == "suspended":
        row = suspension_of(registry, whom)
        body = {} if row is None else body_of(row)
        return f"{whom.name}: {body.get('reason', 'suspended')} since {body.get('since', 'unknown')}"
    rows = registry.records.of_kind(CLOSURE, whom.merchant_id)
    mine = [body_of(row) for row in rows if body_of(row)["terminal_no"] == whom.terminal_no]
    if not mine:
        return f"{whom.name}: closed with its merchant" if whom.book is not None else whom.name
    at = mine[-1]["closed_at"] or mine[-1]["applied_at"]
    return f"{whom.name}: {mine[-1]['reason']}, {status} since {at}"


def _replaced_by(registry: Registry, book: Book) -> str:
    rows = registry.records.of_kind(CLOSURE, book.merchant_id)
    bodies = [body_of(row) for row in rows if row.state == "replaced" or LIFE.ended(row.state)]
    found = [body["replaced_by"] for body in bodies if body["terminal_no"] == book.terminal_no and body["replaced_by"]]
    return str(found[-1]) if found else ""


def _reason(entry: Entry) -> str:
    """What the journal says of a refusal; it never holds card data."""
    detail = json.loads(entry.detail) if entry.detail else {}
    return str(detail.get("reason", "")) or entry.outcome.replace("_", " ")


def _message(entry: Entry) -> dict[str, Any]:
    detail = json.loads(entry.detail) if entry.detail else {}
    return {
        "at": iso_utc(entry.at_ms),
        "function": detail.get("function", entry.kind),
        "mti": entry.mti,
        "stan": entry.stan,
        "outcome": entry.outcome,
        "reason": None if entry.outcome in APPROVALS else _reason(entry),
    }


def _nearest(pairs: list[tuple[str, str]], terminal_id: str, merchant_id: str | None) -> list[tuple[str, str]]:
    """Known terminals whose numbers are most like these, the most alike first."""
    import difflib  # nobody mistypes at the start of a host

    if merchant_id is None:
        wanted, known = terminal_id, {tid: (mid, tid) for mid, tid in pairs}
    else:
        wanted, known = f"{merchant_id} {terminal_id}", {f"{mid} {tid}": (mid, tid) for mid, tid in pairs}
    return [known[text] for text in difflib.get_close_matches(wanted, known, NEAREST_MOST, NEAREST_FROM)]
