"""A terminal's memory: everything that must survive a power cut, as one plain record."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from pos_terminal.transaction import Transaction, transaction_from

if TYPE_CHECKING:
    from pos_specs.security.keys import WorkingKeys

LAST_NUMBER = 999_999
"""STAN and invoice numbers have six digits; after 999999 comes 000001 (unionpay.md 2, hypercom.md 2.6)."""

AUTHORISATIONS_KEPT = 100
"""Pre-authorisations remembered, then the oldest is forgotten: they live across batches, and a terminal whose
shop never completes any would otherwise grow without end. One that was forgotten is completed by its particulars."""

FORMAT = 1
"""Version of the record; a file of another version is refused instead of being misread."""


class MemoryDamaged(Exception):
    """The stored memory cannot be read back."""


@dataclass(slots=True)
class Unfinished:
    """What must be sent before the next online transaction.

    `reversal` undoes a transaction whose answer never came (or that somebody wants undone), `repeat`
    sends again what cannot be reversed (a UnionPay refund). `reason` is DE39 of the reversal.
    `refused` counts answers that did not finish it.
    """

    kind: Literal["reversal", "repeat"]
    transaction: Transaction
    reason: str
    refused: int = 0


@dataclass(slots=True)
class Advice:
    """A logged transaction that the host is still to be told of; `tries` counts messages without a fit answer."""

    stan: str
    tries: int = 0


@dataclass(slots=True)
class Notice:
    """What the host is still to be told about a chip transaction; `transaction` is the notice's own record."""

    transaction: Transaction
    tries: int = 0


@dataclass(slots=True)
class Settlement:
    """A settlement under way. `stage` says which answer it waits for; `steps_done` is the upload position.

    `fields` is the 0500 as it was sent: unanswered, it is sent again as it was, with the same STAN.
    `halves` are the parts of the log that the host wants, `balanced` what the host said to the totals.
    """

    batch_number: str
    mti: str
    fields: dict[int, str]
    stage: Literal["sent", "uploading", "ending"] = "sent"
    halves: list[str] = field(default_factory=list)
    balanced: bool = False
    steps_done: int = 0


@dataclass(slots=True)
class Memory:
    """One terminal's memory; `stan` and `invoice` are the numbers used last.

    `sign_in_asked`: the host asked for a sign-in in the header of an answer.
    `authorisations` are the pre-authorisations that were approved, of this batch and of earlier ones. `keys` are
    the working keys, which no table of `memory_table` holds: `MemoryFile` keeps them sealed. `ksn` is
    the DUKPT serial number used last, in hex. `clock_ahead_s` is by how many seconds the host's clock is ahead of the
    machine's, as far as an answer told.
    """

    dialect: str
    terminal_id: str
    merchant_id: str
    stan: int = 0
    invoice: int = 0
    batch_number: str = "000001"
    must_sign_in: bool = False
    sign_in_asked: bool = False
    log: list[Transaction] = field(default_factory=list)
    unfinished: Unfinished | None = None
    settlement: Settlement | None = None
    authorisations: list[Transaction] = field(default_factory=list)
    advices: list[Advice] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    ksn: str = ""
    clock_ahead_s: int = 0
    keys: WorkingKeys | None = field(default=None, repr=False)

    def next_stan(self) -> str:
        """The STAN of the next message, which is used up by this."""
        self.stan = self.stan % LAST_NUMBER + 1
        return f"{self.stan:06d}"

    def remember(self, authorisation: Transaction) -> None:
        """Keep an approved pre-authorisation, and forget the oldest where there are too many."""
        self.authorisations = [*self.authorisations, authorisation][-AUTHORISATIONS_KEPT:]

    def next_invoice(self) -> str:
        """The invoice number of the next transaction, which is used up by this."""
        self.invoice = self.invoice % LAST_NUMBER + 1
        return f"{self.invoice:06d}"


def memory_table(memory: Memory) -> dict[str, Any]:
    """The memory as plain values for JSON, the keys left out."""
    table = {"format": FORMAT, **asdict(replace(memory, keys=None))}
    del table["keys"]
    return table


def memory_from(table: dict[str, Any]) -> Memory:
    """The memory that `memory_table` made plain values of; raises MemoryDamaged."""
    try:
        values = dict(table)
        if values.pop("format") != FORMAT:
            raise MemoryDamaged(f"format {table['format']!r} instead of {FORMAT}")
        values["log"] = [transaction_from(entry) for entry in values["log"]]
        values["unfinished"] = _unfinished(values["unfinished"])
        values["settlement"] = _settlement(values["settlement"])
        values["authorisations"] = [transaction_from(entry) for entry in values.get("authorisations", ())]
        values["advices"] = [Advice(**entry) for entry in values.get("advices", ())]
        values["notices"] = [
            Notice(transaction_from(entry["transaction"]), entry["tries"]) for entry in values.get("notices", ())
        ]
        return Memory(**values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MemoryDamaged(f"not a terminal's memory ({type(error).__name__})") from None


def _unfinished(table: dict[str, Any] | None) -> Unfinished | None:
    if table is None:
        return None
    return Unfinished(**{**table, "transaction": transaction_from(table["transaction"])})


def _settlement(table: dict[str, Any] | None) -> Settlement | None:
    if table is None:
        return None
    fields = {int(number): value for number, value in table["fields"].items()}
    return Settlement(**{**table, "fields": fields})
