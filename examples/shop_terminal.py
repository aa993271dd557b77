"""A shop's terminal for the examples: signs in, sells and settles over the wire; its memory lives in the process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pos_specs.language import open_language
from pos_terminal.cards import TEST_CARDS
from pos_terminal.client import Client
from pos_terminal.commands import Command, Manage, Purchase, Refund, Settle
from pos_terminal.exchange import Result
from pos_terminal.memory import Memory
from pos_terminal.receipt import slip
from pos_terminal.terminal import Terminal

ANSWER_WITHIN_S = 10.0


class ShopTerminal:
    """One UnionPay terminal of a merchant at the host on `port`; `clock` gives the local time on its display."""

    def __init__(self, port: int, merchant_id: str, terminal_id: str, clock: Callable[[], datetime]) -> None:
        language = open_language("unionpay")
        self.terminal_id = terminal_id
        self.receipts: list[Result] = []
        self._terminal = Terminal(language, Memory("unionpay", terminal_id, merchant_id), clock)
        self._client = Client("127.0.0.1", port, language, timeout_s=ANSWER_WITHIN_S)

    async def sign_in(self) -> Result:
        """Take the working keys, and the number of the batch."""
        return await self._do(Manage("sign_in"))

    async def sell(self, card: str, amount_minor: int) -> Result:
        """A purchase with the test card of that name; approved ones are kept in `receipts`."""
        result = await self._do(Purchase(TEST_CARDS[card], amount_minor, "156"))
        if result.approved:
            self.receipts.append(result)
        return result

    async def refund(self, card: str, amount_minor: int, sale: Result) -> Result:
        """Give back a part of a sale that was settled."""
        sold = sale.transaction
        assert sold is not None
        return await self._do(Refund(TEST_CARDS[card], amount_minor, "156", sold.as_original()))

    def slip_of(self, sale: Result) -> str:
        """The slip that a sale printed."""
        assert sale.transaction is not None
        return slip(sale.transaction, self._terminal.memory, sale.code or "", "")

    async def settle(self) -> Result:
        """End the batch."""
        return await self._do(Settle())

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()

    async def _do(self, command: Command) -> Result:
        return await self._client.perform(self._terminal, command)
