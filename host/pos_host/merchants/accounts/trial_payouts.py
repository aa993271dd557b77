"""What was paid to a new account: the purchases with which it is tried, and the first payouts for an audit."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pos_host.journal import Journal, Question
from pos_host.ledger.merchant_rows import PayoutRow

FIRST_PAYOUTS = 10
"""Payouts to a new account that an audit looks through: two weeks of one terminal."""


async def made_since(journal: Journal, merchant_id: str, since_ms: int) -> list[PayoutRow]:
    """A merchant's payouts that were made from `since_ms` (UTC milliseconds) on, as the store has them."""
    made: list[PayoutRow] = []
    after: int | None = None
    where: dict[str, str | int] = {"merchant_id": merchant_id, "state": "made"}
    while page := await journal.select(Question(PayoutRow, where, after=after)):
        made += [payout for payout in page if payout.changed_at_ms >= since_ms]
        after = page[-1].payout_id
    return made


def first_payouts(made: Iterable[PayoutRow], account_id: str) -> list[dict[str, Any]]:
    """The first of them that went to the account, whole or in part: what an audit looks through."""
    paid = [payout for payout in made if goes_to(payout, account_id)]
    paid.sort(key=lambda payout: (payout.business_day, payout.payout_id))
    names = ("payout_id", "business_day", "due_day", "net_minor", "currency")
    return [{name: getattr(payout, name) for name in names} for payout in paid[:FIRST_PAYOUTS]]


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
