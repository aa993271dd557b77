"""What a terminal may begin in the state it is in, and what has to go before it."""

from __future__ import annotations

from pos_specs.language import Language
from pos_terminal import batch_log, drafts
from pos_terminal.applications.application import Application
from pos_terminal.batch_log import NotInLog
from pos_terminal.commands import Command, Forward, Inquire, Manage, Reverse, Settle, Sign, Stored, Void
from pos_terminal.memory import Memory
from pos_terminal.pin import Pin
from pos_terminal.pin_pad import PinPad
from pos_terminal.requests import rule_of
from pos_terminal.states import Event, NotNow
from pos_terminal.transaction import COMPLETIONS, Transaction

_STAGES = {
    "sent": Event.BEGIN_SETTLEMENT,
    "uploading": Event.BEGIN_UPLOAD,
    "ending": Event.BEGIN_ENDING,
}


class Admission:
    """Judges commands against one terminal's memory; it changes nothing."""

    def __init__(self, language: Language, memory: Memory, application: Application, pin_pad: PinPad) -> None:
        self._language = language
        self._memory = memory
        self._application = application
        self._pin_pad = pin_pad

    def check(self, command: Command) -> None:
        """Raise NotNow, NotInLog, NoSuchFunction or PadError for what cannot be begun."""
        if isinstance(command, Manage):
            rule_of(self._language.dialect, command.function, command.hints)
            return
        if isinstance(command, Settle):
            return
        if self._memory.settlement is not None:
            raise NotNow("a settlement is not finished: settle first")
        if isinstance(command, Reverse):
            self._check_reverse(command)
        elif isinstance(command, Sign):
            rule_of(self._language.dialect, "signature", {})
            batch_log.signed(self._memory.log, command.stan)
        elif not isinstance(command, Forward):
            self._check_transaction(command)

    def reversible(self, stan: str) -> Transaction:
        """The transaction or pre-authorisation of that STAN; raises NotInLog."""
        return batch_log.find([*self._memory.authorisations, *self._memory.log], stan)

    def _check_transaction(self, command: Command) -> None:
        memory, limit = self._memory, self._application.batch_limit
        if limit is not None and len(memory.log) >= limit and not isinstance(command, Inquire):
            raise NotNow(f"the batch is full ({limit} records): settle first")
        rule_of(self._language.dialect, drafts.function_of(command), {})
        drafts.check(command, memory)
        if isinstance(command, Void) and command.stan:
            self._check_void(command)
        if pin_of(command) is not None:
            self._pin_pad.check_pin_key()

    def _check_void(self, command: Void) -> None:
        """A completion is voided as what it is, where the dialect knows the difference."""
        knows = any(rule.name == "completion_void" for rule in self._language.dialect.functions)
        if command.function == "purchase_void" and knows:
            found = batch_log.find(self._memory.log, command.stan)
            if found.function in COMPLETIONS:
                raise NotInLog(f"transaction {found.stan} is a completion, not a purchase")

    def _check_reverse(self, command: Reverse) -> None:
        if not command.stan:
            return
        if self._memory.unfinished is not None:
            raise NotNow("another reversal is pending: send that first")
        transaction = self.reversible(command.stan)
        if not self._application.reverses(transaction.function, transaction.mti):
            raise NotNow(f"a {transaction.function} is not reversed in dialect {self._language.name}")


def what_comes_first(command: Command, memory: Memory) -> Event:
    """What is sent first: the command itself, or what must go before it."""
    if isinstance(command, Manage):
        return Event.BEGIN_MANAGEMENT
    if memory.settlement is not None:
        return _STAGES[memory.settlement.stage]
    # a settlement names the batch that it closes: a sign-in before it could bring another number
    if memory.must_sign_in or (memory.sign_in_asked and not isinstance(command, Settle)):
        return Event.BEGIN_MANAGEMENT
    if memory.notices:  # unionpay.md 4.5: script notices go before the reversal
        return Event.BEGIN_FORWARDING
    if memory.unfinished is not None:
        return Event.BEGIN_REVERSAL
    if isinstance(command, Stored | Forward | Settle) and memory.advices:
        return Event.BEGIN_FORWARDING
    if isinstance(command, Settle):
        return Event.BEGIN_SETTLEMENT
    return Event.BEGIN_INQUIRY if isinstance(command, Inquire | Sign) else Event.BEGIN_TRANSACTION


def pin_of(command: Command | None) -> Pin | None:
    """The PIN that was keyed in for a command."""
    return getattr(command, "pin", None)
