"""The terminal as a state machine without I/O: commands and answers in, requests out.

    terminal.begin(command)
    while (request := terminal.next_request()) is not None:
        save(terminal.memory)             # before sending: a power cut finds reversal and position there
        … send; then terminal.receive(answer) or terminal.no_answer()
        save(terminal.memory)
    terminal.result

The transitions are the table in `states.py`, the messages come from `composer.py`, what differs between
dialects is in `applications`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pos_specs.language import Language
from pos_specs.message import Message
from pos_terminal import batch_log, drafts
from pos_terminal.answers import mismatch
from pos_terminal.applications import application_for
from pos_terminal.applications.application import Application, Judgement
from pos_terminal.commands import Command, Manage, Reverse, Settle
from pos_terminal.composer import (
    NO_ANSWER_IN_TIME,
    POWER_CUT,
    Asked,
    Composer,
    MemoryContradicts,
    under_way,
)
from pos_terminal.exchange import ClosedBatch, Exchange, Result
from pos_terminal.memory import Memory, Settlement, Unfinished
from pos_terminal.requests import rule_of
from pos_terminal.states import RESTING_STATES, Event, NotNow, State, next_state, resting_state
from pos_terminal.transaction import Transaction

_STAGES = {
    "sent": Event.BEGIN_SETTLEMENT,
    "uploading": Event.BEGIN_UPLOAD,
    "ending": Event.BEGIN_ENDING,
}


class Terminal:
    """One terminal. `clock` gives its local time; `memory` is all that it remembers.

    `watch` is told of every transition: from, event, to.
    """

    def __init__(
        self,
        language: Language,
        memory: Memory,
        clock: Callable[[], datetime],
        application: Application | None = None,
        watch: Callable[[State, Event, State], None] | None = None,
    ) -> None:
        self.language = language
        self.memory = memory
        self.application = application or application_for(language)
        self.state = resting_state(memory)
        self.result: Result | None = None
        self._watch = watch
        self._composer = Composer(language, self.application, memory, clock)
        self._command: Command | None = None
        self._asked: Asked | None = None
        self._take: dict[State, Callable[[Exchange, Message], Event]] = {
            State.MANAGING: self._managed,
            State.WAITING_ANSWER: self._answered,
            State.REVERSING: self._undone,
            State.SETTLING: self._judged,
            State.UPLOADING: self._taken,
            State.ENDING: self._ended,
        }

    def begin(self, command: Command) -> None:
        """Take up a command; raises NotNow, NotInLog or NoSuchFunction, and then nothing has changed."""
        if self.state not in RESTING_STATES:
            raise NotNow(f"the terminal is {self.state.value}")
        self._check(command)
        self._command = command
        self.result = None
        if isinstance(command, Reverse):
            self._begin_reverse(command)

    def next_request(self) -> Message | None:
        """The message to send now, None when the command has its result. Save the memory before sending."""
        if self.result is not None or self._command is None:
            return None
        if self.state not in RESTING_STATES:
            self._asked = self._compose(self.state)
            return self._asked.message
        event = self._beginning(self._command)
        self._asked = self._compose(next_state(self.state, event, self.memory))
        self._move(event)
        return self._asked.message

    def receive(self, answer: Message) -> Exchange | None:
        """Take an answer; None when it does not belong to the request, so that the wait goes on."""
        asked = self._waiting_for()
        if mismatch(asked.rule, asked.message, answer) is not None:
            return None
        code = answer.fields.get(39)
        approved = code in self.application.approved
        exchange = Exchange(asked.function, asked.message, answer, code, approved, asked.batch_number)
        self._asked = None
        self._move(self._take[self.state](exchange, answer))
        return exchange

    def no_answer(self) -> Exchange:
        """The wait is over."""
        asked = self._waiting_for()
        self._asked = None
        unfinished = self.memory.unfinished
        if unfinished is not None and self.state is State.WAITING_ANSWER:
            unfinished.reason = NO_ANSWER_IN_TIME
        elif unfinished is not None and self.state is State.REVERSING:
            unfinished.reason = POWER_CUT
        self._end(Result(answered=False, reason=f"no answer to {asked.function}"))
        self._move(Event.NO_ANSWER)
        return Exchange(asked.function, asked.message, None, None, False, asked.batch_number)

    # ------------------------------------------------------------ before sending

    def _check(self, command: Command) -> None:
        memory = self.memory
        if isinstance(command, Manage):
            rule_of(self.language.dialect, command.function, {})
            return
        if isinstance(command, Settle):
            return
        if memory.settlement is not None:
            raise NotNow("a settlement is not finished: settle first")
        if isinstance(command, Reverse):
            self._check_reverse(command)
            return
        limit = self.application.batch_limit
        if limit is not None and len(memory.log) >= limit:
            raise NotNow(f"the batch is full ({limit} records): settle first")
        drafts.check(command, memory)

    def _check_reverse(self, command: Reverse) -> None:
        if not command.stan:
            return
        if self.memory.unfinished is not None:
            raise NotNow("another reversal is pending: send that first")
        transaction = batch_log.find(self.memory.log, command.stan)
        if transaction.function not in self.application.reversible:
            raise NotNow(f"a {transaction.function} is not reversed in dialect {self.language.name}")

    def _begin_reverse(self, command: Reverse) -> None:
        if command.stan:
            transaction = batch_log.find(self.memory.log, command.stan)
            self.memory.unfinished = Unfinished("reversal", transaction, POWER_CUT)
            self.state = resting_state(self.memory)
        elif self.memory.unfinished is None:
            self._end(Result(answered=True, approved=True, reason="nothing to reverse"))

    def _beginning(self, command: Command) -> Event:
        """What comes first: the command itself, or what must go before it."""
        memory = self.memory
        if isinstance(command, Manage):
            return Event.BEGIN_MANAGEMENT
        if memory.settlement is not None:
            return _STAGES[memory.settlement.stage]
        if memory.unfinished is not None:
            return Event.BEGIN_REVERSAL
        if memory.must_sign_in:
            return Event.BEGIN_MANAGEMENT
        return Event.BEGIN_SETTLEMENT if isinstance(command, Settle) else Event.BEGIN_TRANSACTION

    def _compose(self, state: State) -> Asked:
        command, composer = self._command, self._composer
        if command is None:
            raise MemoryContradicts("nothing was asked for")
        if state is State.MANAGING:
            return composer.management(command.function if isinstance(command, Manage) else "sign_in")
        if state is State.WAITING_ANSWER:
            return composer.transaction(command)
        if state is State.REVERSING:
            return composer.unfinished()
        if state is State.SETTLING:
            return composer.settlement(command)
        return composer.record() if state is State.UPLOADING else composer.ending()

    # ------------------------------------------------------------ after an answer

    def _managed(self, exchange: Exchange, answer: Message) -> Event:
        if exchange.function == "sign_in" and exchange.approved:
            number = self.application.batch_number_of(answer)
            if number is not None:
                self.memory.batch_number = exchange.batch_number = number
            self.memory.must_sign_in = False
        if isinstance(self._command, Manage):
            self._end(Result(True, exchange.approved, exchange.code))
        elif not exchange.approved:
            self._end(Result(False, code=exchange.code, reason=f"sign-in answered {exchange.code}"))
        return Event.ANSWERED

    def _answered(self, exchange: Exchange, answer: Message) -> Event:
        transaction = self._finish(exchange, answer)
        self._end(Result(True, exchange.approved, exchange.code, transaction=transaction))
        return Event.ANSWERED

    def _finish(self, exchange: Exchange, answer: Message) -> Transaction:
        """A valid answer, whatever it says, ends the need to reverse; an approval enters the log."""
        transaction = self._pending().transaction
        self.memory.unfinished = None
        drafts.complete(transaction, answer, self.application.card_class_of(answer))
        if exchange.approved:
            self.memory.log.append(transaction)
            if transaction.function == "purchase_void":
                batch_log.note_void(self.memory.log, transaction)
        self._heed(exchange.code)
        return transaction

    def _undone(self, exchange: Exchange, answer: Message) -> Event:
        unfinished = self._pending()
        if unfinished.kind == "repeat" and not self._host_failed(exchange):
            self._finish(exchange, answer)
        elif unfinished.kind == "reversal" and exchange.code in self.application.reversal_done:
            exchange.approved = True
            exchange.undone = unfinished.transaction
            batch_log.note_reversal(self.memory.log, unfinished.transaction)
            self.memory.unfinished = None
        else:
            self._reversal_refused(unfinished, exchange)
        if isinstance(self._command, Reverse):
            self._end(Result(True, exchange.approved, exchange.code, transaction=unfinished.transaction))
        return Event.ANSWERED

    def _reversal_refused(self, unfinished: Unfinished, exchange: Exchange) -> None:
        unfinished.refused += 1
        tries = self.application.reversal_tries
        if tries is not None and unfinished.refused >= tries:
            exchange.given_up = True
            self.memory.unfinished = None
            return
        self._heed(exchange.code)
        if not isinstance(self._command, Reverse):
            reason = f"the reversal of {unfinished.transaction.stan} was answered {exchange.code}"
            self._end(Result(False, code=exchange.code, reason=reason))

    def _judged(self, exchange: Exchange, answer: Message) -> Event:
        settlement = under_way(self.memory)
        judgement = self.application.judge(answer)
        exchange.approved = judgement.verdict != "refused"
        if judgement.verdict == "refused":
            return self._refuse_settlement(exchange)
        settlement.balanced = judgement.verdict == "balanced"
        if judgement.verdict == "send_batch":
            settlement.halves = list(judgement.halves)
            settlement.stage = "uploading"
            return self._after_record(settlement, Event.SEND_BATCH)
        if self.application.ends_balanced_batch:
            settlement.stage = "ending"
            return Event.BALANCED
        return self._close(exchange, judgement)

    def _refuse_settlement(self, exchange: Exchange) -> Event:
        """The host has certainly not closed the batch: trading goes on in it."""
        self.memory.settlement = None
        self._heed(exchange.code)
        self._end(Result(False, code=exchange.code, reason="the host refused the settlement"))
        return Event.REFUSED

    def _taken(self, exchange: Exchange, answer: Message) -> Event:
        """Any answer marks a record as sent (unionpay.md 4.2), except one that says the host has failed."""
        if self._host_failed(exchange):
            return self._stop_upload(exchange)
        settlement = under_way(self.memory)
        exchange.approved = True
        settlement.steps_done += 1
        return self._after_record(settlement, Event.RECORD_TAKEN)

    def _after_record(self, settlement: Settlement, event: Event) -> Event:
        steps = self.application.upload_steps(self.memory.log, settlement)
        if settlement.steps_done < len(steps):
            return event
        settlement.stage = "ending"
        return Event.ALL_TAKEN

    def _ended(self, exchange: Exchange, answer: Message) -> Event:
        judgement = self.application.judge_ending(answer, under_way(self.memory))
        if self._host_failed(exchange) or judgement.verdict == "refused":
            return self._stop_upload(exchange)
        exchange.approved = judgement.verdict == "balanced"
        return self._close(exchange, judgement)

    def _host_failed(self, exchange: Exchange) -> bool:
        return exchange.code == self.language.dialect.outcomes["internal_error"]

    def _stop_upload(self, exchange: Exchange) -> Event:
        reason = f"{exchange.function} was answered {exchange.code}"
        self._end(Result(False, code=exchange.code, reason=reason))
        return Event.REFUSED

    def _close(self, exchange: Exchange, judgement: Judgement) -> Event:
        """Clear the log and go to the next batch, unless a sign-in has already given its number."""
        memory, settlement = self.memory, under_way(self.memory)
        result: str = judgement.verdict
        if result == "balanced" and not settlement.balanced:
            result = "balanced_after_upload"
        exchange.result = result
        closed = ClosedBatch(
            settlement.batch_number,
            result,
            self.application.books(memory.log),
            sum(1 for transaction in memory.log if transaction.stands),
            self.application.totals(memory.log),
        )
        if memory.batch_number == settlement.batch_number:
            memory.batch_number = self.language.dialect.batch.after(settlement.batch_number)
        memory.log = []
        memory.settlement = None
        self._end(Result(True, exchange.approved, exchange.code, closed=closed))
        return Event.CLOSED

    # ------------------------------------------------------------ within

    def _heed(self, code: str | None) -> None:
        if code in self.application.sign_in_again:
            self.memory.must_sign_in = True

    def _end(self, result: Result) -> None:
        self.result = result
        self._command = None

    def _move(self, event: Event) -> None:
        before = self.state
        self.state = next_state(before, event, self.memory)
        if self._watch is not None:
            self._watch(before, event, self.state)

    def _waiting_for(self) -> Asked:
        if self._asked is None:
            raise NotNow("the terminal waits for no answer")
        return self._asked

    def _pending(self) -> Unfinished:
        if self.memory.unfinished is None:
            raise MemoryContradicts("nothing is unfinished")
        return self.memory.unfinished
