"""Transactions as the journal holds them: how they are looked for, and how others see one."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, NamedTuple

from pos_host.clock import iso_utc
from pos_host.entry_walk import Range, Walk, walk
from pos_host.journal import EntryQuestion, Journal, StoredEntry
from pos_host.ledger.book import Book
from pos_host.ledger.entry import FINANCIAL, LATE_NOTICE, Entry
from pos_specs.dialect import Dialect
from pos_specs.vocabulary import DECLINED_BY_RULE, OUTCOMES

STAN_DIGITS = 6

MASKED_CARD = re.compile(r"[0-9]{6}\*{3,9}[0-9]{4}")
"""First six digits, stars, last four: a whole card number is refused, since questions end up in others' logs."""

TRANSACTIONS = tuple(sorted(FINANCIAL | {"balance", "reversal", "reversal_of_closed", "refused", LATE_NOTICE}))
"""Kinds of entries that are a terminal's request about a card, whatever became of it."""

_NAMED_IN_DETAIL = ("refused", LATE_NOTICE)
"""Kinds whose detail has the function that was asked for, or told of."""

SEQUENCE_MOST = 2**63 - 1
"""The largest number a store can look for."""

_FORMS = {
    "--stan": (re.compile("[0-9]{1,6}"), "up to six digits"),
    "--rrn": (re.compile("[0-9A-Za-z]{1,12}"), "up to twelve letters and digits"),
    "--card": (MASKED_CARD, "masked, such as 622202******0005"),
    "--response-code": (re.compile("[0-9A-Za-z]{2,3}"), "two or three letters and digits"),
}


class Wanted(NamedTuple):
    """What is looked for: everything that is not None has to fit. `card` is masked as the host shows it, the time in
    UTC milliseconds, both ends included."""

    batch_id: int | None = None
    stan: str | None = None
    rrn: str | None = None
    card: str | None = None
    response_code: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def question(
        self, terminals: tuple[int, ...] | None, kinds: tuple[str, ...] | None, dialects: list[Dialect]
    ) -> EntryQuestion:
        """The same for the journal, of the terminals of these numbers; `dialects` are theirs."""
        among: dict[str, tuple[str | int, ...]] = {}
        for column, values in (("terminal_no", terminals), ("kind", kinds)):
            if values is not None:
                among[column] = values
        for column in ("batch_id", "stan", "rrn", "card"):
            if (value := getattr(self, column)) is not None:
                among[column] = (value,)
        if self.response_code is not None:
            among["outcome"] = outcomes_of(self.response_code, dialects)
        return EntryQuestion(among, self.since_ms, self.until_ms)

    def fits(self, entry: Entry, dialect: Dialect | None) -> bool:
        """Whether its response code does: that of an outcome differs from dialect to dialect."""
        return self.response_code is None or self.response_code == response_code(entry, dialect)


def wanted_of(
    batch_id: int | None,
    stan: str | None,
    rrn: str | None,
    card: str | None,
    response_code: str | None,
    since: str | None,
    until: str | None,
) -> Wanted:
    """What options of a verb say; raises ValueError naming the option, and never what it held."""
    given = {"--stan": stan, "--rrn": rrn, "--card": card, "--response-code": response_code}
    for option, text in given.items():
        form, told = _FORMS[option]
        if text is not None and form.fullmatch(text) is None:
            raise ValueError(f"{option}: must be {told}")
    if batch_id is not None and not 0 < batch_id <= SEQUENCE_MOST:
        raise ValueError("--batch: must be the id of a batch")
    stan = None if stan is None else stan.zfill(STAN_DIGITS)
    return Wanted(batch_id, stan, rrn, card, response_code, _instant("--since", since), _instant("--until", until))


def _instant(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{option}: must be an ISO 8601 time, such as 2026-03-02T20:00:00+08:00") from None
    if instant.tzinfo is None:
        raise ValueError(f"{option}: the time needs an offset, such as 2026-03-02T20:00:00+08:00")
    return round(instant.timestamp() * 1000)


async def transactions_of(
    journal: Journal, books: list[Book], wanted: Wanted, limit: int, cursor: int, *, anybody: bool
) -> tuple[list[dict[str, Any]], int | None]:
    """Transactions of `books` before the sequence `cursor` (0: from the last one on), the latest first, and the cursor
    of the next page. With `anybody` also those of terminals that never enrolled."""
    by_no = {book.terminal_no: book for book in books}
    dialects = list({book.dialect.name: book.dialect for book in books}.values())
    question = wanted.question(None if anybody else tuple(by_no), TRANSACTIONS, dialects)

    def fits(stored: StoredEntry) -> bool:
        book = by_no.get(stored.entry.terminal_no)
        return wanted.fits(stored.entry, None if book is None else book.dialect)

    last = await journal.last_sequence()
    made = Walk(Range(1, min(cursor - 1, last) if cursor else last), limit, fits, newest_first=True)
    await walk(journal, question, made)
    views = []
    for stored in made.found:
        book = by_no.get(stored.entry.terminal_no)
        whose = (None, None, None) if book is None else (book.merchant_id, book.terminal_id, book.dialect)
        views.append(transaction_view(stored, *whose))
    return views, made.cursor


def outcomes_of(code: str, dialects: list[Dialect]) -> tuple[str, ...]:
    """The outcomes that some function of some dialect answers with a response code, and the rule that may."""
    rules = [(dialect, rule) for dialect in dialects for rule in dialect.functions]
    found = {outcome for outcome in OUTCOMES for dialect, rule in rules if dialect.code_for(outcome, rule) == code}
    return (*sorted(found), DECLINED_BY_RULE)


def response_code(entry: Entry, dialect: Dialect | None) -> str | None:
    """What the terminal was told; None where its dialect is not known."""
    detail = _detail(entry)
    if entry.outcome == DECLINED_BY_RULE:
        return str(detail["response_code"]) if "response_code" in detail else None
    if dialect is None:
        return None
    name = str(detail.get("function", entry.kind))
    rule = next((rule for rule in dialect.functions if rule.name == name), None)
    return dialect.code_for(entry.outcome, rule)


def transaction_view(
    stored: StoredEntry, merchant_id: str | None, terminal_id: str | None, dialect: Dialect | None
) -> dict[str, Any]:
    """A transaction as others see it: the card masked, and nothing of its print."""
    entry = stored.entry
    detail = _detail(entry)
    return {
        "sequence": stored.sequence,
        "at": iso_utc(entry.at_ms),
        "merchant_id": merchant_id,
        "terminal_id": terminal_id,
        "batch_id": entry.batch_id or None,
        "function": str(detail.get("function", entry.kind)) if entry.kind in _NAMED_IN_DETAIL else entry.kind,
        "mti": entry.mti or None,
        "stan": entry.stan or None,
        "outcome": entry.outcome,
        "response_code": response_code(entry, dialect),
        "amount_minor": entry.amount_minor,
        "currency": entry.currency or None,
        "card": entry.card or None,
        "rrn": entry.rrn or None,
        "approval_code": entry.approval_code or None,
        "reason": detail.get("reason"),
    }


def _detail(entry: Entry) -> dict[str, Any]:
    try:
        detail = json.loads(entry.detail) if entry.detail else {}
    except ValueError:  # damage is for verify to tell
        return {}
    return detail if isinstance(detail, dict) else {}
