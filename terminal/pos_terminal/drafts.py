"""From a command to a transaction record, and from its answer to a complete one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pos_specs.message import Message
from pos_specs.totals import Totals
from pos_terminal import batch_log
from pos_terminal.applications.application import Application, Books
from pos_terminal.cards import Card
from pos_terminal.commands import Command, Purchase, Refund, Settle, Void, VoidUnlogged
from pos_terminal.memory import Memory
from pos_terminal.transaction import MAGNETIC, Original, Transaction


def check(command: Command, memory: Memory) -> None:
    """Raise NotInLog when the log does not have what `command` speaks of."""
    if isinstance(command, Void):
        batch_log.voidable(memory.log, command.stan, force=command.force)


def draft(command: Command, memory: Memory, sent_at: str) -> Transaction:
    """The transaction that `command` begins, with a STAN and an invoice number of its own."""
    if isinstance(command, Purchase):
        transaction = _new("purchase", command.card, command.amount_minor, command.currency, memory, sent_at)
        return replace(transaction, entry_mode=command.entry_mode)
    if isinstance(command, Refund):
        refund = _new("refund", command.card, command.amount_minor, command.currency, memory, sent_at)
        return replace(refund, original=command.original)
    if isinstance(command, Void):
        purchase = batch_log.voidable(memory.log, command.stan, force=command.force)
        return _void(purchase, memory, sent_at)
    if isinstance(command, VoidUnlogged):
        void = _new("purchase_void", command.card, command.amount_minor, command.currency, memory, sent_at)
        return replace(void, original=command.original, invoice=command.original.invoice or void.invoice)
    raise TypeError(f"{type(command).__name__} begins no transaction")


def complete(transaction: Transaction, answer: Message, organisation: str) -> None:
    """Put what the answer says into the record; an amount only approved in part replaces the asked one."""
    fields = answer.fields
    transaction.rrn = fields.get(37, "")
    transaction.approval_code = fields.get(38, "")
    transaction.host_time = fields.get(12, "")
    transaction.host_date = fields.get(13, "")
    transaction.organisation = organisation
    if fields.get(39) == "10" and fields.get(4, "").isdigit():
        transaction.amount_minor = int(fields[4])


def totals_to_declare(application: Application, log: Sequence[Transaction], command: Settle) -> Totals:
    """The totals of the settlement request: the log's, less what is left out, or what was declared."""
    if command.declared is not None:
        return application.totals_of_books(Books(*command.declared))
    return application.totals(t for t in log if t.stan != command.leave_out)


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


def _void(purchase: Transaction, memory: Memory, sent_at: str) -> Transaction:
    """A void repeats card, amount and invoice of its purchase and names it by RRN and STAN."""
    original: Original = purchase.as_original()
    return Transaction(
        function="purchase_void",
        stan=memory.next_stan(),
        amount_minor=purchase.amount_minor,
        currency=purchase.currency,
        pan=purchase.pan,
        expiry=purchase.expiry,
        entry_mode=purchase.entry_mode,
        batch_number=memory.batch_number,
        invoice=purchase.invoice,
        sent_at=sent_at,
        original=original,
    )
