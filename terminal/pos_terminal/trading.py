"""What a simulated shop does next: intents drawn by chance, and commands made of them.

Whatever an intent is, exactly one sale, void or refund comes of it: a completion is the sale, its pre-authorisation
only goes before it, and so does a balance before a purchase.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from pos_specs.dialect import Dialect
from pos_terminal import batch_log
from pos_terminal.cards import DOMESTIC_CARDS, FOREIGN_CARDS, TEST_CARDS, Card
from pos_terminal.commands import (
    Adjust,
    Authorise,
    CashAdvance,
    Command,
    Complete,
    Inquire,
    Purchase,
    Refund,
    SellOffline,
    Void,
)
from pos_terminal.memory import Memory
from pos_terminal.transaction import COMPLETIONS, Transaction

SHARES = {
    "purchase_void": 0.10,
    "refund": 0.08,
    "completion": 0.06,
    "offline_purchase": 0.04,
    "adjust": 0.04,
    "balance": 0.03,
    "cash_advance": 0.02,
}
"""Shares of what a terminal does; the rest are purchases, as is everything that a dialect does not have."""

MOST_RECORDS_AT_ONCE = 2
"""Records that one intent adds to a batch at most: a sale and its adjust."""

DOMESTIC = 0.7
"""Share of purchases with a domestic card."""

SMALLEST_MINOR, LARGEST_MINOR = 100, 50_000
"""Purchases are drawn evenly between these."""

TIP_PERCENT = 10
"""What an adjust adds."""

VOICE_CODE = "123456"
"""Approval code of every offline sale."""


class Intent(NamedTuple):
    """One thing to do. `pick` (0 to 1) chooses among the transactions there are when its turn comes."""

    function: str
    card: Card
    amount_minor: int
    pick: float


def draw_intent(chance: Random, *, purchase: bool = False) -> Intent:
    """The next thing to do; with `purchase` certainly a purchase."""
    function = "purchase" if purchase else _draw_function(chance.random())
    names = DOMESTIC_CARDS if chance.random() < DOMESTIC else FOREIGN_CARDS
    card = TEST_CARDS[chance.choice(names)]
    return Intent(function, card, chance.randint(SMALLEST_MINOR, LARGEST_MINOR), chance.random())


def commands_for(intent: Intent, memory: Memory, currency: str, dialect: Dialect) -> Iterator[Command]:
    """The commands of an intent, each made when the one before it has its result, as the memory stands then.

    A purchase where the dialect lacks the function, or where there is nothing to void, refund or adjust. It ends
    early when the first command was not approved.
    """
    has = {rule.name for rule in dialect.functions}
    function = intent.function
    if function in ("purchase_void", "refund") and function in has:
        yield command_for(intent, [*memory.log, *_pending_refund(memory)], currency)
    elif function == "completion" and "auth" in has and has & COMPLETIONS:
        yield from _pre_authorised(intent, memory, currency, advice="completion" not in has or intent.pick < 0.5)
    elif function == "offline_purchase" and function in has:
        yield SellOffline(intent.card, intent.amount_minor, currency, approval_code=VOICE_CODE, later=True)
    elif function == "adjust" and function in has:
        yield from _with_a_tip(intent, memory, currency)
    elif function == "cash_advance" and function in has:
        yield CashAdvance(intent.card, intent.amount_minor, currency)
    else:
        if function == "balance" and function in has:
            yield Inquire(intent.card, currency)
        yield Purchase(intent.card, intent.amount_minor, currency)


def command_for(intent: Intent, log: Sequence[Transaction], currency: str) -> Command:
    """The command of a purchase, void or refund; a purchase where there is nothing to void or refund."""
    purchase = _pick(intent, log) if intent.function != "purchase" else None
    if purchase is None:
        return Purchase(intent.card, intent.amount_minor, currency)
    if intent.function == "purchase_void":
        return Void(purchase.stan)
    amount_minor = min(intent.amount_minor, purchase.amount_minor)
    return Refund(purchase.card, amount_minor, purchase.currency, purchase.as_original())


def _draw_function(roll: float) -> str:
    for function, share in SHARES.items():
        if roll < share:
            return function
        roll -= share
    return "purchase"


def _pre_authorised(intent: Intent, memory: Memory, currency: str, *, advice: bool) -> Iterator[Command]:
    before = memory.authorisations[-1:]
    yield Authorise(intent.card, intent.amount_minor, currency)
    last = memory.authorisations[-1:]
    if last != before and last[0].open:
        yield Complete(stan=last[0].stan, advice=advice)


def _with_a_tip(intent: Intent, memory: Memory, currency: str) -> Iterator[Command]:
    before = memory.log[-1:]
    yield Purchase(intent.card, intent.amount_minor, currency)
    last = memory.log[-1:]
    if last != before and last[0].function == "purchase" and last[0].effective:  # else another one was repeated
        tip_minor = intent.amount_minor * TIP_PERCENT // 100
        yield Adjust(last[0].stan, last[0].amount_minor + tip_minor, tip_minor, later=True)


def _pending_refund(memory: Memory) -> list[Transaction]:
    """A refund whose answer never came: the host may have it, so its purchase is spoken for."""
    pending = memory.unfinished.transaction if memory.unfinished is not None else None
    return [pending] if pending is not None and pending.function == "refund" else []


def _pick(intent: Intent, log: Sequence[Transaction]) -> Transaction | None:
    """A purchase neither voided nor refunded; never the only one, so that the batch keeps money in it."""
    purchases = batch_log.effective_purchases(log)
    refunded = {t.original.stan for t in log if t.function == "refund" and t.original is not None}
    free = [t for t in purchases if t.stan not in refunded]
    if len(purchases) < 2 or not free:
        return None
    return free[int(intent.pick * len(free))]
