"""What only a late upload told of, in a batch the host had settled: an offline sale, a refund, an adjust, a completion.

It has happened, so its merchant is paid for it; but a closed batch never changes. So it stands beside its batch, in an
entry of its own kind, and is paid for by a payout of its own.
"""

from __future__ import annotations

import json

from pos_host.ledger.book import Batch, LateTransaction, Transaction
from pos_host.ledger.entry import LATE_NOTICE, SALES, SETTLED_BY_HOST, Entry

LATE_NOTICES_MOST = 999
"""Of one batch: no totals of a terminal count more transactions than three digits. What comes beyond is reported and
not posted."""


def may_come_late(batch: Batch, stan: str) -> bool:
    """Whether a record of that STAN may still be the first notice of something: once, and where the host settled."""
    return batch.result == SETTLED_BY_HOST and stan not in batch.late and len(batch.late) < LATE_NOTICES_MOST


def late_notice(batch: Batch, told: Entry) -> Entry | None:
    """`told`, which would be posted if the batch was open, as it stands beside the closed one.

    None for the adjust of a refund: what its sale's fee was is not known here, so it is reported and not posted.
    """
    original = adjusted_by(batch, told)
    if original is not None and original.function == "refund":
        return None
    detail = {**(json.loads(told.detail) if told.detail else {}), "function": told.kind}
    if original is not None:
        detail["amount_before_minor"] = amount_minor_now(batch, original)
    return told._replace(kind=LATE_NOTICE, detail=json.dumps(detail))


def adjusted_by(batch: Batch, told: Entry) -> Transaction | None:
    """What an adjust that comes late changes: a transaction of the batch, or one that came late itself; None for one
    that stands alone, and for everything else."""
    if told.kind != "adjust":
        return None
    return batch.answers.get(told.original) or told_late_as(batch, told.original)


def as_told(entry: Entry) -> Entry:
    """A late notice as the transaction that it tells of; every other entry as it is."""
    return entry if entry.kind != LATE_NOTICE else entry._replace(kind=json.loads(entry.detail)["function"])


def told_late_as(batch: Batch, key: str) -> LateTransaction | None:
    """What came late of the batch under that key."""
    return next((late for late in batch.late.values() if late.key == key), None)


def sale_told_late(batch: Batch, stan: str, rrn: str) -> LateTransaction | None:
    """The sale that came late of the batch under a STAN, or without one under an RRN; "" for what is not known."""
    fitting = (late for late in batch.late.values() if late.function in SALES and rrn in ("", late.rrn))
    return next((late for late in fitting if (late.stan == stan if stan else rrn)), None)


def amount_minor_now(batch: Batch, original: Transaction) -> int:
    """The amount of a transaction of the batch after the adjusts that came late, in minor units."""
    later = [late.amount_minor for late in batch.late.values() if _adjusts(late, original)]
    return later[-1] if later else original.amount_minor


def is_told_late(batch: Batch, stan: str, amount_minor: int) -> bool:
    """Whether an uploaded record is of what came late, and so is no difference."""
    late = batch.late.get(stan)
    return late is not None and late.amount_minor == amount_minor


def was_adjusted_late(batch: Batch, transaction: Transaction) -> bool:
    """Whether a late adjust speaks for a transaction of the batch, so that it needs no record of its own."""
    return any(_adjusts(late, transaction) for late in batch.late.values())


def _adjusts(late: Transaction, original: Transaction) -> bool:
    return late.function == "adjust" and late.original == original.key
