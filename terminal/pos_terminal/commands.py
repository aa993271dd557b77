"""What can be asked of a terminal."""

from __future__ import annotations

from typing import NamedTuple

from pos_specs.totals import Side
from pos_terminal.cards import Card
from pos_terminal.transaction import MAGNETIC, Original


class Manage(NamedTuple):
    """Sign in, sign off or test the line: `function` is `sign_in`, `sign_off` or `echo`."""

    function: str


class Purchase(NamedTuple):
    """Sell for `amount_minor`."""

    card: Card
    amount_minor: int
    currency: str
    entry_mode: str = MAGNETIC


class Void(NamedTuple):
    """Take back the logged purchase of that STAN; `force` asks the host even if the log says it cannot be."""

    stan: str
    force: bool = False


class VoidUnlogged(NamedTuple):
    """Take back a purchase that this terminal no longer has in its log."""

    card: Card
    amount_minor: int
    currency: str
    original: Original


class Refund(NamedTuple):
    """Give back `amount_minor`; `original` is needed where the dialect demands the purchase to be named."""

    card: Card
    amount_minor: int
    currency: str
    original: Original | None = None


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


Command = Manage | Purchase | Void | VoidUnlogged | Refund | Reverse | Settle
