"""Holds what a batch pays that the host settled, once its terminal says otherwise; if it is paid already, tells of it.

The record of it was written with what the terminal sent (ledger/late_differences.py); it is acted on over the desk, in
the terminal's turn, so that neither a payout step nor a message of the terminal comes between.
"""

from __future__ import annotations

from typing import Any

from pos_host.journal import Journal, Question
from pos_host.ledger.late_differences import LATE_DIFFERENCE
from pos_host.ledger.merchant_rows import PAYOUTS_OPEN, PayoutRow, RecordRow
from pos_host.ledger.records import body_of, record
from pos_host.merchants.actors import HOST
from pos_host.merchants.desk import Desk, Subject, Told, Written
from pos_host.merchants.lives import Life
from pos_host.money.payout_at_close import OUT_OF_BALANCE
from pos_host.money.payout_steps import BELOW_ZERO, Step, held, lifted, reasons_of, released, written

LIFE = Life(
    LATE_DIFFERENCE,
    "found",
    {
        # the terminal said otherwise than the host had settled
        "found": {"hold": "held", "report": "reported", "clear": "cleared", "find": "found"},
        # its payout waits for a reviewer; more may be found, or the upload ends without a difference
        "held": {"find": "found", "clear": "cleared"},
        # its payout was made already, or there is none: people are told
        "reported": {"find": "found", "clear": "cleared"},
        # the records agree after all
        "cleared": {"agree": "agreed", "find": "found"},
        "agreed": {"find": "found", "clear": "cleared"},
    },
)


class LateDifferences:
    """A source of the agenda."""

    def __init__(self, desk: Desk, journal: Journal) -> None:
        self._desk = desk
        self._journal = journal
        self._due = {row.record_id: row for row in desk.records.of_kind(LATE_DIFFERENCE) if row.due_at_ms}
        desk.records.listen(LATE_DIFFERENCE, self._take)

    def _take(self, row: RecordRow) -> None:
        if row.due_at_ms:
            self._due[row.record_id] = row
        else:
            self._due.pop(row.record_id, None)

    def next_due_ms(self) -> int | None:
        """When the first of them is due, UTC milliseconds."""
        return min((row.due_at_ms for row in self._due.values()), default=None)

    async def act_on_due(self, now_ms: int) -> None:
        """Hold, let go or tell, batch by batch."""
        for row in sorted(self._due.values(), key=lambda row: (row.due_at_ms, int(row.record_id))):
            await self._act(row.record_id, row.merchant_id)

    async def _act(self, batch_id: str, merchant_id: str) -> None:
        ended = await self._journal.select(Question(PayoutRow, {"payout_id": int(batch_id)}, limit=1))

        def decide(now_ms: int) -> Written:
            row = self._due.get(batch_id)
            payout = self._desk.registry.payouts.get(int(batch_id)) or (ended[0] if ended else None)
            if row is None:
                return Written()
            if payout is not None and payout.state in PAYOUTS_OPEN and int(batch_id) not in self._desk.registry.payouts:
                return Written()  # it was made while this waited for its turn: looked at again
            return _looked_at(row, payout, now_ms)

        book = self._desk.registry.of_no(body_of(self._due[batch_id])["terminal_no"])
        await self._desk.act(HOST, "payout.judge", Subject(f"batch {batch_id}", merchant_id, book), decide)


def _looked_at(row: RecordRow, payout: PayoutRow | None, now_ms: int) -> Written:
    """What the record calls for, in one commit: it is done, and what became of the payout."""
    is_open = payout is not None and payout.state in PAYOUTS_OPEN
    steps: list[Step] = []
    if row.state == "found":
        way = "hold" if is_open else "report"
        if payout is not None and is_open and OUT_OF_BALANCE not in reasons_of(payout):
            steps = [held(payout, [OUT_OF_BALANCE], now_ms)]
    else:
        way = "agree"
        if payout is not None and payout.state == "held" and OUT_OF_BALANCE in reasons_of(payout):
            steps = [_without(payout, now_ms)]
    done = record(LATE_DIFFERENCE, row.record_id, row.merchant_id, LIFE.after(row.state, way), now_ms, body_of(row))
    rows, told = written(steps)[:2]
    view = _view(done, payout)
    event = Told(f"batch.late_difference_{done.state}", body_of(row)["terminal_no"], view)
    return Written((done, *rows), (event, *told), None, view)


def _without(payout: PayoutRow, now_ms: int) -> Step:
    left = [reason for reason in reasons_of(payout) if reason != OUT_OF_BALANCE]
    return lifted(payout, left, now_ms) if set(left) - {BELOW_ZERO} else released(payout, now_ms)


def _view(row: RecordRow, payout: PayoutRow | None) -> dict[str, Any]:
    """As event and audit trail tell it; `paid_minor` is what went out already, `difference_minor` what the records make
    (terminal − host), None where only totals differ."""
    body = body_of(row)
    return {
        "batch_id": int(row.record_id),
        "batch_number": body["batch_number"],
        "state": row.state,
        "difference_minor": body.get("difference_minor"),
        "currency": None if payout is None else payout.currency,
        "payout_id": None if payout is None else payout.payout_id,
        "paid_minor": payout.net_minor if payout is not None and payout.state == "made" else 0,
    }
