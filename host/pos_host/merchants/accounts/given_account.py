"""The account that an application names, before it is sealed: never shown, not even by mistake."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from pos_host.merchants.accounts.account_numbers import NUMBER_MOST, AccountRules, mask_number
from pos_host.merchants.desk import Refused
from pos_host.merchants.free_text import plain_text

IDENTITY_MOST = 40
"""Characters of an identity number: passports and cards of all countries have fewer."""

HOLDER_MOST = 140
"""Characters of a holder's name: what a payment message has room for (ISO 20022 Max140Text)."""


class GivenAccount(NamedTuple):
    """Where somebody wants to be paid: `bank` its code, `expires_on` an ISO date or "" for never.

    `number` and `holder_identity` are secret and hide in `repr`.
    """

    number: str
    bank: str
    account_type: str
    holder: str
    holder_identity: str
    expires_on: str = ""

    def __repr__(self) -> str:
        return f"GivenAccount({mask_number(self.number)} at {self.bank})"


def checked(given: GivenAccount, rules: AccountRules) -> GivenAccount:
    """The account in its plain form (no spaces in its number); raises Refused (422) naming the key that is wrong.

    Only what can be no account at all is refused here; what the acquirer does not take is a blocker.
    """
    number = "".join(given.number.split()).replace("-", "")
    _need("number", number.isascii() and number.isalnum() and len(number) <= NUMBER_MOST, "letters and digits")
    identity = given.holder_identity.strip()
    _need("holder_identity", identity.isprintable() and 0 < len(identity) <= IDENTITY_MOST, "an identity number")
    holder = " ".join(given.holder.split())
    _need("holder", holder.isprintable() and 0 < len(holder) <= HOLDER_MOST, "a name")
    _need("bank", 0 < len(given.bank) <= IDENTITY_MOST and given.bank.isprintable(), "a bank's code")
    _need("account_type", given.account_type in rules.types, f"one of {', '.join(rules.types)}")
    _need("expires_on", not given.expires_on or is_date(given.expires_on), "a day such as 2030-12-31")
    return given._replace(number=number, holder_identity=identity, holder=plain_text("account.holder", holder))


def is_date(text: str) -> bool:
    """Whether `text` is an ISO date as people write it (2030-12-31)."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _need(key: str, good: bool, otherwise: str) -> None:
    if not good:
        raise Refused("invalid_account", f"account.{key}: must be {otherwise}", status=422)
