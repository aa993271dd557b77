"""From a command to a transaction record, and from its answer to a complete one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pos_specs.message import Message
from pos_specs.totals import Totals
from pos_terminal import batch_log
from pos_terminal.applications.application import Application, Books
from pos_terminal.batch_log import NotInLog
from pos_terminal.cards import Card
from pos_terminal.commands import (
    Adjust,
    Authorise,
    CashAdvance,
    Command,
    Complete,
    CompleteUnlogged,
    Inquire,
    Purchase,
    Refund,
    SellOffline,
    Settle,
    Void,
    VoidUnlogged,
)
from pos_terminal.memory import Memory
from pos_terminal.pin import Pin
from pos_terminal.transaction import (
    ADDITIONAL,
    CHIP_OFFLINE,
    MAGNETIC,
    TIP,
    WITH_PIN,
    WITHOUT_PIN,
    Original,
    Transaction,
)

FUNCTIONS: dict[type, str] = {
    Purchase: "purchase",
    CashAdvance: "cash_advance",
    Authorise: "auth",
    Inquire: "balance",
    Refund: "refund",
    SellOffline: "offline_purchase",
    Adjust: "adjust",
}
"""The function of a command that begins one and no other."""


def function_of(command: Command) -> str:
    """The function that `command` begins; "" for what moves no card's money."""
    if isinstance(command, Void | VoidUnlogged):
        return command.function
    if isinstance(command, Complete | CompleteUnlogged):
        return "completion_advice" if command.advice else "completion"
    return FUNCTIONS.get(type(command), "")


def check(command: Command, memory: Memory) -> None:
    """Raise NotInLog when the memory does not have what `command` speaks of."""
    if isinstance(command, Void):
        _voided(command, memory)
    elif isinstance(command, Complete):
        batch_log.completable(memory.authorisations, command.stan)
    elif isinstance(command, Adjust):
        batch_log.adjustable(memory.log, command.stan)
        if any(advice.stan == command.stan for advice in memory.advices):
            raise NotInLog(f"the host does not know of transaction {command.stan} yet: forward it first")
    elif isinstance(command, Authorise) and command.addition_to is not None:
        _added_to(command, memory)


def draft(command: Command, memory: Memory, sent_at: str) -> Transaction:
    """The transaction that `command` begins, with a STAN and an invoice number of its own."""
    if isinstance(command, Void):
        voided = _voided(command, memory)
        amount_minor = voided.amount_minor
        if command.function == "auth_void":  # a reservation is given back whole (unionpay.md 3)
            amount_minor = batch_log.authorised_minor(memory.authorisations, voided)
        return _later(voided, command.function, memory, sent_at, amount_minor, command.pin)
    if isinstance(command, Complete):
        return _completion(command, memory, sent_at)
    if isinstance(command, Adjust):
        sale = batch_log.adjustable(memory.log, command.stan)
        adjust = _later(sale, "adjust", memory, sent_at, command.amount_minor)
        return replace(adjust, tip_minor=command.tip_minor, variety=TIP if command.tip_minor else "")
    if isinstance(command, Authorise) and command.addition_to is not None:
        return _addition(command, memory, sent_at)
    if isinstance(command, VoidUnlogged | CompleteUnlogged):
        later = _new(function_of(command), command.card, command.amount_minor, command.currency, memory, sent_at)
        return replace(later, original=command.original, invoice=command.original.invoice or later.invoice)
    return _first(command, memory, sent_at)


def complete(transaction: Transaction, answer: Message, application: Application) -> None:
    """Put what the answer says into the record; an amount only approved in part replaces the asked one.

    What the record knows beforehand (an offline sale's approval code) stays where the answer is silent.
    """
    fields = answer.fields
    transaction.rrn = fields.get(37, transaction.rrn)
    transaction.approval_code = fields.get(38, transaction.approval_code)
    transaction.host_date, transaction.host_time = application.clock_of(answer)
    transaction.organisation = application.card_class_of(answer) or transaction.organisation
    if fields.get(39) == "10" and fields.get(4, "").isdigit():
        transaction.amount_minor = int(fields[4])


def totals_to_declare(application: Application, log: Sequence[Transaction], command: Settle) -> Totals:
    """The totals of the settlement request: the log's, less what is left out, or what was declared."""
    if command.declared is not None:
        return application.totals_of_books(Books(*command.declared))
    return application.totals(t for t in log if t.stan != command.leave_out)


def _first(command: Command, memory: Memory, sent_at: str) -> Transaction:
    """A transaction that speaks of no other, or (a refund) only names it."""
    if isinstance(command, Inquire):
        return _with_card(_new("balance", command.card, 0, command.currency, memory, sent_at), command)
    if not isinstance(command, Purchase | CashAdvance | Authorise | Refund | SellOffline) or command.card is None:
        raise TypeError(f"{type(command).__name__} begins no transaction")
    made = _new(function_of(command), command.card, command.amount_minor, command.currency, memory, sent_at)
    if isinstance(command, Refund):
        return replace(made, original=command.original)
    made = _with_card(made, command)
    if isinstance(command, Purchase):
        return replace(made, partial=command.partial)
    if isinstance(command, SellOffline):
        return replace(made, approval_code=command.approval_code, variety=CHIP_OFFLINE if made.by_chip else "")
    return made


def _with_card(made: Transaction, command: Purchase | CashAdvance | Authorise | Inquire | SellOffline) -> Transaction:
    pin = None if isinstance(command, SellOffline) else command.pin
    return replace(made, entry_mode=_entry_mode(command.entry_mode, pin))


def _completion(command: Complete, memory: Memory, sent_at: str) -> Transaction:
    authorisation = batch_log.completable(memory.authorisations, command.stan)
    amount_minor = command.amount_minor
    if amount_minor is None:
        amount_minor = batch_log.authorised_minor(memory.authorisations, authorisation)
    return _later(authorisation, function_of(command), memory, sent_at, amount_minor, command.pin)


def _addition(command: Authorise, memory: Memory, sent_at: str) -> Transaction:
    """More on a pre-authorisation, with its card where it is remembered."""
    base = _added_to(command, memory)
    if isinstance(base, Transaction):
        addition = _later(base, "auth", memory, sent_at, command.amount_minor, command.pin)
    else:
        addition = _first(command._replace(addition_to=None), memory, sent_at)
        addition.original = base
    return replace(addition, variety=ADDITIONAL)


def _added_to(command: Authorise, memory: Memory) -> Transaction | Original:
    """The remembered pre-authorisation, else what is known of it; raises NotInLog where that is not enough."""
    named = command.addition_to or Original()
    for transaction in reversed(memory.authorisations):
        if transaction.open and transaction.variety != ADDITIONAL and _is(transaction, named):
            return transaction
    if command.card is None or not named.approval_code:
        raise NotInLog("no such open pre-authorisation in the terminal's memory: its card and approval code are needed")
    return named


def _is(transaction: Transaction, named: Original) -> bool:
    if named.stan:
        return transaction.stan == named.stan
    return transaction.approval_code == named.approval_code


def _voided(command: Void, memory: Memory) -> Transaction:
    log = memory.authorisations if command.function == "auth_void" else memory.log
    if not command.stan:
        if command.function == "auth_void":
            return batch_log.completable(log, "")
        return batch_log.last_voidable(log, command.function)
    found = batch_log.voidable(log, command.stan, force=command.force, void=command.function)
    if found.completed and not command.force:
        raise NotInLog(f"auth {command.stan} is already completed")
    return found


def _new(function: str, card: Card, amount_minor: int, currency: str, memory: Memory, sent_at: str) -> Transaction:
    return Transaction(
        function=function,
        stan=memory.next_stan(),
        amount_minor=amount_minor,
        currency=currency,
        pan=card.pan,
        expiry=card.expiry,
        entry_mode=MAGNETIC,
        batch_number=memory.batch_number,
        invoice=memory.next_invoice(),
        sent_at=sent_at,
    )


def _later(
    earlier: Transaction,
    function: str,
    memory: Memory,
    sent_at: str,
    amount_minor: int,
    pin: Pin | None = None,
) -> Transaction:
    """A transaction about an earlier one: it repeats card and invoice, and names it."""
    return Transaction(
        function=function,
        stan=memory.next_stan(),
        amount_minor=amount_minor,
        currency=earlier.currency,
        pan=earlier.pan,
        expiry=earlier.expiry,
        entry_mode=_entry_mode(earlier.entry_mode, pin),
        batch_number=memory.batch_number,
        invoice=earlier.invoice,
        sent_at=sent_at,
        original=earlier.as_original(),
    )


def _entry_mode(entry_mode: str, pin: Pin | None) -> str:
    return entry_mode[:2] + (WITHOUT_PIN if pin is None else WITH_PIN)
