"""Terminals with one mistake each, planted into our own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.unit.host.certification.bench import Shop

from pos_specs.language import Language
from pos_specs.message import Message, reply_mti
from pos_specs.security.keys import WorkingKeys
from pos_terminal.applications.application import REFUSED
from pos_terminal.composer import Asked
from pos_terminal.exchange import Exchange, Result
from pos_terminal.memory import Memory
from pos_terminal.pin_pad import PadSettings
from pos_terminal.states import State
from pos_terminal.terminal import Terminal
from pos_terminal.transaction import Transaction

STAN, AMOUNT, CODE, MAC = 11, 4, 39, 64
PART_APPROVED = "10"


def sending(function: str, change: Callable[[dict[int, str]], object]) -> type[Terminal]:
    """A terminal that changes what it sends of one function, before it makes its MAC."""

    class Sends(Terminal):
        def _composed(self, state: State) -> Asked:
            asked = super()._composed(state)
            if asked.function == function:
                change(asked.message.fields)
            return asked

    return Sends


def wrong_mac(shop: Shop, name: str, request: Message) -> Message:
    """A pre-authorisation whose MAC was made under another key."""
    fields = dict(request.fields)
    if name == "auth" and MAC in fields:
        fields[MAC] = "3030303030303030"
    return Message(request.mti, fields)


class ForgetsReversals(Terminal):
    """What it gets no answer to it forgets."""

    def no_answer(self, why: str = "") -> Exchange:
        unfinished = self.memory.unfinished
        forgets = self.state is State.WAITING_ANSWER and unfinished is not None and unfinished.kind == "reversal"
        exchange = super().no_answer(why)
        if forgets:
            self.memory.unfinished = None
            self.state = State.IDLE
        return exchange


class ForgetsRepeats(Terminal):
    """Sends a reversal once, answered or not."""

    def no_answer(self, why: str = "") -> Exchange:
        reversing = self.state is State.REVERSING
        exchange = super().no_answer(why)
        if reversing:
            self.memory.unfinished = None
            self.state = State.IDLE
        return exchange


class SkipsRecords(Terminal):
    """Goes on with the next record where one was not answered."""

    def no_answer(self, why: str = "") -> Exchange:
        uploading, settlement = self.state is State.UPLOADING, self.memory.settlement
        exchange = super().no_answer(why)
        if uploading and settlement is not None:
            settlement.steps_done += 1
        return exchange


class BeginsUploadAnew(Terminal):
    """Begins at the settlement again where a record was not answered, as PAX terminals do: no mistake."""

    def no_answer(self, why: str = "") -> Exchange:
        uploading, settlement = self.state is State.UPLOADING, self.memory.settlement
        exchange = super().no_answer(why)
        if uploading and settlement is not None:
            settlement.stage, settlement.steps_done = "sent", 0
            self.state = State.SETTLEMENT_PENDING
        return exchange


class NeverSignsInAgain(Terminal):
    """Takes 77 for a decline like any other."""

    def __init__(self, language: Language, memory: Memory, clock: Callable[[], datetime]) -> None:
        super().__init__(language, memory, clock)
        self.application.sign_in_again = frozenset()


class RenumbersSettlements(Terminal):
    """Sends a settlement that was not answered again with the next batch number."""

    settlements = 0

    def _composed(self, state: State) -> Asked:
        asked = super()._composed(state)
        if asked.function == "settlement":
            self.settlements += 1
            if self.settlements == 2:
                asked.message.fields[60] = f"{int(asked.message.fields[60]) + 1:06d}"
        return asked


class WithoutMac(Terminal):
    """Makes no MAC and looks at none, so that what an answer says can be bent."""

    def __init__(self, language: Language, memory: Memory, clock: Callable[[], datetime]) -> None:
        super().__init__(language, memory, clock, pad=PadSettings(uses_mac=False))

    def bend(self, answer: Message) -> Message:
        """The answer as this terminal takes it."""
        return answer

    def receive(self, answer: Message) -> Exchange | None:
        return super().receive(self.bend(answer))


class TakesAnyStan(WithoutMac):
    """Looks at everything of an answer but its STAN."""

    def bend(self, answer: Message) -> Message:
        asked = self._asked
        same_type = asked is not None and answer.mti == reply_mti(asked.message.mti)
        if asked is None or not same_type:
            return answer
        return Message(answer.mti, {**answer.fields, STAN: asked.message.fields[STAN]})


class TakesIncomplete(WithoutMac):
    """Takes an answer without a response code for an approval."""

    def bend(self, answer: Message) -> Message:
        return Message(answer.mti, {CODE: "00", **answer.fields})


class TakesAnyType(WithoutMac):
    """Looks at everything of an answer but its message type."""

    def bend(self, answer: Message) -> Message:
        return answer if self._asked is None else Message(reply_mti(self._asked.message.mti), answer.fields)


class BelievesAnyMac(Terminal):
    """Makes MACs and looks at none."""

    def __init__(self, language: Language, memory: Memory, clock: Callable[[], datetime]) -> None:
        super().__init__(language, memory, clock)
        self.pin_pad.why_not_believed = lambda request, answer: ""  # type: ignore[method-assign]


class TakesAnyKeys(Terminal):
    """Uses the keys of a sign-in without a look at their check values."""

    def __init__(self, language: Language, memory: Memory, clock: Callable[[], datetime]) -> None:
        super().__init__(language, memory, clock)
        checks = self.pin_pad.refusal_of_keys

        def takes(answer: Message) -> str:
            if checks(answer):
                self.memory.keys = WorkingKeys(bytes(range(16)), bytes(range(8)))
            return ""

        self.pin_pad.refusal_of_keys = takes  # type: ignore[method-assign]


class ReversesDeclines(Terminal):
    """Takes a decline for no answer."""

    def _finish(self, exchange: Exchange, answer: Message) -> Transaction:
        unfinished = self.memory.unfinished
        transaction = super()._finish(exchange, answer)
        if not exchange.approved and unfinished is not None and unfinished.kind == "reversal":
            self.memory.unfinished = unfinished
        return transaction


def counting_declines(code: str) -> type[Terminal]:
    """A terminal that counts what was declined with one code."""

    class CountsDeclines(Terminal):
        def _finish(self, exchange: Exchange, answer: Message) -> Transaction:
            transaction = super()._finish(exchange, answer)
            if exchange.code == code:
                self.memory.log.append(transaction)
            return transaction

    return CountsDeclines


class CountsAllOfAPart(Terminal):
    """Counts what was asked for where less was approved."""

    def _finish(self, exchange: Exchange, answer: Message) -> Transaction:
        transaction = super()._finish(exchange, answer)
        if exchange.code == PART_APPROVED:
            transaction.amount_minor = int(exchange.request.fields[AMOUNT])
        return transaction


class CountsNoPart(Terminal):
    """Takes the approval of a part for a decline, and does not reverse it."""

    def _finish(self, exchange: Exchange, answer: Message) -> Transaction:
        transaction = super()._finish(exchange, answer)
        if exchange.code == PART_APPROVED:
            self.memory.log.remove(transaction)
        return transaction


class KeepsItsOwnTime(Terminal):
    """Its clock is a week late, and it does not set it by what the host says."""

    def __init__(self, language: Language, memory: Memory, clock: Callable[[], datetime]) -> None:
        super().__init__(language, memory, lambda: clock() - timedelta(days=7))

    def _follow_clock(self, request: Message, answer: Message) -> None:
        pass


class KeepsBatchNumber(Terminal):
    """Goes on in the batch that was closed."""

    def _end(self, result: Result) -> None:
        if result.closed is not None:
            self.memory.batch_number = result.closed.batch_number
        super()._end(result)


class RenumbersRefunds(Terminal):
    """Sends a refund that was not answered again as a new one."""

    refunds = 0

    def _composed(self, state: State) -> Asked:
        asked = super()._composed(state)
        if asked.function == "refund":
            self.refunds += 1
            if self.refunds == 2:
                asked.message.fields[STAN] = self.memory.next_stan()
        return asked


class IgnoresHeaders(Terminal):
    """Does not look at the header of answers."""

    def heed_header(self, header: bytes) -> None:
        pass


class NeverDoneReversing(Terminal):
    """Is content with no answer to a reversal."""

    def __init__(self, language: Language, memory: Memory, clock: Callable[[], datetime]) -> None:
        super().__init__(language, memory, clock)
        self.application.reversal_done = frozenset()
        self.application.reversal_tries = None


class InsistsOnTrailer(Terminal):
    """Sends the trailer until it is content with the answer."""

    def __init__(self, language: Language, memory: Memory, clock: Callable[[], datetime]) -> None:
        super().__init__(language, memory, clock)
        judge = self.application.judge_ending
        self.application.judge_ending = lambda answer, settlement: (  # type: ignore[method-assign]
            REFUSED if answer.fields[CODE] == "95" else judge(answer, settlement)
        )


class ForgetsRecord(Terminal):
    """Leaves the last record out of its upload."""

    def __init__(self, language: Language, memory: Memory, clock: Callable[[], datetime]) -> None:
        super().__init__(language, memory, clock)
        steps = self.application.upload_steps
        self.application.upload_steps = lambda *of: steps(*of)[:-1]  # type: ignore[method-assign]


class UploadsTwice(Terminal):
    """Uploads its first record once more at the end."""

    def __init__(self, language: Language, memory: Memory, clock: Callable[[], datetime]) -> None:
        super().__init__(language, memory, clock)
        steps = self.application.upload_steps
        self.application.upload_steps = lambda *of: [*steps(*of), *steps(*of)[:1]]  # type: ignore[method-assign]


class Counting(Memory):
    """Gives STANs by a rule of its own: `stan_after` gets the count of STANs given so far and the last one."""

    given = 0

    @staticmethod
    def stan_after(given: int, last: int) -> int:
        raise NotImplementedError

    def next_stan(self) -> str:
        type(self).given += 1
        self.stan = self.stan_after(type(self).given, self.stan)
        return f"{self.stan:06d}"


def counting(rule: Callable[[int, int], int]) -> Any:
    """A memory whose STANs follow `rule`."""
    return type("Counted", (Counting,), {"given": 0, "stan_after": staticmethod(rule)})
