"""How a settlement's answer turns a batch: it closes, or waits for its upload; and that answer once more."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from pos_host.clock import Instant
from pos_host.handlers.posting_entry import request_entry
from pos_host.ledger.book import Batch, Book
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import Entry, Row
from pos_host.ledger.rows import batch_row, closed_entry, opened_batch
from pos_host.transaction.request import Request
from pos_specs.totals import Side, Totals


class Beside(NamedTuple):
    """What a closing brings about in batches that the host settled before: their rows and entries, the number of the
    next batch ("" for the usual one), and the totals as sent, of which the closed batch has only a share."""

    rows: tuple[Row, ...] = ()
    entries: tuple[Entry, ...] = ()
    next_number: str = ""
    answered: Totals | None = None


NOTHING_BESIDE = Beside()


def close(
    request: Request,
    book: Book,
    batch: Batch,
    now: Instant,
    result: str,
    outcome: str,
    sent: Totals,
    found: list[dict[str, Any]],
    values: dict[str, str],
    beside: Beside = NOTHING_BESIDE,
) -> Decision:
    """Close `batch` with `result` and open the next one, in the commit of this answer and of what stands beside."""
    rrn = book.next_rrn()
    settled = {
        "key": request.key,
        "outcome": outcome,
        "at_ms": now.at_ms,
        "rrn": rrn,
        "values": values,
        "disputed": batch.settlement.get("disputed"),
        "begun": begun_answer(batch),
        **({"sent": plain(beside.answered)} if beside.answered is not None else {}),
    }
    row = batch_row(
        book,
        batch,
        state="settled",
        result=result,
        closed_at_ms=now.at_ms,
        terminal_totals=sent,
        discrepancies=found,
        settlement=settled,
    )
    rows: list[Row] = [row, *beside.rows]
    entries: list[Entry] = [
        request_entry(request, book, batch, now, outcome, rrn, ""),
        *beside.entries,
        closed_entry(book, batch, now.at_ms, result, len(found), sent),
    ]
    number = beside.next_number or batch.dialect.batch.after(batch.number)
    current = book.current
    if batch is current:
        opened, told = opened_batch(book, number, now.at_ms)
        rows.append(opened)
        entries.append(told)
    elif beside.next_number and current is not None:
        rows.append(batch_row(book, current, number=number))
    return Decision(outcome, now.at_ms, rrn, values=values, entries=tuple(entries), rows=tuple(rows))


def begin_upload(
    request: Request,
    book: Book,
    batch: Batch,
    now: Instant,
    outcome: str,
    sent: Totals,
    values: dict[str, str],
    disputed: list[str] | None = None,
    answered: Totals | None = None,
) -> Decision:
    """The batch waits for the terminal's records. Begun again with nothing changed, it gets the same answer.

    `answered` are the totals as they were sent, where `sent` is only this batch's share of them.
    """
    begun = batch.settlement
    if batch.state == "uploading" and batch.terminal_totals == sent and begun["values"] == values:
        return stored_settlement(batch)
    rrn = book.next_rrn()
    answer = {"key": request.key, "outcome": outcome, "at_ms": now.at_ms, "rrn": rrn, "values": values}
    settled = {**answer, "disputed": disputed}
    if answered is not None:
        settled["sent"] = plain(answered)
    row = batch_row(book, batch, state="uploading", terminal_totals=sent, settlement=settled)
    detail = json.dumps({"number": batch.number, "sent": plain(sent)})
    entries = (
        request_entry(request, book, batch, now, outcome, rrn, ""),
        Entry("upload_begun", book.terminal_no, batch.batch_id, now.at_ms, detail=detail),
    )
    return Decision(outcome, now.at_ms, rrn, values=values, entries=entries, rows=(row,))


def begun_answer(batch: Batch) -> dict[str, Any] | None:
    """The answer that began the upload of `batch`, kept for a terminal that begins the settlement again."""
    if batch.state != "uploading":
        return None
    answer = {name: batch.settlement[name] for name in ("outcome", "at_ms", "rrn", "values")}
    return {**answer, "totals": plain(sent_for(batch))}


def sent_for(batch: Batch) -> Totals:
    """The totals that the answer of `batch` was given to, which may span batches that the host settled."""
    sent = batch.settlement.get("sent")
    return batch.terminal_totals if sent is None else {name: Side(*side) for name, side in sent.items()}


def plain(totals: Totals) -> dict[str, list[int]]:
    return {name: list(side) for name, side in totals.items()}


def stored_settlement(batch: Batch) -> Decision:
    """The answer that closed `batch`, or began its upload, once more."""
    return stored_answer(batch.settlement)


def stored_answer(answer: dict[str, Any]) -> Decision:
    return Decision(answer["outcome"], answer["at_ms"], answer["rrn"], values=answer["values"], reason="repeat")
