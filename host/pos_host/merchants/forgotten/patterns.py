"""The risk view: patterns of sales are flagged, looked at by somebody, and never decline anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.book import Book, Transaction
from pos_host.ledger.entry import SALES
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of, record
from pos_host.merchants.actors import HOST, Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written
from pos_host.merchants.forgotten.pattern_rules import PatternRule, Run, Seen, shipped_patterns
from pos_host.merchants.free_text import plain_text
from pos_host.merchants.lives import Life
from pos_host.settlement.watch import Watch

PATTERN = "risk_pattern"
"""Kind of its records; ids are counted."""

LIFE = Life(PATTERN, "flagged", {"flagged": {"review": "reviewed"}, "reviewed": {}})


class Patterns:
    """Looks through what terminals sold since it looked last, beside the line and never in it.

    After a restart it begins again with the batches that are remembered, behind the last pattern of each terminal.
    """

    def __init__(self, desk: Desk, watch: Watch, rules: Sequence[PatternRule] | None = None) -> None:
        self._desk = desk
        self._registry = desk.registry
        self._watch = watch
        self._rules = rules
        self._runs: dict[int, list[Run]] = {}
        self._through: dict[int, int] = {}
        for row in self._registry.records.of_kind(PATTERN):
            body = body_of(row)
            number = body["terminal_no"]
            self._through[number] = max(self._through.get(number, 0), body["last_sequence"])

    def all(self, merchant_id: str | None = None, state: str | None = None) -> list[dict[str, Any]]:
        """Patterns in the order they were found, of one merchant or in one state where asked."""
        rows = sorted(self._registry.records.of_kind(PATTERN, merchant_id), key=lambda row: int(row.record_id))
        return [pattern_view(row) for row in rows if state in (None, row.state)]

    async def review(self, actor: Actor, pattern_id: str, why: str) -> dict[str, Any]:
        """Note that somebody looked at it, and what came of it; raises what `Desk.act` raises."""
        why = plain_text("why", why)

        def decide(now_ms: int) -> Written:
            row = self._registry.records.find(PATTERN, pattern_id)
            if row is None:
                raise Refused("not_there", f"no pattern {pattern_id}", status=404)
            state = LIFE.after(row.state, "review")
            body = {**body_of(row), "reviewed_by": actor.name, "finding": why}
            after = record(PATTERN, pattern_id, row.merchant_id, state, now_ms, body)
            return _told("reviewed", row, after)

        row = self._registry.records.find(PATTERN, pattern_id)
        subject = Subject(f"pattern {pattern_id}", "" if row is None else row.merchant_id)
        answer: dict[str, Any] = await self._desk.act(actor, "pattern.review", subject, decide, why)
        return answer

    def next_due_ms(self) -> int | None:
        """Now while a terminal has sold something that was not looked at."""
        return self._desk.clock.now_ms() if self._watch.moved else None

    async def act_on_due(self, now_ms: int) -> None:
        """Look through what was sold since, and flag what was found."""
        moved = sorted(self._watch.moved, key=lambda book: book.terminal_no)
        self._watch.moved.clear()
        for book in moved:
            for rule, run in self._found(book):
                await self._flag(book, rule, run)

    def _found(self, book: Book) -> Iterator[tuple[PatternRule, tuple[Seen, ...]]]:
        number = book.terminal_no
        runs = self._runs.get(number)
        if runs is None:
            rules = shipped_patterns() if self._rules is None else self._rules
            runs = self._runs[number] = [Run(rule) for rule in rules]
        for sale in _sold_after(book, self._through.get(number, 0)):
            self._through[number] = sale.sequence
            if sale.approved and sale.function in SALES:
                for run in runs:
                    found = run.take(sale)
                    if found is not None:
                        yield run.rule, found

    async def _flag(self, book: Book, rule: PatternRule, run: tuple[Seen, ...]) -> None:
        def decide(now_ms: int) -> Written:
            first, last = run[0], run[-1]
            body = {
                "terminal_no": book.terminal_no,
                "terminal_id": book.terminal_id,
                "pattern": rule.name,
                "text": rule.text,
                "count": len(run),
                "amount_minor": sum(seen.amount_minor for seen in run),
                "currency": run[0].currency,
                "cards": len({seen.card_print for seen in run}),
                "first_at": iso_utc(first.at_ms),
                "last_at": iso_utc(last.at_ms),
                "first_sequence": first.sequence,
                "last_sequence": last.sequence,
                "reviewed_by": None,
                "finding": None,
            }
            pattern_id = self._registry.records.next_id(PATTERN)
            return _told("", None, record(PATTERN, pattern_id, book.merchant_id, LIFE.initial, now_ms, body))

        subject = Subject(f"terminal {book.terminal_id}", book.merchant_id)
        await self._desk.act(HOST, "pattern.flag", subject, decide)


def pattern_view(row: RecordRow) -> dict[str, Any]:
    """A pattern as the API shows it."""
    body = body_of(row)
    body.pop("terminal_no")
    return {
        "id": row.record_id,
        "state": row.state,
        "possible": list(LIFE.possible(row.state)),
        "merchant_id": row.merchant_id,
        "changed_at": iso_utc(row.changed_at_ms),
        **body,
    }


def _told(event: str, before: RecordRow | None, after: RecordRow) -> Written:
    view = pattern_view(after)
    told = Told(f"risk.pattern{f'_{event}' if event else ''}", body_of(after)["terminal_no"], view)
    return Written((after,), (told,), None if before is None else pattern_view(before), view, view)


def _sold_after(book: Book, sequence: int) -> list[Transaction]:
    """The transactions of the remembered batches behind a place in the journal, in its order."""
    found: list[Transaction] = []
    for batch in reversed(book.batches):
        for transaction in reversed(batch.answers.values()):
            if transaction.sequence <= sequence:
                break
            found.append(transaction)
    return sorted(found, key=lambda transaction: transaction.sequence)
