"""Whether the purchases with which a new account is tried were paid to it."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pos_host.ledger.merchant_rows import PayoutRow


def tests_settled(paid: Iterable[PayoutRow], activated_at_ms: int) -> int:
    """How many transactions stand in payouts made to the account since it was activated.

    A sale counts whatever its product; a refund tries nothing.
    """
    lately = (payout for payout in paid if payout.state == "made" and payout.changed_at_ms >= activated_at_ms)
    return sum(int(line["sales"]) for payout in lately for line in json.loads(payout.lines))
