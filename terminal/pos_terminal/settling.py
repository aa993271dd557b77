"""What the answers of a settlement mean: to the totals, to each uploaded record, to the end of the upload."""

from __future__ import annotations

from typing import NamedTuple

from pos_specs.language import Language
from pos_specs.message import Message
from pos_terminal.applications.application import Application, Judgement
from pos_terminal.composer import under_way
from pos_terminal.exchange import ClosedBatch, Exchange, Result
from pos_terminal.memory import Memory, Settlement
from pos_terminal.states import Event, State


class Step(NamedTuple):
    """Where the settlement goes on, and its result where that was the last answer."""

    event: Event
    result: Result | None = None


class Settling:
    """The settlement of one terminal; its position is in the memory."""

    def __init__(self, language: Language, memory: Memory, application: Application) -> None:
        self._dialect = language.dialect
        self._memory = memory
        self._application = application

    def take(self, state: State, exchange: Exchange, answer: Message) -> Step:
        """Take the answer to what was sent in `state`: the totals, a record, or the end."""
        if state is State.SETTLING:
            return self._judged(exchange, answer)
        return self._taken(exchange) if state is State.UPLOADING else self._ended(exchange, answer)

    def _judged(self, exchange: Exchange, answer: Message) -> Step:
        settlement = under_way(self._memory)
        judgement = self._application.judge(answer)
        exchange.approved = judgement.verdict != "refused"
        if judgement.verdict == "refused":  # the host has certainly not closed the batch: trading goes on in it
            self._memory.settlement = None
            return Step(Event.REFUSED, Result(False, code=exchange.code, reason="the host refused the settlement"))
        settlement.balanced = judgement.verdict == "balanced"
        settlement.halves = list(judgement.halves)
        if judgement.verdict == "send_batch" or self._steps(settlement):
            settlement.stage = "uploading"
            return self._after_record(settlement, Event.SEND_BATCH)
        if self._application.ends_balanced_batch:
            settlement.stage = "ending"
            return Step(Event.BALANCED)
        return self._close(exchange, judgement)

    def _taken(self, exchange: Exchange) -> Step:
        """Any answer marks a record as sent (unionpay.md 4.2), except one that says the host has failed."""
        if self._host_failed(exchange):
            return self._stop(exchange)
        settlement = under_way(self._memory)
        exchange.approved = True
        settlement.steps_done += 1
        return self._after_record(settlement, Event.RECORD_TAKEN)

    def _after_record(self, settlement: Settlement, event: Event) -> Step:
        if settlement.steps_done < self._steps(settlement):
            return Step(event)
        settlement.stage = "ending"
        return Step(Event.ALL_TAKEN)

    def _steps(self, settlement: Settlement) -> int:
        return len(self._application.upload_steps(self._memory.log, settlement))

    def _ended(self, exchange: Exchange, answer: Message) -> Step:
        judgement = self._application.judge_ending(answer, under_way(self._memory))
        if self._host_failed(exchange) or judgement.verdict == "refused":
            return self._stop(exchange)
        exchange.approved = judgement.verdict == "balanced"
        return self._close(exchange, judgement)

    def _host_failed(self, exchange: Exchange) -> bool:
        return exchange.code == self._dialect.outcomes["internal_error"]

    def _stop(self, exchange: Exchange) -> Step:
        reason = f"{exchange.function} was answered {exchange.code}"
        return Step(Event.REFUSED, Result(False, code=exchange.code, reason=reason))

    def _close(self, exchange: Exchange, judgement: Judgement) -> Step:
        """Clear the log and go to the next batch, unless a sign-in has already given its number."""
        memory, settlement = self._memory, under_way(self._memory)
        result: str = judgement.verdict
        if result == "balanced" and not settlement.balanced:
            result = "balanced_after_upload"
        exchange.result = result
        closed = ClosedBatch(
            settlement.batch_number,
            result,
            self._application.books(memory.log),
            sum(1 for transaction in memory.log if transaction.stands),
            self._application.totals(memory.log),
        )
        if memory.batch_number == settlement.batch_number:
            memory.batch_number = self._dialect.batch.after(settlement.batch_number)
        memory.log = []
        memory.settlement = None
        return Step(Event.CLOSED, Result(True, exchange.approved, exchange.code, closed=closed))
