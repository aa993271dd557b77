"""Whether the purchases with which a new account is tried were paid to it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pos_host.ledger.merchant_rows import PayoutRow


def tests_settled(paid: Iterable[PayoutRow], account_id: str, activated_at_ms: int) -> int:
    """How many transactions were paid to the account since it was activated.

    A sale counts whatever its product, where its product was paid to this account; a refund or a charge tries nothing.
    """
    lately = (payout for payout in paid if payout.state == "made" and payout.changed_at_ms >= activated_at_ms)
    lines = ((payout, line) for payout in lately for line in json.loads(payout.lines))
    return sum(int(line.get("sales", 0)) for payout, line in lines if paid_to(payout, line) == account_id)


def paid_to(payout: PayoutRow, line: dict[str, Any]) -> str:
    """The account that a line of a payout went to: its own where it has one, else the payout's."""
    return str(line.get("account_id", payout.account_id))


def goes_to(payout: PayoutRow, account_id: str) -> bool:
    """Whether the account got a payout, or a part of it."""
    return any(paid_to(payout, line) == account_id for line in json.loads(payout.lines))
