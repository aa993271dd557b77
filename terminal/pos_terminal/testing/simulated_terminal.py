"""A terminal that a test plays with: every function is a call that ends when the terminal is done."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from pos_specs.currencies import find_currency, parse_amount
from pos_specs.language import Language
from pos_specs.message import Message
from pos_terminal import batch_log
from pos_terminal.cards import find_card
from pos_terminal.client import Client
from pos_terminal.commands import (
    Adjust,
    Authorise,
    CashAdvance,
    Command,
    Complete,
    Inquire,
    Manage,
    Purchase,
    Refund,
    Reverse,
    SellOffline,
    Settle,
    Void,
)
from pos_terminal.exchange import Exchange, Result
from pos_terminal.memory import Memory, memory_from, memory_table
from pos_terminal.pin import Pin
from pos_terminal.pin_pad import PadSettings
from pos_terminal.states import State
from pos_terminal.terminal import Terminal
from pos_terminal.transaction import ENTRY_MODES, MANUAL

T = TypeVar("T")


class Run(Protocol):
    """Waits for a coroutine on the loop that terminals live on, and gives what it gives."""

    def __call__(self, work: Coroutine[Any, Any, T], /) -> T: ...


class Done(NamedTuple):
    """What a call came to: the terminal's own result, and all that went over the wire for it, in order."""

    result: Result
    exchanges: list[Exchange]

    @property
    def approved(self) -> bool:
        return self.result.approved

    @property
    def answered(self) -> bool:
        """Whether the host answered what was asked; False after a time-out."""
        return self.result.answered

    @property
    def code(self) -> str | None:
        """The response code, None without one."""
        return self.result.code

    @property
    def reason(self) -> str:
        """In words why it was not done, or what came before it."""
        return self.result.reason

    @property
    def outcome(self) -> str | None:
        """Of a settlement: balanced, balanced_after_upload, out_of_balance; None where no batch was closed."""
        return None if self.result.closed is None else self.result.closed.result

    @property
    def functions(self) -> list[str]:
        """What the terminal sent, in order: a reversal that was due comes before the sale."""
        return [exchange.function for exchange in self.exchanges]

    @property
    def request(self) -> Message | None:
        """The last message that the terminal sent."""
        return self.exchanges[-1].request if self.exchanges else None

    @property
    def response(self) -> Message | None:
        """Its answer, None where none came."""
        return self.exchanges[-1].response if self.exchanges else None

    @property
    def stan(self) -> str | None:
        return None if self.request is None else self.request.fields.get(11)

    @property
    def rrn(self) -> str | None:
        return None if self.response is None else self.response.fields.get(37)

    def __repr__(self) -> str:
        """The functions and the code: a failing assertion prints it."""
        told = "approved" if self.approved else "not approved" if self.answered else "not answered"
        pieces = ["+".join(self.functions) or "nothing sent", told, self.code or "", self.outcome or "", self.reason]
        return f"<{', '.join(filter(None, pieces))}>"


class SimulatedTerminal:
    """One terminal, from its first power-on. `clock` gives its local time, `timeout_s` bounds its wait for an answer.

    Calls raise what the terminal refuses by itself (NotNow, NotInLog, PadError), CardError, MoneyError or PinError for
    what is no card, amount or PIN, and NoConnection. `told` holds every exchange since power-on.
    """

    def __init__(
        self,
        run: Run,
        address: tuple[str, int],
        language: Language,
        memory: Memory,
        clock: Callable[[], datetime],
        *,
        timeout_s: float,
        pad: PadSettings | None = None,
    ) -> None:
        self.told: list[Exchange] = []
        self.timeout_s = timeout_s
        self._run = run
        self._address = address
        self._language = language
        self._clock = clock
        self._pad = pad
        self._to_lose = 0
        self._client: Client | None = None
        self._power_on(memory)

    # -- what it is

    @property
    def terminal_id(self) -> str:
        return self.memory.terminal_id

    @property
    def merchant_id(self) -> str:
        return self.memory.merchant_id

    @property
    def memory(self) -> Memory:
        """All that the terminal remembers: STAN, batch, log, what is unfinished."""
        return self._terminal.memory

    @property
    def batch_number(self) -> str:
        return self.memory.batch_number

    @property
    def owes_reversal(self) -> bool:
        """Whether a reversal must go before the next transaction."""
        return self._terminal.state is State.REVERSAL_PENDING

    def __repr__(self) -> str:
        return f"<terminal {self.terminal_id}, batch {self.batch_number}, {self._terminal.state.value}>"

    # -- what it does

    def sign_in(self) -> Done:
        return self.perform(Manage("sign_in"))

    def sign_off(self) -> Done:
        return self.perform(Manage("sign_off"))

    def echo(self) -> Done:
        return self.perform(Manage("echo"))

    def purchase(
        self,
        amount: str = "1.00",
        *,
        card: str = "unionpay",
        currency: str | None = None,
        pin: str | None = None,
        entry: str = "swipe",
        partial: bool = False,
    ) -> Done:
        """Sell for an amount as people write it; `card` is a test card's name or a number."""
        return self.perform(
            Purchase(find_card(card), *self._money(amount, currency), ENTRY_MODES[entry], _pin(pin), partial)
        )

    def cash_advance(
        self,
        amount: str = "1.00",
        *,
        card: str = "unionpay",
        currency: str | None = None,
        pin: str | None = None,
        entry: str = "swipe",
    ) -> Done:
        """Hand out cash."""
        return self.perform(CashAdvance(find_card(card), *self._money(amount, currency), ENTRY_MODES[entry], _pin(pin)))

    def auth(
        self, amount: str = "1.00", *, card: str = "unionpay", currency: str | None = None, pin: str | None = None
    ) -> Done:
        """Reserve an amount."""
        return self.perform(Authorise(find_card(card), *self._money(amount, currency), pin=_pin(pin)))

    def completion(self, amount: str | None = None, *, stan: str = "", advice: bool = False) -> Done:
        """Sell what the last open pre-authorisation has reserved, or that of a STAN; None: all of it."""
        return self.perform(Complete(None if amount is None else self._money(amount, None)[0], stan, advice))

    def auth_void(self, stan: str = "") -> Done:
        """Give up a reservation."""
        return self.perform(Void(stan, function="auth_void"))

    def balance(self, *, card: str = "unionpay", currency: str | None = None, pin: str | None = None) -> Done:
        """Ask what is on the card."""
        return self.perform(Inquire(find_card(card), self._currency(currency), pin=_pin(pin)))

    def purchase_void(self, stan: str = "", *, force: bool = False) -> Done:
        """Take back a sale of the open batch: the last one, or that of a STAN."""
        return self.perform(Void(stan, force))

    def refund(self, amount: str, *, stan: str = "", card: str = "", currency: str | None = None) -> Done:
        """Give money back; UnionPay wants the purchase named by its STAN."""
        amount_minor, number = self._money(amount, currency)
        if not stan:
            return self.perform(Refund(find_card(card or "unionpay"), amount_minor, number))
        sold = batch_log.find(self.memory.log, stan)
        own = find_card(card) if card else sold.card
        return self.perform(Refund(own, amount_minor, number, sold.as_original()))

    def offline_purchase(self, amount: str, *, card: str = "unionpay", approval_code: str = "000000") -> Done:
        """Sell without asking, and tell the host at once."""
        return self.perform(SellOffline(find_card(card), *self._money(amount, None), MANUAL, approval_code.ljust(6)))

    def adjust(self, amount: str, *, stan: str = "") -> Done:
        """Give a sale of the open batch another amount."""
        sale = batch_log.find(self.memory.log, stan) if stan else batch_log.last_adjustable(self.memory.log)
        return self.perform(Adjust(sale.stan, self._money(amount, None)[0]))

    def reverse(self, stan: str = "") -> Done:
        """Send the reversal that is due; with a STAN, undo that transaction."""
        return self.perform(Reverse(stan))

    def settle(self, *, leave_out: str = "") -> Done:
        """Close the batch, or go on where a settlement was cut off; the record of STAN `leave_out` is left out of the
        totals, so that they disagree."""
        return self.perform(Settle(leave_out))

    def perform(self, command: Command) -> Done:
        """Carry out any command of `pos_terminal.commands`."""
        exchanges: list[Exchange] = []
        result = self._run(self._line().perform(self._terminal, command, exchanges.append))
        self.told += exchanges
        return Done(result, exchanges)

    # -- what happens to it

    def lose_answers(self, number: int = 1) -> None:
        """Have the next answers get lost on their way: the host has sent them, the terminal waits in vain."""
        self._to_lose += number

    def hang_up(self) -> None:
        """Close the connection; the next message opens another."""
        client, self._client = self._client, None
        if client is not None:
            self._run(client.close())

    def power_cut(self) -> None:
        """Go off and on again: what was saved before the last message is there, the connection is gone."""
        self.hang_up()
        memory = memory_from(memory_table(self.memory))
        self._power_on(replace(memory, keys=self.memory.keys))

    def _power_on(self, memory: Memory) -> None:
        self._terminal = Terminal(self._language, memory, self._clock, pad=self._pad)

    def _line(self) -> Client:
        if self._client is None:
            self._client = Client(*self._address, self._language, timeout_s=self.timeout_s, lose=self._loses)
        self._client.timeout_s = self.timeout_s
        return self._client

    def _loses(self) -> bool:
        if self._to_lose:
            self._to_lose -= 1
            return True
        return False

    def _money(self, amount: str, currency: str | None) -> tuple[int, str]:
        money = find_currency(self._currency(currency))
        return parse_amount(amount, money), money.number

    def _currency(self, currency: str | None) -> str:
        return find_currency(currency or self._language.dialect.currency).number


def _pin(digits: str | None) -> Pin | None:
    return None if digits is None else Pin(digits)
