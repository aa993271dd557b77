"""What the terminal's state machine asks of an application. All of it is pure: records in, values out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.totals import Side, Totals
from pos_terminal.cards import track2
from pos_terminal.memory import Memory, Settlement, Unfinished
from pos_terminal.requests import Values
from pos_terminal.transaction import VOIDS, Transaction

NII = "003"
"""DE24, and the destination address of the TPDU: the network a terminal dials (hypercom.md 1.2)."""


ADVICE = "2"
"""Third digit of the type of a message that tells what has happened (ISO 8583)."""

CARD_SEQUENCE = "001"
"""DE23 of every test card's chip."""


class NoSuchTotals(Exception):
    """The dialect's totals have no form of that length."""


class NotSpoken(Exception):
    """No application writes the messages of this dialect."""


class Judgement(NamedTuple):
    """What the host said to the totals. `halves`: what it wants uploaded, in the application's terms."""

    verdict: Literal["balanced", "send_batch", "out_of_balance", "refused"]
    halves: tuple[str, ...] = ()


REFUSED = Judgement("refused")


class UploadStep(NamedTuple):
    """One message of an upload: the function's rule is found by `hints`, `extras` go into it."""

    function: str
    hints: Values
    extras: Values
    records: int


class DownloadCodes(NamedTuple):
    """DE60.3 of the messages of a download: of the list of what there is, of one item or all, of the end; "" where
    there is no such message, or where its function alone finds it."""

    listed: str
    item: str
    end: str


class Books(NamedTuple):
    """A terminal's money as the host's API words it: `debit` sold, `credit` given back."""

    debit: Side
    credit: Side


class Application(ABC):
    """One family of dialects, seen from the terminal. Values that it gives as "" are not sent."""

    approved: frozenset[str] = frozenset({"00", "08", "11"})
    """Response codes a terminal takes for an approval: plain, with identification, of a VIP (ISO 8583:1987)."""

    reversible: frozenset[str] = frozenset(
        {"purchase", "cash_advance", "refund", "auth", "completion", *VOIDS},
    )
    """Functions that are reversed when their answer is missing, unless they are advices; other financial ones are
    repeated, and a balance is asked for again."""

    advice_tries: int | None = None
    """Tries of a stored advice before the batch is settled without it (its upload tells of it); None: as many as
    it takes."""

    reversal_done: frozenset[str] = frozenset({"00"})
    """Codes that finish a reversal."""

    reversal_tries: int | None = None
    """Answers that do not finish a reversal before it is given up; None: it blocks the terminal."""

    sign_in_again: frozenset[str] = frozenset()
    """Codes after which the terminal signs in before it trades again."""

    batch_limit: int | None = None
    """Records a batch can hold, since counts have three digits in the totals."""

    ends_balanced_batch = False
    """True when a balanced settlement too is ended by a message of its own."""

    uploads = True
    """True when a batch that does not balance is uploaded record by record."""

    names_batch = True
    """True when messages carry the batch number."""

    downloads: Mapping[str, DownloadCodes] = {}
    """What can be downloaded, by what `pos-terminal download` calls it."""

    clock_lengths: Mapping[int, int] = {12: 6, 13: 4}
    """Digits of the elements that hold the terminal's clock; a dialect with others needs another application."""

    clock_format = "%m%d%H%M%S"
    """How the terminal's clock is kept with a transaction."""

    settlement_mti = ""
    """The message type that settles where the dialect has several; "": the first of its rule."""

    def __init__(self, language: Language, totals_digits: int | None = None) -> None:
        self.language = language
        self.dialect = language.dialect
        self.totals_digits = totals_digits

    def reverses(self, function: str, mti: str) -> bool:
        """True when a missing answer to that function, sent as `mti`, is followed by a reversal."""
        return function in self.reversible and mti[2] != ADVICE

    def hints(self, transaction: Transaction) -> dict[str, str]:
        """What tells the transaction's variety from others of its function, as paths and values of the rule."""
        return {}

    def offers(self, transaction: Transaction, memory: Memory) -> dict[str, str]:
        """Every value any dialect may require of a transaction, by the elements' names in the dialect."""
        original = transaction.original
        card = transaction.card
        by_name = {
            "pan": "" if transaction.swiped else card.pan,
            "expiry": "" if transaction.swiped else card.expiry,
            "track2": track2(card, self.separator) if transaction.swiped else "",
            "amount": f"{transaction.amount_minor:012d}",
            "stan": transaction.stan,
            "local_time": transaction.local_time,
            "local_date": transaction.local_date,
            "transmission_datetime": transaction.sent_at,
            "entry_mode": transaction.entry_mode,
            "nii": NII,
            "condition_code": "00",
            "rrn": original.rrn if original else "",
            "approval_code": original.approval_code if original else transaction.approval_code,
            "card_sequence_number": CARD_SEQUENCE if transaction.by_chip else "",
            "currency": transaction.currency,
            **self.identity(memory),
        }
        return self.by_number(by_name)

    @property
    def separator(self) -> str:
        """Between PAN and expiry in track 2: nibble D where digits are BCD, `=` in text."""
        return "D" if self.dialect.wire.digits == "bcd" else "="

    def identity(self, memory: Memory) -> dict[str, str]:
        """Who the terminal is, by element names."""
        return {
            "terminal_id": self._filled("terminal_id", memory.terminal_id),
            "merchant_id": self._filled("merchant_id", memory.merchant_id),
        }

    def _filled(self, name: str, value: str) -> str:
        """The value with blanks behind it, where its element has a fixed length."""
        element = next((e for e in self.dialect.elements.values() if e.name == name), None)
        return value if element is None or element.length_digits else f"{value:<{element.max_length}}"

    def by_number(self, by_name: Mapping[str, str]) -> dict[str, str]:
        """Values by element name as values by element number, empty ones and unknown names left out."""
        elements = self.dialect.elements.values()
        return {str(e.number): by_name[e.name] for e in elements if by_name.get(e.name)}

    @abstractmethod
    def transaction_extras(self, transaction: Transaction, memory: Memory) -> Values:
        """What a purchase, void or refund carries beyond what its rule requires."""

    @abstractmethod
    def reversal_extras(self, unfinished: Unfinished, memory: Memory) -> Values:
        """What a reversal carries: what stays of the original, and the reason."""

    def notice_extras(self, notice: Transaction, memory: Memory) -> Values:
        """What a script notice or the advice of a certificate carries."""
        return {}

    @abstractmethod
    def management_extras(self, function: str, memory: Memory, sent_at: str) -> Values:
        """What a sign-in, sign-off or echo carries."""

    def signature_extras(self, signed: Transaction, picture: bytes, memory: Memory) -> Values:
        """What the signature for a transaction carries."""
        return {}

    @abstractmethod
    def totals(self, log: Iterable[Transaction]) -> Totals:
        """The totals of the log as this family counts them."""

    @abstractmethod
    def totals_of_books(self, books: Books) -> Totals:
        """Totals that say `books`, for a terminal that declares what it has no record of."""

    def books(self, log: Iterable[Transaction]) -> Books:
        """Debit and credit of the log in the meaning of the host's API: what stands and was not voided, no voids."""
        effective = [transaction for transaction in log if transaction.effective]
        return Books(
            sum_of(t for t in effective if t.sells),
            sum_of(t for t in effective if t.function == "refund"),
        )

    @abstractmethod
    def settlement_extras(self, totals: Totals, memory: Memory, sent_at: str) -> Values:
        """What the settlement request carries."""

    @abstractmethod
    def judge(self, answer: Message) -> Judgement:
        """What the host says to the totals."""

    def upload_steps(self, log: Sequence[Transaction], settlement: Settlement) -> list[UploadStep]:
        """The upload, message by message; the same log and settlement give the same steps."""
        return []

    def ending(self, log: Sequence[Transaction], settlement: Settlement) -> UploadStep | None:
        """The message that ends the upload; None when the family has none."""
        return None

    def judge_ending(self, answer: Message, settlement: Settlement) -> Judgement:
        """What the answer to the end of the upload says."""
        return Judgement("balanced")

    def card_class_of(self, answer: Message) -> str:
        """The card organisation that an answer names, "" where it names none."""
        return ""

    def clock_of(self, answer: Message) -> tuple[str, str]:
        """The host's MMDD and hhmmss in an answer, "" where it names none."""
        return answer.fields.get(13, ""), answer.fields.get(12, "")

    def batch_number_of(self, answer: Message) -> str | None:
        """The batch number that a sign-in's answer gives, if the family gives one there."""
        return None


def sum_of(transactions: Iterable[Transaction]) -> Side:
    """How many, and how much."""
    count = amount = 0
    for transaction in transactions:
        count += 1
        amount += transaction.amount_minor
    return Side(count, amount)
