"""The product a transaction is charged as, found by the dialect's words and the table of issuers' prefixes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from pos_host.money.fee_schedule import ENTRIES, FEE_PRODUCTS
from pos_specs.cards import LONGEST_PREFIX, organisation, pan_of_track2
from pos_specs.checked_table import CheckedTable
from pos_specs.dialect_file import Place, SourcedTable, read_file
from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.test_cards import PRODUCTS as ACCOUNTS
from pos_specs.test_cards import shipped_test_cards

ENTRY_MODE = 22
"""The element that says how the card was read, in every edition of the standard."""

WALLET_DIGITS = 2
"""What tells the wallet of a scanned code (unionpay.md 8a); no more of the code is looked at."""


_PREFIX = re.compile(rf"[0-9]{{1,{LONGEST_PREFIX}}}", re.ASCII)


class Payment(NamedTuple):
    """What a message says about how it is paid; "" where it says nothing.

    `entry` is one of ENTRIES, `issuer` the card's first digits, at most eight, `organisation` as DE63.1 names it,
    `account` is known without the table (a test card's row), `wallet` the first two digits of a scanned code.
    """

    entry: str = ""
    issuer: str = ""
    organisation: str = ""
    account: str = ""
    wallet: str = ""


@dataclass(frozen=True, slots=True)
class ProductTable:
    """What a file like `bin_products.toml` says; prefixes, accounts and words lead to what they stand for."""

    accounts: Mapping[str, str]
    unknown_account: str
    products: Mapping[str, str]
    wallets: Mapping[str, str]
    unknown_wallet: str
    quickpass_organisations: frozenset[str]
    quickpass_entries: frozenset[str]
    entries: Mapping[str, str]

    def account_of(self, issuer: str) -> str:
        """credit, debit or prepaid: what the longest known prefix of `issuer` says."""
        return _longest(self.accounts, issuer) or self.unknown_account

    def product_of(self, payment: Payment) -> str:
        """One of FEE_PRODUCTS."""
        if payment.wallet or (payment.entry == "qr" and not payment.issuer):
            return _longest(self.wallets, payment.wallet) or self.unknown_wallet
        if payment.entry in self.quickpass_entries and payment.organisation in self.quickpass_organisations:
            return "cloud_quickpass"
        return self.products[payment.account or self.account_of(payment.issuer)]

    def payment_of(self, language: Language, message: Message) -> Payment:
        """What the request `message` says of how it is paid, read with the words of its dialect."""
        pan = message.fields.get(2) or pan_of_track2(message.fields.get(35, ""))
        test_card = shipped_test_cards().get(pan)
        wallet = _wallet(language, message)
        return Payment(
            entry=self._entry(language, message) or ("qr" if wallet else ""),
            issuer=pan[:LONGEST_PREFIX],
            organisation=organisation(pan) if pan else "",
            account="" if test_card is None else test_card.product,
            wallet=wallet,
        )

    def _entry(self, language: Language, message: Message) -> str:
        """The first part of DE22 whose value the dialect has a known word for."""
        for name, value in (language.parts.of(message, ENTRY_MODE) or {}).items():
            words = language.dialect.value_text(f"{ENTRY_MODE}.{name}", value) if isinstance(value, str) else None
            entry = self.entries.get(words or "")
            if entry is not None:
                return entry
        return ""


def _longest(known: Mapping[str, str], digits: str) -> str | None:
    lengths = range(min(len(digits), LONGEST_PREFIX), 0, -1)
    return next((known[digits[:length]] for length in lengths if digits[:length] in known), None)


def _wallet(language: Language, message: Message) -> str:
    """The first digits of a scanned code, which stands as ASCII in binary elements."""
    code = language.meaning("wallet_code", message) or ""
    try:
        return bytes.fromhex(code[: 2 * WALLET_DIGITS]).decode("ascii")
    except ValueError:
        return ""


@lru_cache(maxsize=1)
def shipped_products() -> ProductTable:
    """The table of an acquirer that gave none."""
    return read_products(resources.files("pos_host.money") / "bin_products.toml")


def read_products(path: Path | Traversable) -> ProductTable:
    """The table in the TOML file at `path`; raises DialectError naming file, line and key."""
    file = read_file(path)
    top = CheckedTable(SourcedTable(file.table, {(): Place(file, ())}), (), file.table)
    accounts, wallets, quickpass = top.sub("accounts"), top.sub("wallets"), top.sub("quickpass")
    table = ProductTable(
        accounts=_prefixes(accounts, ACCOUNTS),
        unknown_account=accounts.choice("unknown", ACCOUNTS),
        products=_products(top.sub("products")),
        wallets=_prefixes(wallets, FEE_PRODUCTS),
        unknown_wallet=wallets.choice("unknown", FEE_PRODUCTS),
        quickpass_organisations=frozenset(quickpass.texts("organisations")),
        quickpass_entries=frozenset(_known(quickpass, "entries", ENTRIES)),
        entries=_leading_to(top.sub("entries"), ENTRIES),
    )
    for section, what in ((accounts, "accounts"), (wallets, "wallets"), (quickpass, "quickpass")):
        section.done(f"the section {what}")
    top.done("a table of products")
    return table


def _products(section: CheckedTable) -> dict[str, str]:
    """Every kind of account has a product."""
    products = {account: section.choice(account, FEE_PRODUCTS) for account in ACCOUNTS}
    section.done("the section products")
    return products


def _prefixes(section: CheckedTable, allowed: tuple[str, ...]) -> dict[str, str]:
    """Each prefix leads to the key it stands under; what is refused is not quoted, since it might be a whole number."""
    table = section.sub("prefixes")
    for key in allowed:
        for place, prefix in enumerate(table.texts(key), 1):
            if _PREFIX.fullmatch(prefix) is None:
                raise table.fail(key, f"entry {place} of the list is no prefix, which has 1 to {LONGEST_PREFIX} digits")
    return _leading_to(table, allowed)


def _leading_to(section: CheckedTable, allowed: tuple[str, ...]) -> dict[str, str]:
    """The lists of `section` turned round: each text leads to the key it stands under, and to no other."""
    found: dict[str, str] = {}
    for key in allowed:
        for text in section.texts(key):
            if text in found:
                raise section.fail(key, f"{text!r} stands under {found[text]} too")
            found[text] = key
    section.done("this section, which has " + ", ".join(allowed))
    return found


def _known(section: CheckedTable, key: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    values = section.texts(key)
    if unknown := [value for value in values if value not in allowed]:
        raise section.fail(key, f"has {unknown[0]!r}, known are {', '.join(allowed)}")
    return values
