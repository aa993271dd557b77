"""What a terminal can be told to do in a step of a scenario, and what befalls its message."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pos_terminal.scenarios.table_values import Amount, Given, Name, Stan, Text

MOST_RAW_HEX = 131_072
"""Hex digits of `raw`: no frame of any dialect is longer."""

Entry = Literal["swipe", "chip", "manual"]


class Manage(Given):
    """A management function; `network_code` picks one of several messages, `data` is its DE62 in hex."""

    network_code: Text = ""
    data: str = ""


class Named(Given):
    """The particulars of an earlier transaction that the terminal may not remember."""

    stan: Stan = ""
    rrn: Text = ""
    batch_number: Text = ""
    approval_code: Text = ""
    date: Text = ""


class Sale(Given):
    """A card and an amount."""

    amount: Amount
    card: Text = Field(default="unionpay", description="a test card's name, or a number")
    currency: Text = "CNY"
    entry: Entry = "swipe"
    pin: Text | None = None


class Purchase(Sale):
    """A sale; `partial` takes less where the card has less."""

    partial: bool = False


class Auth(Sale):
    """A reservation; with `addition_to` on top of an earlier one."""

    addition_to: Named | None = None


class Inquiry(Given):
    """What is on the card."""

    card: Text = "unionpay"
    currency: Text = "CNY"
    entry: Entry = "swipe"
    pin: Text | None = None


class Completion(Given):
    """Sells what was reserved: that of `stan`, else the last; `original` names one that is not remembered."""

    amount: Amount | None = None
    stan: Stan = ""
    pin: Text | None = None
    original: Named | None = None
    card: Text = "unionpay"
    currency: Text = "CNY"


class Void(Given):
    """Takes back the transaction of `stan`, else the last that can be; `original` names one not remembered."""

    stan: Stan = ""
    force: bool = False
    pin: Text | None = None
    original: Named | None = None
    amount: Amount | None = None
    card: Text = "unionpay"
    currency: Text = "CNY"


class Refund(Given):
    """Gives money back; `stan` names the purchase in the terminal's log, `original` by its particulars."""

    amount: Amount
    card: Text | None = None
    currency: Text = "CNY"
    stan: Stan = ""
    original: Named | None = None


class OfflinePurchase(Given):
    """A sale made without the host, told at once or `later`, before the settlement."""

    amount: Amount
    card: Text = "unionpay"
    currency: Text = "CNY"
    entry: Entry = "manual"
    approval_code: Text = "000000"
    later: bool = False


class Adjust(Given):
    """Gives a sale (`stan`, else the last) another `amount`, or adds a `tip`."""

    amount: Amount | None = None
    tip: Amount | None = None
    stan: Stan = ""
    later: bool = False

    @model_validator(mode="after")
    def _one(self) -> Adjust:
        if (self.amount is None) == (self.tip is None):
            raise ValueError("give either amount, the new one, or tip, what comes on top")
        return self


class Side(Given):
    """One side of the books."""

    count: int = Field(ge=0)
    amount: Amount


class Totals(Given):
    """Both sides."""

    debit: Side
    credit: Side


class Settlement(Given):
    """Closes the batch; `leave_out` a STAN that is missing from the totals, `declared` totals from elsewhere."""

    leave_out: Stan = ""
    declared: Totals | None = None


class Reversal(Given):
    """What is unfinished; with `stan` that logged transaction is undone."""

    stan: Stan = ""


class Composed(Given):
    """A message put together by hand; elements as `decode` shows them, or `from` the last request of the terminal."""

    mti: Text | None = None
    set: dict[str, Text] = Field(default={})
    omit: list[Text] = Field(default=[])
    like: Literal["last_request", "nothing"] = "nothing"
    mac: bool = Field(default=True, description="make the MAC where the message has one")


class Raw(Given):
    """Bytes as hex; `framed` puts length, TPDU and header of the dialect around them."""

    hex: Annotated[str, Field(max_length=MOST_RAW_HEX)]
    framed: bool = False
    pieces_of: int = Field(default=0, ge=0, description="bytes of each TCP segment, 0: all at once")
    twice: bool = False


class Alter(Given):
    """Other elements than the terminal would send, in the step's own message or in those of the function `at`.

    `set` and `omit` by element number; the MAC is made anew unless it is set, omitted, or `mac` is false.
    """

    set: dict[str, Text] = Field(default={})
    omit: list[Text] = Field(default=[])
    mti: Text | None = None
    at: Name | None = None
    mac: bool = True


AccidentKind = Literal[
    "answer_lost",
    "line_cut_before_sending",
    "line_cut_after_sending",
    "power_cut_before_sending",
    "power_cut_after_sending",
    "sent_twice",
    "sent_in_pieces",
]


class Accident(Given):
    """What goes wrong on the way: with the step's own message, or the `nth` one of the function `at`."""

    kind: AccidentKind
    at: Name | None = None
    nth: int = Field(default=1, ge=1)
