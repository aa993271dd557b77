"""Looking things up in a batch log, and changing what is in it."""

from __future__ import annotations

from collections.abc import Sequence

from pos_terminal.transaction import Transaction


class NotInLog(Exception):
    """The log has no such transaction, or not one that this can be done to."""


def find(log: Sequence[Transaction], stan: str) -> Transaction:
    """The latest transaction of that STAN; raises NotInLog."""
    for transaction in reversed(log):
        if transaction.stan == stan:
            return transaction
    raise NotInLog(f"no transaction {stan} in the terminal's batch")


def voidable(log: Sequence[Transaction], stan: str, *, force: bool) -> Transaction:
    """The purchase of that STAN; one already voided or reversed only with `force`. Raises NotInLog."""
    transaction = find(log, stan)
    if transaction.function != "purchase":
        raise NotInLog(f"transaction {stan} is a {transaction.function}, not a purchase")
    if not transaction.effective and not force:
        raise NotInLog(f"purchase {stan} is already {'voided' if transaction.voided else 'reversed'}")
    return transaction


def effective_purchases(log: Sequence[Transaction]) -> list[Transaction]:
    """Purchases neither voided nor reversed."""
    return [t for t in log if t.function == "purchase" and t.effective]


def note_void(log: Sequence[Transaction], void: Transaction) -> None:
    """Mark the purchase that an approved void took back."""
    _mark_original(log, void, voided=True)


def note_reversal(log: Sequence[Transaction], reversed_one: Transaction) -> None:
    """Mark a logged transaction as reversed; the purchase of a reversed void stands again.

    A transaction whose answer never came is not in the log: nothing is to be marked then.
    """
    for transaction in log:
        if (transaction.stan, transaction.sent_at) == (reversed_one.stan, reversed_one.sent_at):
            transaction.reversed = True
            if transaction.function == "purchase_void":
                _mark_original(log, transaction, voided=False)


def _mark_original(log: Sequence[Transaction], void: Transaction, *, voided: bool) -> None:
    if void.original is None:
        return
    for transaction in log:
        if transaction.stan == void.original.stan and transaction.function == "purchase":
            transaction.voided = voided
