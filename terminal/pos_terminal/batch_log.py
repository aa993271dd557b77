"""Looking things up in a batch log, and changing what is in it."""

from __future__ import annotations

from collections.abc import Sequence

from pos_terminal.transaction import ADDITIONAL, ADJUSTABLE, COMPLETIONS, VOIDS, Transaction


class NotInLog(Exception):
    """The log has no such transaction, or not one that this can be done to."""


def find(log: Sequence[Transaction], stan: str) -> Transaction:
    """The latest transaction of that STAN; raises NotInLog."""
    for transaction in reversed(log):
        if transaction.stan == stan:
            return transaction
    raise NotInLog(f"no transaction {stan} in the terminal's batch")


def voidable(log: Sequence[Transaction], stan: str, *, force: bool, void: str = "purchase_void") -> Transaction:
    """The transaction of that STAN that `void` takes back; one already voided or reversed only with `force`.

    Raises NotInLog.
    """
    transaction = find(log, stan)
    _demand_function(transaction, VOIDS[void], _words(void).removesuffix(" void"))
    if not transaction.effective and not force:
        raise NotInLog(f"{_words(transaction.function)} {stan} is already {_end_of(transaction)}")
    return transaction


def last_voidable(log: Sequence[Transaction], void: str) -> Transaction:
    """The latest transaction that `void` can take back; raises NotInLog when there is none."""
    for transaction in reversed(log):
        if transaction.function in VOIDS[void] and transaction.effective:
            return transaction
    raise NotInLog(f"there is nothing to take back by a {_words(void)}")


def adjustable(log: Sequence[Transaction], stan: str) -> Transaction:
    """The sale of that STAN that an adjust can give another amount; raises NotInLog."""
    transaction = find(log, stan)
    _demand_function(transaction, ADJUSTABLE, "sale that can be adjusted")
    if not transaction.effective:
        raise NotInLog(f"{_words(transaction.function)} {stan} is already {_end_of(transaction)}")
    return transaction


def last_adjustable(log: Sequence[Transaction]) -> Transaction:
    """The latest sale that an adjust can give another amount; raises NotInLog when there is none."""
    for transaction in reversed(log):
        if transaction.function in ADJUSTABLE and transaction.effective:
            return transaction
    raise NotInLog("there is no sale to adjust in the terminal's batch")


def completable(authorisations: Sequence[Transaction], stan: str) -> Transaction:
    """The open pre-authorisation of that STAN, the last one where it is ""; raises NotInLog."""
    for transaction in reversed(authorisations):
        if stan in ("", transaction.stan) and transaction.open and transaction.variety != ADDITIONAL:
            return transaction
    raise NotInLog(f"no open pre-authorisation{f' {stan}' if stan else ''} in the terminal's memory")


def authorised_minor(authorisations: Sequence[Transaction], authorisation: Transaction) -> int:
    """What a pre-authorisation holds, its additional ones included."""
    additions = (t for t in authorisations if t.variety == ADDITIONAL and t.effective and t.original is not None)
    named = (authorisation.stan, authorisation.batch_number)
    added = sum(t.amount_minor for t in additions if t.original and (t.original.stan, t.original.batch_number) == named)
    return authorisation.amount_minor + added


def signed(log: Sequence[Transaction], stan: str) -> Transaction:
    """The transaction that a cardholder signs for: that of the STAN, the last one where it is ""; raises NotInLog."""
    if stan:
        return find(log, stan)
    if not log:
        raise NotInLog("there is nothing to sign in the terminal's batch")
    return log[-1]


def effective_purchases(log: Sequence[Transaction]) -> list[Transaction]:
    """Purchases neither voided, reversed nor adjusted."""
    return [t for t in log if t.function == "purchase" and t.effective]


def note_approval(log: Sequence[Transaction], authorisations: Sequence[Transaction], approved: Transaction) -> None:
    """Mark what an approved transaction takes back, adjusts or completes."""
    _mark_original(log, authorisations, approved, done=True)


def note_reversal(
    log: Sequence[Transaction], reversed_one: Transaction, authorisations: Sequence[Transaction] = ()
) -> None:
    """Mark a transaction as reversed; what a reversed void or completion stood for is as it was before.

    A transaction whose answer never came is not in the log: nothing is to be marked then.
    """
    for transaction in (*log, *authorisations):
        if (transaction.stan, transaction.sent_at) == (reversed_one.stan, reversed_one.sent_at):
            transaction.reversed = True
            _mark_original(log, authorisations, transaction, done=False)


def _mark_original(
    log: Sequence[Transaction], authorisations: Sequence[Transaction], later: Transaction, *, done: bool
) -> None:
    function = later.function
    if function == "adjust":
        for sale in _originals(log, later, ADJUSTABLE):
            sale.adjusted = done
    elif function in COMPLETIONS:
        for authorisation in _originals(authorisations, later, VOIDS["auth_void"]):
            authorisation.completed = done
    elif function in VOIDS:
        for transaction in _originals((*log, *authorisations), later, VOIDS[function]):
            transaction.voided = done
            if transaction.function in COMPLETIONS:
                _mark_original(log, authorisations, transaction, done=not done)


def _originals(log: Sequence[Transaction], later: Transaction, functions: frozenset[str]) -> list[Transaction]:
    """What `later` speaks of: by STAN and batch, since pre-authorisations outlive batches and STANs wrap."""
    named = later.original
    if named is None:
        return []
    return [t for t in log if t.function in functions and (t.stan, t.batch_number) == (named.stan, named.batch_number)]


def _demand_function(transaction: Transaction, functions: frozenset[str], wanted: str) -> None:
    if transaction.function not in functions:
        raise NotInLog(f"transaction {transaction.stan} is a {_words(transaction.function)}, not a {wanted}")


def _end_of(transaction: Transaction) -> str:
    if transaction.adjusted:
        return "adjusted"
    return "voided" if transaction.voided else "reversed"


def _words(function: str) -> str:
    return function.replace("_", " ")
