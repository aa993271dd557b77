"""Numbers of bank accounts and of people: checked by a rule that is data, and masked for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from pos_specs.card_number import luhn_valid
from pos_specs.checked_table import CheckedTable
from pos_specs.dialect_file import Place, SourcedTable, read_file

NUMBER_MOST = 34
"""Characters of a number that are looked at: an IBAN, the longest of all account numbers, has as many."""

SHOWN_DIGITS = 4
HIDDEN_LEAST = 4
"""A number of which less would stay hidden is hidden whole."""

_CHECKS = ("luhn", "none")


@dataclass(frozen=True, slots=True)
class AccountType:
    """A kind of account: how its numbers are checked, and whether a merchant may be paid to one."""

    name: str
    check: str
    shortest: int
    longest: int
    refused: bool


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank that can be paid to, and the types of account that it keeps."""

    code: str
    name: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountRules:
    """The banks by code and the types of account by name."""

    banks: Mapping[str, Bank]
    types: Mapping[str, AccountType]

    def number_fault(self, number: str, account_type: str) -> str:
        """Why `number` can be none of an account of that type, in words that follow a key's name and do not repeat it;
        "" where it can be one, or where nobody knows the type."""
        kind = self.types.get(account_type)
        if kind is None:
            return ""
        if not (number.isascii() and number.isdecimal() and kind.shortest <= len(number) <= kind.longest):
            return f"must have {kind.shortest} to {kind.longest} digits"
        if kind.check == "luhn" and not luhn_valid(number):
            return "has a wrong digit: its last one is the check digit of ISO/IEC 7812-1 (Luhn)"
        return ""

    def type_allowed(self, account_type: str, bank_code: str) -> bool:
        """Whether merchants are paid to accounts of that type at that bank; a bank nobody knows keeps every type."""
        kind, bank = self.types.get(account_type), self.banks.get(bank_code)
        return kind is not None and not kind.refused and (bank is None or account_type in bank.types)

    def types_at(self, bank_code: str) -> list[str]:
        """The types of account that merchants are paid to at a bank."""
        return [name for name in self.types if self.type_allowed(name, bank_code)]


def mask_number(number: str) -> str:
    """The last four characters of an account number behind stars; nothing but stars of a short one."""
    if len(number) < SHOWN_DIGITS + HIDDEN_LEAST:
        return "*" * len(number)
    return "*" * (len(number) - SHOWN_DIGITS) + number[-SHOWN_DIGITS:]


def mask_identity(number: str) -> str:
    """Stars for an identity number: its digits say where and when somebody was born."""
    return "*" * len(number)


@lru_cache(1)
def shipped_account_rules() -> AccountRules:
    """The rules of an acquirer that gave none; raises DialectError naming file, line and key."""
    file = read_file(resources.files("pos_host.merchants.accounts") / "account_numbers.toml")
    top = CheckedTable(SourcedTable(file.table, {(): Place(file, ())}), (), file.table)
    types = {kind.name: kind for kind in map(_type, top.tables("type"))}
    banks = {bank.code: bank for bank in (_bank(row, types) for row in top.tables("bank"))}
    top.done("account_numbers.toml, which has types and banks")
    return AccountRules(banks, types)


def _type(row: CheckedTable) -> AccountType:
    shortest = row.number("shortest", 1, NUMBER_MOST)
    kind = AccountType(
        name=row.text("name"),
        check=row.choice("check", _CHECKS),
        shortest=shortest,
        longest=row.number("longest", shortest, NUMBER_MOST),
        refused=row.flag("refused"),
    )
    row.done("a type of account")
    return kind


def _bank(row: CheckedTable, types: Mapping[str, AccountType]) -> Bank:
    bank = Bank(row.matching("code", "[0-9]{3}", "must be three digits"), row.text("name"), row.texts("types"))
    if unknown := [name for name in bank.types if name not in types]:
        raise row.fail("types", f"has {unknown[0]!r}, must be of {', '.join(types)}")
    row.done("a bank")
    return bank
