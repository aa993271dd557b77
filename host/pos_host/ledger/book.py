"""What the host knows about one terminal: its open batch, its transactions, the answers already given."""

from __future__ import annotations

import json
from typing import Any

from pos_host.ledger.entry import APPROVALS, SETTLED_BY_HOST, AuthorisationRow, Entry, HostSettlementRow
from pos_host.ledger.merchant import Merchant
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.settlement.policy import shipped_policy
from pos_specs.dialect import Dialect
from pos_specs.totals import Side, Totals

BATCHES_PER_TERMINAL = 100_000
"""A batch id is terminal number × this + ordinal; at one batch a day it lasts 270 years."""


class Transaction:
    """A financial request the host decided, approved or declined, and what became of it since.

    What was decided is its journal entry; only the flags change, and `amount_minor` when it is adjusted.
    """

    __slots__ = ("amount_minor", "entry", "refunded_minor", "reversed", "sequence", "voided")

    def __init__(self, sequence: int, entry: Entry) -> None:
        self.sequence = sequence
        self.entry = entry
        self.amount_minor = entry.amount_minor
        self.voided = False
        self.reversed = False
        self.refunded_minor = 0

    @property
    def function(self) -> str:
        return self.entry.kind

    @property
    def outcome(self) -> str:
        return self.entry.outcome

    @property
    def key(self) -> str:
        """Its identity within the batch."""
        return self.entry.key

    @property
    def stan(self) -> str:
        return self.entry.stan

    @property
    def rrn(self) -> str:
        return self.entry.rrn

    @property
    def asked_minor(self) -> int:
        """What its request asked for; more than its entry's amount only where a part was approved."""
        if self.entry.outcome != "partially_approved":
            return self.entry.amount_minor
        return int(json.loads(self.entry.detail)["asked_minor"])

    @property
    def card(self) -> str:
        """The masked card number."""
        return self.entry.card

    @property
    def card_print(self) -> str:
        return self.entry.card_print

    @property
    def original(self) -> str:
        """The key of the transaction it voids, refunds or adjusts."""
        return self.entry.original

    @property
    def approved(self) -> bool:
        """Approved, whatever happened to it afterwards."""
        return self.entry.outcome in APPROVALS

    @property
    def captured(self) -> bool:
        """Approved and not reversed: it stands in the books (a voided one stands beside its void)."""
        return self.entry.outcome in APPROVALS and not self.reversed


class StoredTransaction(Transaction):
    """One that only the store remembered; `charged` as its batch has it."""

    __slots__ = ("charged",)

    def __init__(self, sequence: int, entry: Entry, charged: list[list[Any]]) -> None:
        super().__init__(sequence, entry)
        self.charged = charged


class LateTransaction(Transaction):
    """One that stands beside its closed batch; `charged` are the days of its own payout, as `Batch.charged` has them.
    Empty until that is applied."""

    __slots__ = ("charged",)

    def __init__(self, sequence: int, entry: Entry) -> None:
        super().__init__(sequence, entry)
        self.charged: list[list[Any]] = []


class Tombstone:
    """A reversal whose original never came: it refuses only an original of the same STAN, amount and card."""

    __slots__ = ("amount_minor", "card_print", "stan")

    def __init__(self, stan: str, amount_minor: int, card_print: str) -> None:
        self.stan = stan
        self.amount_minor = amount_minor
        self.card_print = card_print


class Batch:
    """One batch of one terminal. `groups` are the running totals by the dialect's groups; `adjusts` has, by the STAN
    of an adjust, the transaction whose amount it changed; `late` by STAN what only an upload told of after the host
    had settled the batch (late_notices.py), which no total counts. `charged` are the business days of its sales, each
    with the instant it began and the digest of the fee schedule that its payout was worked out by."""

    __slots__ = (
        "adjusts",
        "after_sequence",
        "answers",
        "batch_id",
        "by_invoice",
        "by_rrn",
        "by_stan",
        "charged",
        "closed_at_ms",
        "currency",
        "dialect",
        "discrepancies",
        "first_money_at_ms",
        "groups",
        "last_activity_at_ms",
        "late",
        "number",
        "opened_at_ms",
        "result",
        "reversals",
        "rrn_base",
        "settlement",
        "state",
        "terminal_totals",
        "tombstones",
        "undelivered",
        "uploads",
    )

    def __init__(self, batch_id: int, number: str, dialect: Dialect, opened_at_ms: int) -> None:
        self.batch_id = batch_id
        self.number = number
        self.dialect = dialect
        self.state = "open"
        self.result = ""
        self.currency = ""
        self.opened_at_ms = opened_at_ms
        self.closed_at_ms = 0
        self.after_sequence = 0
        self.rrn_base = 0
        self.answers: dict[str, Transaction] = {}
        self.reversals: dict[str, Transaction] = {}
        self.by_rrn: dict[str, Transaction] = {}
        self.by_stan: dict[str, Transaction] = {}
        self.by_invoice: dict[str, Transaction] = {}
        self.tombstones: dict[str, Tombstone] = {}
        self.adjusts: dict[str, Transaction] = {}
        self.uploads: dict[str, dict[str, Any]] = {}
        self.undelivered: dict[str, int] = {}
        self.late: dict[str, LateTransaction] = {}
        self.charged: list[list[Any]] = []
        self.groups: dict[str, Side] = {}
        self.terminal_totals: Totals = {}
        self.discrepancies: list[dict[str, Any]] = []
        self.settlement: dict[str, Any] = {}
        self.first_money_at_ms = 0
        self.last_activity_at_ms = opened_at_ms

    @property
    def closed(self) -> bool:
        return self.state == "settled"

    @property
    def awaits_terminal(self) -> bool:
        """The host settled it and its terminal, which was not told, has not settled it since."""
        return self.result == SETTLED_BY_HOST and "key" not in self.settlement


class Book:
    """One terminal's book. Only the pipeline's turn for this terminal changes it, and only after a commit.

    `sealed_keys` are its working keys as stored (hex, "" for none); `keys` the same opened, once they were needed.
    `authorisations` has by number those that are open, and those that changed in a batch it remembers. `owed` is what
    its terminal has still to take over (takeover.py).
    `policy` is the settlement policy that holds for it now, `products` what transactions are charged as by the
    acquirer's own table (None: by the shipped one). `reminded`: a reminder to settle waits for its
    next sign-in; `untold_batch_id` is the batch that the host settled and of which it does not know yet, 0 for none.
    `sign_in_due` is the reopening after which it has not signed in yet; `predecessor` the book of the terminal whose
    place it took, and `replaces` the record of that.
    """

    __slots__ = (
        "authorisations",
        "batches",
        "busy",
        "dialect",
        "enrolled",
        "enrolled_at_ms",
        "flag",
        "flag_pending",
        "host_settlement",
        "keys",
        "last_seen_at_ms",
        "last_sequence",
        "merchant",
        "merchant_id",
        "number_known",
        "ordinal",
        "owed",
        "policy",
        "predecessor",
        "products",
        "reminded",
        "replaces",
        "rrn_prefix",
        "rrn_sequence",
        "sealed_keys",
        "session",
        "sign_in_due",
        "status",
        "terminal_id",
        "terminal_no",
        "untold_batch_id",
        "waiting",
    )

    def __init__(self, terminal_no: int, merchant_id: str, terminal_id: str, dialect: Dialect) -> None:
        self.terminal_no = terminal_no
        self.rrn_prefix = f"{terminal_no % 1_000_000:06d}"
        self.merchant_id = merchant_id
        self.merchant = Merchant(merchant_id)
        self.terminal_id = terminal_id
        self.policy = shipped_policy()
        self.dialect = dialect
        self.status = "active"
        self.enrolled = False
        self.enrolled_at_ms = 0
        self.number_known = False
        self.batches: list[Batch] = []
        self.authorisations: dict[int, AuthorisationRow] = {}
        self.ordinal = 0
        self.rrn_sequence = 0
        self.last_seen_at_ms = 0
        self.last_sequence = 0
        self.flag: Any = None
        self.flag_pending = False
        self.host_settlement: HostSettlementRow | None = None
        self.sealed_keys = ""
        self.keys: Any = None
        self.session: Any = None
        self.owed: RecordRow | None = None
        self.sign_in_due: RecordRow | None = None
        self.predecessor: Book | None = None
        self.products: Any = None
        self.replaces: RecordRow | None = None
        self.reminded = False
        self.untold_batch_id = 0
        self.busy = False
        self.waiting: list[Any] = []

    @property
    def current(self) -> Batch | None:
        """The latest batch; None only before the first commit of the terminal."""
        return self.batches[-1] if self.batches else None

    @property
    def sign_in_wanted(self) -> bool:
        """Whether the terminal should sign in again: it would settle then, or learn that the host has."""
        return self.reminded or self.untold_batch_id != 0

    @property
    def uploading(self) -> Batch | None:
        """The batch whose upload has begun and not ended."""
        return next((batch for batch in self.batches if batch.state == "uploading"), None)

    def batch_numbered(self, number: str) -> Batch | None:
        """The latest remembered batch of that number."""
        return next((batch for batch in reversed(self.batches) if batch.number == number), None)

    def batch_of_id(self, batch_id: int) -> Batch | None:
        """The remembered batch of that id."""
        return next((batch for batch in self.batches if batch.batch_id == batch_id), None)

    def remembers_since(self, batch: Batch) -> bool:
        """Whether every batch from `batch` on is remembered, and so every refund of what was sold in it.

        What the host settled is remembered for longer than the batches after it (posting.py).
        """
        later = sum(known.batch_id >= batch.batch_id for known in self.batches)
        return self.batches[-1].batch_id - batch.batch_id + 1 == later

    def next_batch_id(self) -> int:
        """The id of the batch that would be opened next."""
        return self.terminal_no * BATCHES_PER_TERMINAL + self.ordinal + 1

    def next_rrn(self) -> str:
        """Twelve digits: terminal number and a count of this terminal's own; both wrap at a million.

        An RRN is looked up only within a terminal's batches, so the wrap of the count comes after a
        million transactions of one terminal and hits nothing that is still open.
        """
        return self.rrn_prefix + str(1_000_000 + (self.rrn_sequence + 1) % 1_000_000)[1:]


def approval_code_of(rrn: str) -> str:
    """Six digits from the terminal's own count in the RRN, never 000000."""
    code = rrn[6:]
    return code if code != "000000" else "000001"
