"""What the store holds of the merchant's side, beside the books: records, payouts, the audit trail, documents."""

from __future__ import annotations

from typing import NamedTuple


class RecordRow(NamedTuple):
    """A thing of the merchant's side as it stands now; its history is the audit trail.

    `kind` is merchant, account, account_change, closure …, each with its own ids and its own life; `state` where it
    stands in that life. `merchant_id` is "" for what is the acquirer's own. `due_at_ms` is when the host itself has
    to look at it again, 0 for never. `body` is JSON of what only this kind has.
    """

    kind: str
    record_id: str
    merchant_id: str
    state: str
    due_at_ms: int
    changed_at_ms: int
    body: str


class PayoutRow(NamedTuple):
    """What a settled batch pays its merchant; its id is the batch's. What has no batch of its own (a charge, what was
    told late) has a number above (money/payout_numbers.py).

    Amounts in minor units of `currency` (ISO 4217 numeric, as in the journal); `net_minor` = captured − refunded −
    fees − charges. `business_day` is the day the batch belongs to, `due_day` the day it is paid (ISO dates);
    `account_id` the account it went to, "" until it is made. `reasons` is a JSON list of why it is held, `lines` a
    JSON list with count and amounts by product.
    """

    payout_id: int
    terminal_no: int
    merchant_id: str
    state: str
    currency: str
    business_day: str
    due_day: str
    due_at_ms: int
    captured_minor: int
    refunded_minor: int
    fees_minor: int
    charges_minor: int
    net_minor: int
    account_id: str
    changed_at_ms: int
    reasons: str
    lines: str


class AuditRow(NamedTuple):
    """Who did or tried what, chained: `digest` is over this row and the digest of the row before.

    `result` is done or refused, `reason` why (what the actor gave, or why it was refused); `before` and `after` are
    JSON of the subject, "" where there is none.
    """

    audit_no: int
    at_ms: int
    actor: str
    role: str
    action: str
    subject: str
    merchant_id: str
    result: str
    reason: str
    before: str
    after: str
    digest: str


class DocumentRow(NamedTuple):
    """A paper that a merchant handed in: its id is the SHA-256 of its content, `sealed` the content, encrypted (hex).
    Two merchants may hand in the same."""

    document_id: str
    merchant_id: str
    kind: str
    name: str
    size_bytes: int
    kept_at_ms: int
    sealed: str


class RecordChangeRow(NamedTuple):
    """That a record was written: `version` is the digest of what was written, `digest` chains this row to the one
    before. `origin` is written, or found for what stood in the store before there was such a trail
    (ledger/record_trail.py). The journal adds it to each record that it keeps; nobody posts it.
    """

    change_no: int
    kind: str
    record_id: str
    origin: str
    version: str
    digest: str


MerchantRow = RecordRow | PayoutRow | AuditRow | DocumentRow | RecordChangeRow

PAYOUTS_OPEN = ("pending", "held", "released")
"""States of a payout of which something is still to be done; these are kept in memory."""
