"""What can be asked of a terminal.

Sales, voids and so on name the card by value, or a logged transaction by its STAN. `pin` is the cardholder's.
"""

from __future__ import annotations

from typing import NamedTuple

from pos_specs.totals import Side
from pos_terminal.cards import Card
from pos_terminal.pin import Pin
from pos_terminal.transaction import MAGNETIC, Original


class Manage(NamedTuple):
    """Sign in or off, test the line, ask for parameters, tell the status: the function of that name.

    `network_code` (DE60.3) picks one of several messages of the function, `data` is its DE62 in hex.
    """

    function: str
    network_code: str = ""
    data: str = ""

    @property
    def hints(self) -> dict[str, str]:
        """What finds the row of the dialect's function table."""
        return {"60.network_code": self.network_code} if self.network_code else {}


class Purchase(NamedTuple):
    """Sell for `amount_minor`; `partial` says that less may be approved."""

    card: Card
    amount_minor: int
    currency: str
    entry_mode: str = MAGNETIC
    pin: Pin | None = None
    partial: bool = False


class CashAdvance(NamedTuple):
    """Hand out `amount_minor` in cash."""

    card: Card
    amount_minor: int
    currency: str
    entry_mode: str = MAGNETIC
    pin: Pin | None = None


class Authorise(NamedTuple):
    """Reserve `amount_minor`; with `addition_to`, on top of the pre-authorisation of that STAN or, in its
    place, of that approval code."""

    card: Card | None
    amount_minor: int
    currency: str
    entry_mode: str = MAGNETIC
    pin: Pin | None = None
    addition_to: Original | None = None


class Inquire(NamedTuple):
    """Ask for the card's balance."""

    card: Card
    currency: str
    entry_mode: str = MAGNETIC
    pin: Pin | None = None


class Complete(NamedTuple):
    """Sell what a pre-authorisation has reserved: that of a STAN, else the last open one.

    `amount_minor` None: all that it holds. `advice`: tell the host instead of asking it.
    """

    amount_minor: int | None = None
    stan: str = ""
    advice: bool = False
    pin: Pin | None = None


class CompleteUnlogged(NamedTuple):
    """Sell what a pre-authorisation has reserved that this terminal does not remember."""

    card: Card
    amount_minor: int
    currency: str
    original: Original
    advice: bool = False


class Void(NamedTuple):
    """Take back the transaction of that STAN ("": the last one) by `function`, one of `VOIDS`.

    `force` asks the host even if the log says it cannot be.
    """

    stan: str
    force: bool = False
    function: str = "purchase_void"
    pin: Pin | None = None


class VoidUnlogged(NamedTuple):
    """Take back a transaction that this terminal no longer has in its memory."""

    card: Card
    amount_minor: int
    currency: str
    original: Original
    function: str = "purchase_void"


class Refund(NamedTuple):
    """Give back `amount_minor`; `original` is needed where the dialect demands the purchase to be named."""

    card: Card
    amount_minor: int
    currency: str
    original: Original | None = None


class SellOffline(NamedTuple):
    """Sell without asking: stored, and told to the host at once, or with `later` before the settlement.

    `approval_code` is what the issuer said on the telephone.
    """

    card: Card
    amount_minor: int
    currency: str
    entry_mode: str = MAGNETIC
    approval_code: str = ""
    later: bool = False


class Adjust(NamedTuple):
    """Give the logged sale of that STAN another amount, of which `tip_minor` is a tip; told as `SellOffline`."""

    stan: str
    amount_minor: int
    tip_minor: int = 0
    later: bool = False


class Forward(NamedTuple):
    """Tell the host what is stored: advices and script results."""


class Sign(NamedTuple):
    """Send the cardholder's signature for the logged transaction of that STAN ("": the last one)."""

    stan: str
    picture: bytes

    def __repr__(self) -> str:
        """Without the picture: a repr ends in logs."""
        return f"Sign({self.stan!r}, {len(self.picture)} bytes)"


class Reverse(NamedTuple):
    """Send what is unfinished; with a STAN, undo that logged transaction."""

    stan: str = ""


class Settle(NamedTuple):
    """Close the batch, or go on where a settlement was cut off.

    `leave_out`: STAN of a record left out of the totals (not of the log): a terminal that disagrees.
    `declared`: debit and credit taken from elsewhere instead of the log.
    """

    leave_out: str = ""
    declared: tuple[Side, Side] | None = None


Stored = SellOffline | Adjust
"""Commands that are done once they are in the memory."""

Command = (
    Manage
    | Purchase
    | CashAdvance
    | Authorise
    | Inquire
    | Complete
    | CompleteUnlogged
    | Void
    | VoidUnlogged
    | Refund
    | SellOffline
    | Adjust
    | Forward
    | Sign
    | Reverse
    | Settle
)
