"""A request as the host understands it: who asks for what, with which card and amount."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

from pos_host.ledger.book import Transaction
from pos_host.ledger.entry import VOIDS
from pos_specs.cards import DOMESTIC, PAN_DIGITS, organisation, pan_of_track2
from pos_specs.language import Language, Route
from pos_specs.masking import luhn_valid, mask_pan
from pos_specs.message import Message
from pos_specs.test_cards import TestCard, shipped_test_cards

PRINTS_KEPT = 4096
"""Cards whose print is remembered; a load test uses a handful of cards over and over."""


class Card(NamedTuple):
    """A card without its number: a keyed hash to compare, first six and last four to show.

    `test` is its row of the test card table, None for any other card.
    """

    print: str
    masked: str
    organisation: str
    valid: bool
    test: TestCard | None = None


NO_CARD = Card("", "", "", True)
CARDLESS = Card("", "", DOMESTIC, True)
"""A QR purchase names no card; it is UnionPay's own function and counts as domestic."""


class CardReader:
    """Turns PANs into `Card`s under the store's secret key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: dict[str, Card] = {}

    def read(self, pan: str) -> Card:
        """The card of `pan`; `valid` says that it has 12 to 19 digits and a right check digit."""
        card = self._known.get(pan)
        if card is None:
            card = self._make(pan)
            if len(self._known) >= PRINTS_KEPT:
                self._known.clear()
            self._known[pan] = card
        return card

    def _make(self, pan: str) -> Card:
        print_ = blake2b(pan.encode("utf-8", "replace"), key=self._key, digest_size=12).hexdigest()
        valid = len(pan) in PAN_DIGITS and luhn_valid(pan)
        return Card(print_, mask_pan(pan), organisation(pan), valid, shipped_test_cards().get(pan))


INVOICE_DIGITS = 6
"""DE62 of Hypercom (hypercom.md 2.4)."""

_OF_ANOTHER = VOIDS | {"auth_void", "reversal"}
_VOIDING = ("02", "22", "32")
"""DE3 of the voids of a sale, a refund and an authorisation (hypercom.md 2.2)."""


class Request:
    """One request. Texts are "" and `amount_minor` is None where the message does not carry them.

    `amount_minor` is a void's original's amount where that stands apart;
    `key` is its identity within a batch: message class, STAN, and what the dialect adds; `batch_number` the
    batch the message names; `stored_original` an original that only the store still knew. `pin` is "right", "wrong"
    or "unreadable" where a PIN block came that the host can judge, and then `pin_tries_left` says how often more;
    `upload_forced` says that a rule has this settlement end in an upload.
    """

    __slots__ = (
        "amount_minor",
        "batch_number",
        "card",
        "currency",
        "function",
        "key",
        "language",
        "looked_up",
        "merchant_id",
        "message",
        "pin",
        "pin_tries_left",
        "route",
        "rule",
        "stan",
        "stored_original",
        "terminal_id",
        "upload_forced",
    )

    def __init__(self, language: Language, route: Route, message: Message, cards: CardReader) -> None:
        fields = message.fields
        get = fields.get
        self.language = language
        self.route = route
        self.rule = route.rule
        self.message = message
        self.function = route.rule.name
        self.merchant_id = get(42, "").rstrip()
        self.terminal_id = get(41, "").rstrip()
        self.stan = get(11, "")
        amount = get(4)
        self.amount_minor = None if amount is None else int(amount)
        self.currency = get(49) or language.dialect.currency
        if self.function in _OF_ANOTHER:
            self._take_amount_stated_apart()
        self.card = self.read_card(cards)
        self.batch_number = self.meaning("batch_number")
        self.stored_original: Transaction | None = None
        self.looked_up = False
        self.pin = ""
        self.pin_tries_left = 0
        self.upload_forced = False
        self.key = message.mti[1] + self.stan
        for number in language.dialect.identity:
            self.key += get(number, "")

    def read_card(self, cards: CardReader) -> Card:
        """The card in DE2 or on track 2 as they stand; a track may have been deciphered meanwhile."""
        fields = self.message.fields
        pan = fields.get(2) or pan_of_track2(fields.get(35, ""))
        return cards.read(pan) if pan else (CARDLESS if 62 in fields and self._is_code() else NO_CARD)

    def _is_code(self) -> bool:
        """A QR purchase: 60.1 = 26, DE25 mostly 99 (unionpay.md 8a)."""
        fields = self.message.fields
        return fields.get(25) == "99" or fields.get(60, "").startswith("26")

    def _take_amount_stated_apart(self) -> None:
        """A void, and its reversal, may say its original's amount in Hypercom's DE60 and anything in DE4."""
        if self.function != "reversal" or self.message.fields.get(3, "").startswith(_VOIDING):
            stated = self.meaning("original_amount")
            if stated.isdigit():
                self.amount_minor = int(stated)

    @property
    def invoice(self) -> str:
        """Six digits; a DE62 that holds anything else names no invoice, and may hold a card's secrets."""
        text = self.meaning("invoice")
        return text if len(text) == INVOICE_DIGITS and text.isdigit() else ""

    def meaning(self, name: str) -> str:
        """What the message carries under a dialect's meaning, "" when absent."""
        read = self.language.readers.get(name)
        return "" if read is None else read(self.message) or ""

    def same_content(self, function: str, amount_minor: int, card_print: str) -> bool:
        """Whether a stored transaction asks the same: function, amount and card, not PIN, chip data or MAC."""
        return self.function == function and (self.amount_minor or 0) == amount_minor and self.card.print == card_print
