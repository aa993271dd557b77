"""The command of a terminal that a step of a scenario means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pos_specs.currencies import Currency, MoneyError, find_currency, parse_amount
from pos_specs.totals import Side
from pos_terminal import batch_log, commands
from pos_terminal.cards import Card, find_card
from pos_terminal.memory import Memory
from pos_terminal.pin import Pin
from pos_terminal.scenarios import step_arguments
from pos_terminal.transaction import CHIP, MAGNETIC, MANUAL, Original

ENTRY_MODES = {"swipe": MAGNETIC, "chip": CHIP, "manual": MANUAL}

FORWARDS = frozenset({"forward", "script_result"})


class StepImpossible(Exception):
    """A step asks for what cannot be: an amount that is none, an original that is not said enough of."""


def command_of(verb: str, given: Any, memory: Memory) -> commands.Command:
    """The command of a step, `given` being its checked arguments.

    Raises StepImpossible, and CardError, PinError or NotInLog of what it names.
    """
    if isinstance(given, step_arguments.Manage):
        return commands.Manage(verb, given.network_code, given.data)
    if verb in FORWARDS:
        return commands.Forward()
    return _MAKERS[type(given)](verb, given, memory)


def stan_of(text: str) -> str:
    """`12` and `000012` alike, "" for none; raises StepImpossible."""
    if text and not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise StepImpossible(f"stan {text!r}: up to six digits")
    return f"{int(text):06d}" if text else ""


def minor_units(amount: str, currency: Currency) -> int:
    """An amount as people write it, in minor units; raises StepImpossible."""
    try:
        return parse_amount(amount, currency)
    except MoneyError as error:
        raise StepImpossible(f"amount: {error}") from None


def currency_named(name: str) -> Currency:
    """The currency of a code or number; raises StepImpossible."""
    try:
        return find_currency(name)
    except MoneyError as error:
        raise StepImpossible(f"currency: {error}") from None


def _purchase(verb: str, given: step_arguments.Purchase, memory: Memory) -> commands.Command:
    return commands.Purchase(*_sale(given), given.partial)


def _cash_advance(verb: str, given: step_arguments.Sale, memory: Memory) -> commands.Command:
    return commands.CashAdvance(*_sale(given))


def _auth(verb: str, given: step_arguments.Auth, memory: Memory) -> commands.Command:
    return commands.Authorise(*_sale(given), None if given.addition_to is None else _original(given.addition_to))


def _inquiry(verb: str, given: step_arguments.Inquiry, memory: Memory) -> commands.Command:
    currency = currency_named(given.currency)
    return commands.Inquire(find_card(given.card), currency.number, ENTRY_MODES[given.entry], _pin(given.pin))


def _completion(verb: str, given: step_arguments.Completion, memory: Memory) -> commands.Command:
    currency, advice = currency_named(given.currency), verb == "completion_advice"
    if given.original is not None:
        card, amount_minor = _card_and_amount(given, currency)
        return commands.CompleteUnlogged(card, amount_minor, currency.number, _original(given.original), advice)
    amount = None if given.amount is None else minor_units(given.amount, currency)
    return commands.Complete(amount, stan_of(given.stan), advice, _pin(given.pin))


def _void(verb: str, given: step_arguments.Void, memory: Memory) -> commands.Command:
    if given.original is None:
        return commands.Void(stan_of(given.stan), given.force, verb, _pin(given.pin))
    currency = currency_named(given.currency)
    card, amount_minor = _card_and_amount(given, currency)
    return commands.VoidUnlogged(card, amount_minor, currency.number, _original(given.original), verb)


def _refund(verb: str, given: step_arguments.Refund, memory: Memory) -> commands.Command:
    currency = currency_named(given.currency)
    amount_minor = minor_units(given.amount, currency)
    if given.stan:
        sold = batch_log.find(memory.log, stan_of(given.stan))
        card = find_card(given.card) if given.card is not None else Card(sold.pan, sold.expiry)
        return commands.Refund(card, amount_minor, currency.number, sold.as_original())
    original = None if given.original is None else _original(given.original)
    return commands.Refund(find_card(given.card or "unionpay"), amount_minor, currency.number, original)


def _offline(verb: str, given: step_arguments.OfflinePurchase, memory: Memory) -> commands.Command:
    currency = currency_named(given.currency)
    amount_minor = minor_units(given.amount, currency)
    mode, code = ENTRY_MODES[given.entry], f"{given.approval_code:<6}"
    return commands.SellOffline(find_card(given.card), amount_minor, currency.number, mode, code, given.later)


def _adjust(verb: str, given: step_arguments.Adjust, memory: Memory) -> commands.Command:
    stan = stan_of(given.stan) or batch_log.last_adjustable(memory.log).stan
    sale = batch_log.adjustable(memory.log, stan)
    currency = find_currency(sale.currency)
    tip_minor = 0 if given.tip is None else minor_units(given.tip, currency)
    amount_minor = sale.amount_minor + tip_minor if given.amount is None else minor_units(given.amount, currency)
    return commands.Adjust(sale.stan, amount_minor, tip_minor, given.later)


def _reversal(verb: str, given: step_arguments.Reversal, memory: Memory) -> commands.Command:
    return commands.Reverse(stan_of(given.stan))


def _settlement(verb: str, given: step_arguments.Settlement, memory: Memory) -> commands.Command:
    if given.declared is None:
        return commands.Settle(stan_of(given.leave_out))
    sides = [side_of(side, "CNY") for side in (given.declared.debit, given.declared.credit)]
    return commands.Settle(stan_of(given.leave_out), (sides[0], sides[1]))


def side_of(side: step_arguments.Side, currency: str) -> Side:
    """A side of the books in minor units; raises StepImpossible."""
    if not side.amount.strip("0."):
        return Side(side.count, 0)
    return Side(side.count, minor_units(side.amount, currency_named(currency)))


def _sale(given: step_arguments.Sale) -> tuple[Card, int, str, str, Pin | None]:
    currency = currency_named(given.currency)
    amount_minor = minor_units(given.amount, currency)
    return find_card(given.card), amount_minor, currency.number, ENTRY_MODES[given.entry], _pin(given.pin)


def _card_and_amount(given: step_arguments.Completion | step_arguments.Void, currency: Currency) -> tuple[Card, int]:
    if given.amount is None:
        raise StepImpossible("what names its original by particulars needs an amount too")
    return find_card(given.card), minor_units(given.amount, currency)


def _original(given: step_arguments.Named) -> Original:
    return Original(
        stan=stan_of(given.stan),
        rrn=given.rrn,
        batch_number=given.batch_number,
        approval_code=given.approval_code,
        date=given.date,
    )


def _pin(text: str | None) -> Pin | None:
    return None if text is None else Pin(text)


_MAKERS: dict[type, Callable[[str, Any, Memory], commands.Command]] = {
    step_arguments.Purchase: _purchase,
    step_arguments.Sale: _cash_advance,
    step_arguments.Auth: _auth,
    step_arguments.Inquiry: _inquiry,
    step_arguments.Completion: _completion,
    step_arguments.Void: _void,
    step_arguments.Refund: _refund,
    step_arguments.OfflinePurchase: _offline,
    step_arguments.Adjust: _adjust,
    step_arguments.Reversal: _reversal,
    step_arguments.Settlement: _settlement,
}
"""Arguments of a step → who makes its command."""
