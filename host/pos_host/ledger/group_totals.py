"""Which transaction counts in which group of the totals, by dialect; running sums kept from the same rule.

Sources: unionpay.md 4.1 (a voided sale stays in debit, its void goes to credit, authorisations count nowhere),
hypercom.md 2.7 (a voided sale and its void count nowhere, an adjusted one with its new amount), the issue and
hypercom.md 3.2 for ISO 1987 (reversals apart).
"""

from __future__ import annotations

from collections.abc import Mapping

from pos_host.ledger.book import Batch, Transaction
from pos_host.ledger.entry import AUTHORISING, SALES, VOIDS, Entry
from pos_specs.cards import DOMESTIC
from pos_specs.dialect import Dialect
from pos_specs.totals import ISO87_GROUPS, NOTHING, UNIONPAY_GROUPS, Side, Totals

_DEBIT_ACCOUNTS = ("10", "20")
"""DE3 account types of the Hypercom debit groups: savings and cheque (hypercom.md 2.7)."""


def groups_of(dialect: Dialect, transaction: Transaction) -> tuple[str, ...]:
    """The groups in which `transaction` counts once, with its amount, as it stands now."""
    return _RULES[dialect.totals_kind](transaction)


def totals_of(batch: Batch) -> Totals:
    """The host's totals of `batch`, every group of its dialect present."""
    names = batch.dialect.totals_groups or _NAMES[batch.dialect.totals_kind]
    return {name: batch.groups.get(name, NOTHING) for name in names}


def sides_of(kind: str, groups: Mapping[str, Side]) -> tuple[Side, Side]:
    """What the API calls debit and credit, over all groups of totals of that kind.

    Debit is sales, credit refunds; in UnionPay credit holds the voids too, beside sales that stay.
    """
    return _sum(groups, _DEBIT[kind]), _sum(groups, _CREDIT[kind])


def sides(batch: Batch) -> tuple[Side, Side]:
    """Debit and credit of a batch as it stands."""
    return sides_of(batch.dialect.totals_kind, batch.groups)


def has_money(batch: Batch) -> bool:
    """True when something captured stands in the batch; reversed transactions leave nothing behind."""
    debit, credit = sides(batch)
    return bool(debit.count or credit.count)


def count_in(batch: Batch, transaction: Transaction, sign: int) -> None:
    """Add (`sign` 1) or take away (−1) a transaction's share of the running totals."""
    groups = batch.groups
    amount_minor = sign * transaction.amount_minor
    for name in groups_of(batch.dialect, transaction):
        count, sum_minor = groups.get(name, NOTHING)
        groups[name] = Side(count + sign, sum_minor + amount_minor)


def _unionpay(transaction: Transaction) -> tuple[str, ...]:
    if not transaction.captured:
        return ()
    entry = transaction.entry
    domestic = entry.organisation == DOMESTIC
    if entry.kind in SALES:
        return ("domestic_debit",) if domestic else ("foreign_debit",)
    if entry.kind in AUTHORISING or _only_changes_another(entry):
        return ()
    if entry.kind in ("adjust", "refund_void"):
        return ("domestic_debit",) if domestic else ("foreign_debit",)
    domestic = domestic or (entry.kind == "refund" and entry.organisation == "000")
    return ("domestic_credit",) if domestic else ("foreign_credit",)


def _hypercom(transaction: Transaction) -> tuple[str, ...]:
    entry = transaction.entry
    if not transaction.captured or transaction.voided or _is_never_counted(entry):
        return ()
    kind = "debit_" if entry.account in _DEBIT_ACCOUNTS else ""
    return (f"{kind}refunds",) if entry.kind == "refund" else (f"{kind}sales",)


def _iso87(transaction: Transaction) -> tuple[str, ...]:
    entry = transaction.entry
    if not transaction.approved or _is_never_counted(entry):
        return ()
    name = "credits" if entry.kind == "refund" else "debits"
    return (name, f"{name}_reversal") if transaction.reversed or transaction.voided else (name,)


def _is_never_counted(entry: Entry) -> bool:
    """What counts by its effect on another transaction only, or not at all."""
    return entry.kind in VOIDS or entry.kind in AUTHORISING or _only_changes_another(entry)


def _only_changes_another(entry: Entry) -> bool:
    """An adjust whose original the host has: that one counts, with its new amount."""
    return entry.kind == "adjust" and bool(entry.original)


def _sum(groups: Mapping[str, Side], names: Mapping[str, int]) -> Side:
    """The named groups added up, each with its sign."""
    count = amount = 0
    for name, sign in names.items():
        side = groups.get(name)
        if side is not None:
            count += sign * side[0]
            amount += sign * side[1]
    return Side(count, amount)


_RULES = {"unionpay48": _unionpay, "hypercom63": _hypercom, "iso87": _iso87}
_NAMES: dict[str, tuple[str, ...]] = {
    "unionpay48": UNIONPAY_GROUPS,
    "hypercom63": ("sales", "refunds"),
    "iso87": ISO87_GROUPS,
}
_DEBIT: dict[str, dict[str, int]] = {
    "unionpay48": {"domestic_debit": 1, "foreign_debit": 1},
    "hypercom63": {"sales": 1, "debit_sales": 1, "authorised_sales": 1},
    "iso87": {"debits": 1, "debits_reversal": -1},
}
_CREDIT: dict[str, dict[str, int]] = {
    "unionpay48": {"domestic_credit": 1, "foreign_credit": 1},
    "hypercom63": {"refunds": 1, "debit_refunds": 1, "authorised_refunds": 1},
    "iso87": {"credits": 1, "credits_reversal": -1},
}
