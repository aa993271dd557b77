"""Reminding a terminal to settle at an operator's word, beside the reminders that the watch sends of itself."""

from __future__ import annotations

from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.book import Book
from pos_host.ledger.host_settlement import unsettled_batch
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Written
from pos_host.merchants.free_text import plain_text
from pos_host.settlement.watch import COMMAND_VALID_MS, Watch, reminded_entry, settle_now_command

NOT_FLAGGED = "none"
"""Severity that is told where an operator reminds before the watch would."""


class Reminders:
    """Sends `settle_now` by MQTT and, in UnionPay, asks for a sign-in in the header of the next answers."""

    def __init__(self, desk: Desk, watch: Watch) -> None:
        self._desk = desk
        self._watch = watch

    async def remind(self, actor: Actor, book: Book, why: str = "") -> dict[str, Any]:
        """Remind now; gives what was sent. Raises Refused where the terminal has no money to settle, and what
        `Desk.act` raises."""

        def decide(now_ms: int) -> Written:
            batch = unsettled_batch(book)
            if batch is None:
                raise Refused("nothing_to_settle", f"terminal {book.terminal_id} has no batch with money in it")
            severity = NOT_FLAGGED if book.flag is None else book.flag.severity
            answer = {
                "merchant_id": book.merchant_id,
                "terminal_id": book.terminal_id,
                "command": "settle_now",
                "batch_number": batch.number,
                "severity": severity,
                "reminded_at": iso_utc(now_ms),
                "expires_at": iso_utc(now_ms + COMMAND_VALID_MS),
            }
            return Written(answer=answer, entries=(reminded_entry(book, batch, severity, now_ms),))

        why = plain_text("why", why, needed=False)
        subject = Subject(f"terminal {book.terminal_id}", book.merchant_id, book)
        answer: dict[str, Any] = await self._desk.act(actor, "terminal.remind", subject, decide, why)
        now_ms = self._desk.clock.now_ms()
        command_id = f"reminder-{book.terminal_no}-{now_ms}"
        self._watch.remind(book, settle_now_command(command_id, answer["severity"], now_ms))
        return answer
