"""Where a payout goes: to one account, or each product to the account that is its own."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, NamedTuple

from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.money.agreed import Paying, PayoutAccounts


class Share(NamedTuple):
    """What of a payout goes to one account, in minor units; `account` is its masked number."""

    account_id: str
    account: str
    net_minor: int


class Destination(NamedTuple):
    """The account of the payout ("" where none is known, or nothing is paid) and why it is held instead.

    `of_lines` has an account for each of its lines where they go to several, and `shares` what each of those gets;
    then `account_id` is the one that gets most.
    """

    account_id: str = ""
    masked: str = ""
    hold_reasons: tuple[str, ...] = ()
    of_lines: tuple[str, ...] = ()
    shares: tuple[Share, ...] = ()

    def whole(self) -> Destination:
        """The same with everything to the account that gets most."""
        return self._replace(of_lines=(), shares=())


def destination_of(row: PayoutRow, day: date, accounts: PayoutAccounts) -> Destination:
    """Where a payout goes on `day`, product by product; held as a whole where one of its accounts cannot be paid.

    Below zero there is nothing to pay, so no account is asked. An account that would get less than nothing, because
    refunds outweigh the sales of its products, cannot be paid: then all goes to the account that gets most.
    """
    if row.net_minor < 0:
        return Destination()
    lines: list[dict[str, Any]] = json.loads(row.lines)
    products = list(dict.fromkeys(str(line.get("product", "")) for line in lines)) or [""]
    asked = {name: accounts.payout_account(row.merchant_id, name, day, row.net_minor) for name in products}
    reasons = dict.fromkeys(reason for paying in asked.values() for reason in paying.hold_reasons)
    if reasons:
        return Destination(hold_reasons=tuple(reasons))
    shares = _shares(lines, asked)
    most = max(shares, key=lambda share: share.net_minor, default=None) or _nothing(asked[products[0]])
    if len(shares) < 2 or any(share.net_minor < 0 for share in shares):
        return Destination(most.account_id, most.account)
    of_lines = tuple(asked[line["product"]].account_id for line in lines)
    return Destination(most.account_id, most.account, (), of_lines, tuple(shares))


def line_net_minor(line: dict[str, Any]) -> int:
    """What a line of a payout comes to, in minor units."""
    taken_minor = sum(int(line.get(name, 0)) for name in ("refunded_minor", "fees_minor", "charges_minor"))
    return int(line.get("captured_minor", 0)) - taken_minor


def _shares(lines: list[dict[str, Any]], asked: dict[str, Paying]) -> list[Share]:
    found: dict[str, Share] = {}
    for line in lines:
        paying = asked[str(line.get("product", ""))]
        before = found.get(paying.account_id) or _nothing(paying)
        found[paying.account_id] = before._replace(net_minor=before.net_minor + line_net_minor(line))
    return list(found.values())


def _nothing(paying: Paying) -> Share:
    return Share(paying.account_id, paying.masked, 0)
