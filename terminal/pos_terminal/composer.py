"""The messages a terminal sends, each made from its memory and from what was asked of it.

A message that begins something changes the memory: a STAN is used up, a reversal is put there, a
settlement is begun. That is why the memory is saved before the message is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from pos_specs.dialect import FunctionRule
from pos_specs.language import Language
from pos_specs.message import Message
from pos_terminal import batch_log, drafts
from pos_terminal.applications.application import Application, UploadStep
from pos_terminal.commands import Command, Manage, Settle, Sign, Stored
from pos_terminal.memory import Advice, Memory, Settlement, Unfinished
from pos_terminal.pin_pad import PinPad
from pos_terminal.requests import Values, build_request, rule_of
from pos_terminal.transaction import Transaction

POWER_CUT, NO_ANSWER_IN_TIME, MAC_ERROR = "06", "98", "A0"
"""DE39 of a reversal: as stored before sending, after the wait, after an answer with a wrong MAC (unionpay.md 4.5)."""

CHIP_FUNCTIONS = frozenset({"purchase", "cash_advance", "auth", "balance", "offline_purchase"})
"""Functions whose DE55 is asked of the card; what comes later speaks of the transaction, not to the card."""


class Asked(NamedTuple):
    """A request that waits for its answer. `transaction` is what it does or tells of, where it is a card's."""

    function: str
    rule: FunctionRule
    message: Message
    batch_number: str | None
    transaction: Transaction | None = None


class MemoryContradicts(Exception):
    """Our mistake: the terminal is in a state that its memory does not bear out."""


class Composer:
    """Makes the messages of one terminal. `clock` gives the machine's local time."""

    def __init__(
        self,
        language: Language,
        application: Application,
        memory: Memory,
        clock: Callable[[], datetime],
        pin_pad: PinPad,
    ) -> None:
        self._language = language
        self._dialect = language.dialect
        self._application = application
        self._memory = memory
        self._clock = clock
        self._pin_pad = pin_pad

    def management(self, command: Manage) -> Asked:
        """A sign-in, sign-off, echo, status or call for parameters."""
        function, hints = command.function, command.hints
        extras = {**self._application.management_extras(function, self._memory, self._now()), **hints}
        if command.data:
            extras["62"] = command.data
        if function == "sign_in" and self._dialect.security.keys == "unionpay":
            hints["60.network_code"] = extras["60.network_code"] = self._pin_pad.settings.scheme
        rule = rule_of(self._dialect, function, hints)
        return self._ask(function, rule, self._offers(rule, extras), extras)

    def transaction(self, command: Command) -> Asked:
        """A sale, void, refund …; its reversal (or repeat) is in the memory before it is given out."""
        transaction = drafts.draft(command, self._memory, self._now())
        asked = self._financial(transaction)
        reverses = self._application.reverses(transaction.function, asked.message.mti)
        self._memory.unfinished = Unfinished("reversal" if reverses else "repeat", transaction, POWER_CUT)
        return asked

    def inquiry(self, command: Command) -> Asked:
        """A balance: it leaves nothing behind when it is not answered."""
        return self._financial(drafts.draft(command, self._memory, self._now()))

    def signature(self, command: Sign) -> Asked:
        """The cardholder's signature; it leaves nothing behind when it is not answered."""
        signed = batch_log.signed(self._memory.log, command.stan)
        rule = rule_of(self._dialect, "signature", {})
        extras = self._application.signature_extras(signed, command.picture, self._memory)
        return self._ask("signature", rule, self._offers(rule, extras), extras)

    def store(self, command: Stored) -> Transaction:
        """Put what was done without the host into the log, and into the advices it is to be told of."""
        transaction = drafts.draft(command, self._memory, self._now())
        self._financial(transaction)
        self._memory.log.append(transaction)
        self._memory.advices.append(Advice(transaction.stan))
        batch_log.note_approval(self._memory.log, self._memory.authorisations, transaction)
        return transaction

    def unfinished(self) -> Asked:
        """The reversal, or the repeat of what cannot be reversed; both with the STAN of the original."""
        unfinished = self._memory.unfinished
        if unfinished is None:
            raise MemoryContradicts("nothing is unfinished")
        if unfinished.kind == "repeat":
            asked = self._financial(unfinished.transaction)
            asked.message.mti = asked.rule.mtis[-1]
            return asked
        rule = rule_of(self._dialect, "reversal", {"25": unfinished.transaction.condition_code or "00"})
        extras = dict(self._application.reversal_extras(unfinished, self._memory))
        if unfinished.transaction.icc:
            from pos_terminal.chip_card import for_reversal

            extras["55"] = for_reversal(unfinished.transaction.icc)
        offers = self._application.offers(unfinished.transaction, self._memory)
        return self._ask("reversal", rule, offers, extras)

    def stored(self) -> Asked:
        """What the host is to be told next: a notice first (unionpay.md 4.5), then the oldest advice."""
        if self._memory.notices:
            return self._notice(self._memory.notices[0].transaction)
        if not self._memory.advices:
            raise MemoryContradicts("nothing is stored")
        advice = self._memory.advices[0]
        asked = self._financial(batch_log.find(self._memory.log, advice.stan))
        if advice.tries:
            asked.message.mti = asked.rule.mtis[-1]
        return asked

    def settlement(self, command: Command | None) -> Asked:
        """The 0500, or the same one again when it was never answered."""
        rule = rule_of(self._dialect, "settlement", {})
        under_way = self._memory.settlement
        if under_way is not None:
            message = Message(under_way.mti, dict(under_way.fields))
            return Asked("settlement", rule, message, self._named(under_way.batch_number))
        if not isinstance(command, Settle):
            raise MemoryContradicts("no settlement was asked for")
        totals = drafts.totals_to_declare(self._application, self._memory.log, command)
        extras = self._application.settlement_extras(totals, self._memory, self._now())
        asked = self._ask("settlement", rule, self._offers(rule, extras), extras)
        message = asked.message
        if self._application.settlement_mti in rule.mtis:
            message.mti = self._application.settlement_mti
        self._memory.settlement = Settlement(self._memory.batch_number, message.mti, dict(message.fields))
        return asked

    def record(self) -> Asked:
        """The next message of the upload."""
        settlement = under_way(self._memory)
        steps = self._application.upload_steps(self._memory.log, settlement)
        return self._step(steps[settlement.steps_done], settlement)

    def ending(self) -> Asked:
        """The message that ends the upload."""
        settlement = under_way(self._memory)
        step = self._application.ending(self._memory.log, settlement)
        if step is None:
            raise MemoryContradicts(f"dialect {self._dialect.name} has no end of an upload")
        return self._step(step, settlement)

    def _financial(self, transaction: Transaction) -> Asked:
        rule = rule_of(self._dialect, transaction.function, self._application.hints(transaction))
        extras = dict(self._application.transaction_extras(transaction, self._memory))
        offers = self._application.offers(transaction, self._memory)
        if transaction.by_chip and transaction.function in CHIP_FUNCTIONS:
            processing_code = extras.get("3") or rule.condition.patterns("3")[0]
            transaction.icc = transaction.icc or self._read_chip(transaction, processing_code[:2])
            extras["55"] = transaction.icc
        asked = self._ask(transaction.function, rule, offers, extras)._replace(transaction=transaction)
        message = asked.message
        transaction.mti = message.mti
        transaction.processing_code = message.fields[3]
        transaction.condition_code = message.fields.get(25, "")
        transaction.message_type = str((self._language.parts.of(message, 60) or {}).get("message_type", ""))
        return asked

    def _read_chip(self, transaction: Transaction, transaction_type: str) -> str:
        from pos_terminal.chip_card import Reading, offline, read_chip

        reading = Reading(
            transaction.amount_minor,
            transaction.currency,
            transaction_type,
            transaction.stan,
            self._local().strftime("%y%m%d"),
            self._pin_pad.random(4),
        )
        icc = read_chip(transaction.card, reading)
        return offline(icc) if transaction.function == "offline_purchase" else icc

    def _notice(self, notice: Transaction) -> Asked:
        rule = rule_of(self._dialect, notice.function, {})
        extras = self._application.notice_extras(notice, self._memory)
        offers = self._application.offers(notice, self._memory)
        return self._ask(notice.function, rule, offers, extras)._replace(transaction=notice)

    def _step(self, step: UploadStep, settlement: Settlement) -> Asked:
        rule = rule_of(self._dialect, step.function, step.hints)
        message = build_request(self._language, rule, self._offers(rule, step.extras), step.extras)
        return Asked(step.function, rule, message, self._named(settlement.batch_number))

    def _ask(self, function: str, rule: FunctionRule, offers: Values, extras: Values) -> Asked:
        message = build_request(self._language, rule, offers, extras)
        return Asked(function, rule, message, self._named(self._memory.batch_number))

    def _named(self, batch_number: str) -> str | None:
        return batch_number if self._application.names_batch else None

    def _offers(self, rule: FunctionRule, extras: Values) -> Values:
        """Who the terminal is, and a new STAN where the rule demands one that `extras` does not bring."""
        values = self._application.identity(self._memory)
        if 11 in rule.required and not extras.get("11"):
            values["stan"] = self._memory.next_stan()
        return self._application.by_number(values)

    def _now(self) -> str:
        return self._local().strftime(self._application.clock_format)

    def _local(self) -> datetime:
        """The terminal's time, which follows the host's."""
        return self._clock() + timedelta(seconds=self._memory.clock_ahead_s)


def under_way(memory: Memory) -> Settlement:
    """The settlement in the memory; raises MemoryContradicts when there is none."""
    if memory.settlement is None:
        raise MemoryContradicts("no settlement is under way")
    return memory.settlement
