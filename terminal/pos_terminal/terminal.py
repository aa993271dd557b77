"""The terminal as a state machine without I/O: commands and answers in, requests out.

    terminal.begin(command)
    while (request := terminal.next_request()) is not None:
        save(terminal.memory)             # before sending: a power cut finds reversal and position there
        … send; then terminal.receive(answer) or terminal.no_answer()
        save(terminal.memory)
    terminal.result

The transitions are the table in `states.py`; `admission.py` says what may begin, `composer.py` makes the messages,
`outcome.py` and `settling.py` say what an answer does to the books, `applications` what differs between dialects,
`pin_pad.py` what keys protect.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pos_specs.frame_headers import SIGN_IN_AGAIN
from pos_specs.language import Language
from pos_specs.message import Message
from pos_terminal import batch_log, drafts, outcome
from pos_terminal.admission import Admission, pin_of, what_comes_first
from pos_terminal.answers import mismatch
from pos_terminal.applications import application_for
from pos_terminal.applications.application import Application
from pos_terminal.commands import Command, Forward, Manage, Reverse, Sign, Stored
from pos_terminal.composer import (
    MAC_ERROR,
    NO_ANSWER_IN_TIME,
    POWER_CUT,
    Asked,
    Composer,
    MemoryContradicts,
)
from pos_terminal.exchange import Exchange, Result
from pos_terminal.host_time import MOST_DIFFERENCE_S, seconds_ahead
from pos_terminal.memory import Memory, Unfinished
from pos_terminal.pin_pad import PadSettings, PinPad
from pos_terminal.settling import Settling
from pos_terminal.states import RESTING_STATES, Event, NotNow, State, next_state, resting_state
from pos_terminal.transaction import Transaction

_WITH_PIN = frozenset({State.WAITING_ANSWER, State.INQUIRING})
"""States in which the cardholder stands before the PIN pad: nothing that is sent again carries a PIN."""


class Terminal:
    """One terminal. `clock` gives the machine's local time, which it corrects by what answers say; `memory` is all that
    it remembers, `pad` the keys it was given.

    `watch` is told of every transition: from, event, to.
    """

    def __init__(
        self,
        language: Language,
        memory: Memory,
        clock: Callable[[], datetime],
        application: Application | None = None,
        watch: Callable[[State, Event, State], None] | None = None,
        pad: PadSettings | None = None,
    ) -> None:
        self.language = language
        self.memory = memory
        self.application = application or application_for(language)
        self.pin_pad = PinPad(language, memory, pad)
        self.state = resting_state(memory)
        self.result: Result | None = None
        self._watch = watch
        self._clock = clock
        self._composer = Composer(language, self.application, memory, clock, self.pin_pad)
        self._admission = Admission(language, memory, self.application, self.pin_pad)
        self._settling = Settling(language, memory, self.application)
        self._command: Command | None = None
        self._asked: Asked | None = None
        self._kept: Transaction | None = None
        self._take: dict[State, Callable[[Exchange, Message], Event]] = {
            State.MANAGING: self._managed,
            State.WAITING_ANSWER: self._answered,
            State.INQUIRING: self._told_balance,
            State.REVERSING: self._undone,
            State.FORWARDING: self._forwarded,
            State.SETTLING: self._settled,
            State.UPLOADING: self._settled,
            State.ENDING: self._settled,
        }

    def begin(self, command: Command) -> None:
        """Take up a command; raises NotNow, NotInLog, NoSuchFunction or PadError, and then nothing has changed.

        What is done without the host (an offline sale, an adjust) is in the memory when this returns.
        """
        if self.state not in RESTING_STATES:
            raise NotNow(f"the terminal is {self.state.value}")
        self._admission.check(command)
        kept = self._composer.store(command) if isinstance(command, Stored) else None
        self._command, self._kept, self.result = command, kept, None
        if isinstance(command, Reverse):
            self._begin_reverse(command)
        elif isinstance(command, Stored):
            if command.later:
                self._end(Result(True, True, reason="kept until the settlement", transaction=self._kept))
        elif isinstance(command, Forward) and not (self.memory.advices or self.memory.notices):
            self._end(Result(True, True, reason="nothing is stored"))

    def next_request(self) -> Message | None:
        """The message to send now, None when the command has its result. Save the memory before sending."""
        if self.result is not None or self._command is None:
            return None
        if self.state not in RESTING_STATES:
            self._asked = self._compose(self.state)
            return self._asked.message
        event = what_comes_first(self._command, self.memory)
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
        if approved and (wrong := self.pin_pad.why_not_believed(asked.message, answer)):
            return self._distrust(exchange, wrong)
        if approved:
            self._follow_clock(asked.message, answer)
        event = self._take[self.state](exchange, answer)
        self._asked = None
        self._move(event)
        return exchange

    def heed_header(self, header: bytes) -> None:
        """What the header of an answer asks for: a sign-in before the next transaction (unionpay.md 1)."""
        if self.language.dialect.framing.envelope.header.requirement_of(header) == SIGN_IN_AGAIN:
            self.memory.sign_in_asked = True

    def no_answer(self, why: str = "") -> Exchange:
        """The wait is over; `why` in words, where it is known."""
        asked = self._waiting_for()
        unfinished = self.memory.unfinished
        if unfinished is not None and self.state is State.WAITING_ANSWER:
            unfinished.reason = NO_ANSWER_IN_TIME
        elif unfinished is not None and self.state is State.REVERSING:
            unfinished.reason = POWER_CUT
        exchange = Exchange(asked.function, asked.message, None, None, False, asked.batch_number)
        self._unheard(exchange, f"no answer to {asked.function}{f': {why}' if why else ''}")
        return exchange

    # ------------------------------------------------------------ before sending

    def _begin_reverse(self, command: Reverse) -> None:
        if command.stan:
            transaction = self._admission.reversible(command.stan)
            self.memory.unfinished = Unfinished("reversal", transaction, POWER_CUT)
            self.state = resting_state(self.memory)
        elif self.memory.unfinished is None:
            self._end(Result(answered=True, approved=True, reason="nothing to reverse"))

    def _compose(self, state: State) -> Asked:
        asked = self._composed(state)
        self.pin_pad.protect(asked.function, asked.message, pin_of(self._command) if state in _WITH_PIN else None)
        return asked

    def _composed(self, state: State) -> Asked:
        command, composer = self._command, self._composer
        if command is None:
            raise MemoryContradicts("nothing was asked for")
        if state is State.MANAGING:
            return composer.management(command if isinstance(command, Manage) else Manage("sign_in"))
        if state is State.WAITING_ANSWER:
            return composer.transaction(command)
        if state is State.INQUIRING:
            return composer.signature(command) if isinstance(command, Sign) else composer.inquiry(command)
        if state is State.REVERSING:
            return composer.unfinished()
        if state is State.FORWARDING:
            return composer.stored()
        if state is State.SETTLING:
            return composer.settlement(command)
        return composer.record() if state is State.UPLOADING else composer.ending()

    # ------------------------------------------------------------ after an answer

    def _managed(self, exchange: Exchange, answer: Message) -> Event:
        why_not = ""
        if exchange.function == "sign_in" and exchange.approved:
            why_not = self._signed_in(exchange, answer)
        if why_not:
            exchange.approved = False
            self._end(Result(False, code=exchange.code, reason=f"sign-in refused: {why_not}"))
        elif isinstance(self._command, Manage):
            self._end(Result(True, exchange.approved, exchange.code))
        elif not exchange.approved:
            self._end(Result(False, code=exchange.code, reason=f"sign-in answered {exchange.code}"))
        return Event.ANSWERED

    def _signed_in(self, exchange: Exchange, answer: Message) -> str:
        """Adopt batch number and keys; gives why the keys are refused, and then the terminal is not signed in."""
        number = self.application.batch_number_of(answer)
        if number is not None:
            self.memory.batch_number = exchange.batch_number = number
        why_not = self.pin_pad.refusal_of_keys(answer)
        self.memory.must_sign_in = bool(why_not)
        self.memory.sign_in_asked = False
        return why_not

    def _follow_clock(self, request: Message, answer: Message) -> None:
        """Set the terminal's clock by the host's where an answer says that it is another (hypercom.md 6, fault 31).

        An answer that echoes the time of its request, as some hosts do to uploaded records, tells nothing.
        """
        date, time = self.application.clock_of(answer)
        if (date, time) == self.application.clock_of(request):
            return
        ahead_s = seconds_ahead(date, time, self._clock())
        if ahead_s is not None and abs(ahead_s - self.memory.clock_ahead_s) > MOST_DIFFERENCE_S:
            self.memory.clock_ahead_s = ahead_s

    def _answered(self, exchange: Exchange, answer: Message) -> Event:
        transaction = self._finish(exchange, answer)
        self._end(Result(True, exchange.approved, exchange.code, transaction=transaction))
        return Event.ANSWERED

    def _told_balance(self, exchange: Exchange, answer: Message) -> Event:
        transaction = self._waiting_for().transaction
        if transaction is not None:
            drafts.complete(transaction, answer, self.application)
        self._heed(exchange.code)
        self._end(Result(True, exchange.approved, exchange.code, transaction=transaction))
        return Event.ANSWERED

    def _finish(self, exchange: Exchange, answer: Message) -> Transaction:
        """A valid answer, whatever it says, ends the need to reverse; an approval enters the books."""
        transaction = self._pending().transaction
        self.memory.unfinished = None
        drafts.complete(transaction, answer, self.application)
        if exchange.approved:
            outcome.approve(self.memory, transaction, answer, self._notices())
        self._heed(exchange.code)
        return transaction

    def _forwarded(self, exchange: Exchange, answer: Message) -> Event:
        """Any answer ends a notice; an advice is kept for another try only when the host has failed."""
        asked = self._waiting_for()
        if asked.function in outcome.NOTICES:
            self.memory.notices.pop(0)
            self._heed(exchange.code)
            if isinstance(self._command, Forward) and not (self.memory.notices or self.memory.advices):
                self._end(Result(True, exchange.approved, exchange.code))
            return Event.ANSWERED
        transaction = asked.transaction
        if transaction is None:
            raise MemoryContradicts("an advice without its transaction")
        if self._host_failed(exchange) or exchange.code in self.application.sign_in_again:
            self._heed(exchange.code)
            self._keep_advice(exchange, f"{asked.function} was answered {exchange.code}")
            return Event.ANSWERED
        drafts.complete(transaction, answer, self.application)
        self.memory.advices.pop(0)
        self._end_forwarding(exchange, transaction)
        return Event.ANSWERED

    def _end_forwarding(self, exchange: Exchange, told: Transaction) -> None:
        """The command is done when the host knows what it is about; a settlement goes on."""
        if self._kept is told or (isinstance(self._command, Stored | Forward) and not self.memory.advices):
            self._end(Result(True, exchange.approved, exchange.code, transaction=told))

    def _keep_advice(self, exchange: Exchange, reason: str) -> None:
        """Once more later; after the last try the batch's upload must tell of it."""
        advice = self.memory.advices[0]
        advice.tries += 1
        tries = self.application.advice_tries
        if tries is not None and advice.tries >= tries:
            exchange.given_up = True
            self.memory.advices.pop(0)
        self._end(Result(False, code=exchange.code, reason=reason, transaction=self._kept))

    def _undone(self, exchange: Exchange, answer: Message) -> Event:
        unfinished = self._pending()
        if unfinished.kind == "repeat" and not self._host_failed(exchange):
            self._finish(exchange, answer)
        elif unfinished.kind == "reversal" and exchange.code in self.application.reversal_done:
            exchange.approved = True
            exchange.undone = unfinished.transaction
            batch_log.note_reversal(self.memory.log, unfinished.transaction, self.memory.authorisations)
            self.memory.unfinished = None
        else:
            self._reversal_refused(unfinished, exchange)
        if isinstance(self._command, Reverse):
            self._end(Result(True, exchange.approved, exchange.code, transaction=unfinished.transaction))
        return Event.ANSWERED

    def _reversal_refused(self, unfinished: Unfinished, exchange: Exchange) -> None:
        self._count_refusal(unfinished, exchange)
        if exchange.given_up:
            return
        self._heed(exchange.code)
        if not isinstance(self._command, Reverse):
            reason = f"the reversal of {unfinished.transaction.stan} was answered {exchange.code}"
            self._end(Result(False, code=exchange.code, reason=reason))

    def _count_refusal(self, unfinished: Unfinished, exchange: Exchange) -> None:
        unfinished.refused += 1
        tries = self.application.reversal_tries
        if tries is not None and unfinished.refused >= tries:
            exchange.given_up = True
            self.memory.unfinished = None

    def _settled(self, exchange: Exchange, answer: Message) -> Event:
        event, result = self._settling.take(self.state, exchange, answer)
        if event is Event.REFUSED:
            self._heed(exchange.code)
        if result is not None:
            self._end(result)
        return event

    def _host_failed(self, exchange: Exchange) -> bool:
        return exchange.code == self.language.dialect.outcomes["internal_error"]

    # ------------------------------------------------------------ no answer, or one that is not to be believed

    def _distrust(self, exchange: Exchange, wrong: str) -> Exchange:
        """An approval with a wrong MAC, or none: as no answer, with its own reason, and new keys are asked for."""
        exchange.approved, exchange.distrusted = False, True
        self.memory.must_sign_in = self.language.dialect.security.keys != "none"
        unfinished = self.memory.unfinished
        if unfinished is not None and self.state is State.WAITING_ANSWER:
            unfinished.reason = MAC_ERROR
        elif unfinished is not None and self.state is State.REVERSING:
            self._count_refusal(unfinished, exchange)
        self._unheard(exchange, f"the answer to {exchange.function} {wrong}")
        return exchange

    def _unheard(self, exchange: Exchange, reason: str) -> None:
        function = self._waiting_for().function
        if self.state is State.FORWARDING:
            self._not_forwarded(exchange, function, reason)
        else:
            self._end(Result(answered=False, reason=reason))
        self._asked = None
        self._move(Event.NO_ANSWER)

    def _not_forwarded(self, exchange: Exchange, function: str, reason: str) -> None:
        if function not in outcome.NOTICES:
            self._keep_advice(exchange, reason)
            return
        outcome.count_try(self.memory, exchange)
        self._end(Result(answered=False, reason=reason))

    # ------------------------------------------------------------ within

    def _heed(self, code: str | None) -> None:
        if code in self.application.sign_in_again:
            self.memory.must_sign_in = True

    def _notices(self) -> tuple[str, ...]:
        served = {rule.name for rule in self.language.dialect.functions}
        return tuple(name for name in outcome.NOTICES if name in served)

    def _end(self, result: Result) -> None:
        self.result = result
        self._command = self._kept = None

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
