"""What the journal holds: entries, which are never changed, and rows, which say how things stand now."""

from __future__ import annotations

from typing import NamedTuple

from pos_host.ledger.merchant_rows import MerchantRow


class Entry(NamedTuple):
    """One fact in the journal. Its place there (`sequence`) is given by the commit and orders all events.

    `kind` is a function (`purchase`, `reversal` …) or something the host did (`batch_opened`, `unsettled` …).
    `batch_id` 0 and `terminal_no` 0 mean none. `amount_minor` in minor units of `currency` (ISO 4217 numeric).
    `card` is masked, `card_print` a keyed hash, `key` the identity within batch and message class.
    `original` is the identity key of the transaction a void, reversal, refund or adjust speaks of.
    `detail` is JSON of what only this kind has. `product` is what decides the fee: the product, and after a slash
    how the card was read where that matters (`cloud_quickpass/contactless`); "" where no money moves.
    """

    kind: str
    terminal_no: int
    batch_id: int
    at_ms: int
    outcome: str = "approved"
    mti: str = ""
    stan: str = ""
    key: str = ""
    amount_minor: int = 0
    currency: str = ""
    card: str = ""
    card_print: str = ""
    organisation: str = ""
    account: str = ""
    rrn: str = ""
    approval_code: str = ""
    invoice: str = ""
    original: str = ""
    detail: str = ""
    product: str = ""


class TerminalRow(NamedTuple):
    """A terminal. `number_known`: 1 once the host gave it a batch number or believed the one it named."""

    terminal_no: int
    merchant_id: str
    terminal_id: str
    dialect: str
    status: str
    enrolled_at_ms: int
    number_known: int


class BatchRow(NamedTuple):
    """A batch as of its last turn (opened, upload begun, closed).

    `host_totals`, `terminal_totals`, `discrepancies` and `settlement` are JSON ("" while there is none);
    `after_sequence` is a place in the journal before the batch's first entry, `rrn_base` the terminal's
    count of RRNs when it was opened.
    """

    batch_id: int
    terminal_no: int
    number: str
    state: str
    result: str
    dialect: str
    currency: str
    opened_at_ms: int
    closed_at_ms: int
    after_sequence: int
    rrn_base: int
    host_totals: str
    terminal_totals: str
    discrepancies: str
    settlement: str


class FlagRow(NamedTuple):
    """The unsettled flag of a terminal; severity "" when it is not flagged."""

    terminal_no: int
    severity: str
    since_ms: int
    due_at_ms: int
    reasons: str
    clears: str


class KeyRow(NamedTuple):
    """The working keys a terminal holds since its last sign-in, sealed for it (hex; `security.sealing`)."""

    terminal_no: int
    sealed: str
    issued_at_ms: int


class AuthorisationRow(NamedTuple):
    """A pre-authorisation as its last entry left it; it lives longer than the batch it was made in.

    `authorisation_no` is its first entry's batch id × 1,000,000 + that terminal's count in the RRN; `state` open,
    completed, voided or reversed (one that is open after `expires_at_ms` has expired); `batch_id` the batch of the
    entry that changed it last; `named` by what later messages name it: batch number and STAN, twelve digits, of every
    auth that made or raised it, parted by spaces; `amount_minor` what is authorised in all.
    """

    authorisation_no: int
    terminal_no: int
    state: str
    batch_id: int
    named: str
    approval_code: str
    rrn: str
    card: str
    card_print: str
    currency: str
    amount_minor: int
    completed_minor: int
    authorised_at_ms: int
    expires_at_ms: int


class HostSettlementRow(NamedTuple):
    """How the host's own settlement of a terminal stands: what became of its batch when it was judged last.

    `business_day` (ISO date) is done, `result` says how (settled, dry_run, carried_over, held), and before
    `not_before_ms` the terminal is not judged again.
    """

    terminal_no: int
    batch_id: int
    business_day: str
    result: str
    judged_at_ms: int
    not_before_ms: int


Row = TerminalRow | BatchRow | FlagRow | KeyRow | AuthorisationRow | HostSettlementRow | MerchantRow

SETTLED_BY_HOST = "settled_by_host"
"""The result of a batch that its terminal forgot and the host closed."""

LATE_TOTALS = "late_totals"
"""Kind of the entry of totals that a terminal sends of such a batch afterwards, or of the end of its late upload."""

PAYOUT = "payout"
"""Kind of the entry that tells what a closed batch pays; the row of its name is made of it."""

LATE_NOTICE = "late_notice"
"""Kind of the entry of a transaction that only the late upload into such a batch told of; its detail has the function
it tells of. The closed batch stays as it is: the money has a payout of its own."""

NEW_SALES = frozenset({"purchase", "cash_advance", "auth"})
"""Functions with which a terminal that does not settle goes on trading; all others end what was begun."""

SALES = frozenset({"purchase", "cash_advance", "completion", "completion_advice", "offline_purchase"})
"""Functions that take money from the cardholder."""

CHARGED = SALES | {"refund", "adjust"}
"""Functions whose entries say what the fee is taken for; an adjust, because it may stand for a sale that never came."""

VOIDS = frozenset({"purchase_void", "refund_void", "completion_void"})
"""Functions that take back a whole transaction of the open batch."""

AUTHORISING = frozenset({"auth", "auth_void"})
"""Functions that reserve money and move none: no total counts them."""

ADVICES = frozenset({"completion_advice", "offline_purchase", "adjust"})
"""Functions that tell what has happened: a terminal sends them until they are answered, and reverses none
(unionpay.md 4.5)."""

FINANCIAL = SALES | VOIDS | AUTHORISING | {"refund", "adjust"}
"""Functions on a card's money: each has an identity in its batch, and the same request again its first answer."""

APPROVALS = frozenset({"approved", "partially_approved"})
"""Outcomes after which the cardholder's money is moved or reserved."""
