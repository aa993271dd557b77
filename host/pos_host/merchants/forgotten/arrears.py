"""Whether a merchant owes the acquirer money, which is said before anything else is looked at."""

from __future__ import annotations

from pos_host.ledger.merchant import MERCHANT
from pos_host.ledger.records import body_of
from pos_host.ledger.registry import Registry
from pos_host.merchants.desk import Refused


def arrears_of(registry: Registry, merchant_id: str) -> str:
    """What the merchant owes, as one sentence; "" if nothing is known.

    Either its record says `arrears` (true, or a text), or what is still to be paid out comes to less than nothing in
    some currency.
    """
    row = registry.records.find(MERCHANT, merchant_id)
    flag = body_of(row).get("arrears") if row is not None else None
    if flag:
        return f"merchant {merchant_id} is in arrears{f': {flag}' if isinstance(flag, str) else ''}"
    owed: dict[str, int] = {}
    for payout in registry.payouts.of_merchant(merchant_id):
        owed[payout.currency] = owed.get(payout.currency, 0) + payout.net_minor
    short = [
        f"{-net_minor} minor units of currency {code}" for code, net_minor in sorted(owed.items()) if net_minor < 0
    ]
    return f"merchant {merchant_id} is in arrears: it owes {' and '.join(short)}" if short else ""


def refuse_in_arrears(registry: Registry, merchant_id: str) -> None:
    """Raises Refused where the merchant owes anything."""
    owes = arrears_of(registry, merchant_id)
    if owes:
        raise Refused("account_in_arrears", f"{owes}; nothing else is looked at before that is paid")
