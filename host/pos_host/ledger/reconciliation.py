"""Comparing the terminal's totals and records with the host's. The host's records stand; differences are told."""

from __future__ import annotations

from typing import Any

from pos_host.ledger.book import Batch, Transaction
from pos_host.ledger.group_totals import groups_of, totals_of
from pos_host.ledger.late_notices import is_told_late, was_adjusted_late
from pos_specs.totals import BALANCED, NOT_BALANCED, NOTHING, Side, Totals

Records = dict[str, dict[str, Any]]
"""Uploaded records by the STAN of the original."""


def unionpay_codes(batch: Batch, sent: Totals) -> tuple[str, str]:
    """Reconciliation codes of the domestic and the foreign half.

    When the foreign half is all zeros (or not sent), the sum of both is compared with the first half:
    such a terminal settles domestic and foreign cards together (unionpay.md 4.1 and 8a).
    """
    host = totals_of(batch)
    if all(sent.get(f"foreign_{side}", NOTHING) == NOTHING for side in ("debit", "credit")):
        both = all(
            _plus(host[f"domestic_{side}"], host[f"foreign_{side}"]) == sent[f"domestic_{side}"]
            for side in ("debit", "credit")
        )
        code = BALANCED if both else NOT_BALANCED
        return code, code if any(host[f"foreign_{side}"].count for side in ("debit", "credit")) else BALANCED
    domestic, foreign = (
        all(host[f"{half}_{side}"] == sent[f"{half}_{side}"] for side in ("debit", "credit"))
        for half in ("domestic", "foreign")
    )
    return BALANCED if domestic else NOT_BALANCED, BALANCED if foreign else NOT_BALANCED


def hypercom_balanced(batch: Batch, sent: Totals) -> bool:
    """Every group the terminal sent equals the host's; groups not sent are not compared (hypercom.md 2.7)."""
    return hypercom_agree(totals_of(batch), sent)


def hypercom_agree(host: Totals, sent: Totals) -> bool:
    """The same of the host's totals of several batches."""
    return all(host.get(name, NOTHING) == side for name, side in sent.items())


def iso87_balanced(batch: Batch, sent: Totals) -> bool:
    """The same as `iso87_agree`, of a batch."""
    return iso87_agree(totals_of(batch), sent)


def iso87_agree(host: Totals, sent: Totals) -> bool:
    """Debits and credits each net of their reversals are equal.

    Net, because a terminal whose answer was lost cannot know whether the host counts the transaction and
    its reversal, or neither.
    """
    return all(
        _minus(host[name], host[f"{name}_reversal"]) == _minus(sent[name], sent[f"{name}_reversal"])
        for name in ("debits", "credits")
    )


def iso87_counts_agree(host: Totals, sent: Totals) -> bool:
    """The same of the numbers of transactions alone."""
    return all(
        host[name].count - host[f"{name}_reversal"].count == sent[name].count - sent[f"{name}_reversal"].count
        for name in ("debits", "credits")
    )


def totals_together(batches: list[Batch]) -> Totals:
    """The host's totals of several batches of one terminal as one."""
    together: Totals = {}
    for batch in batches:
        for name, side in totals_of(batch).items():
            together[name] = _plus(together.get(name, NOTHING), side)
    return together


def totals_less(sent: Totals, settled: Totals) -> Totals:
    """What of the terminal's totals `settled` does not account for; below zero where it has less."""
    return {name: _minus(side, settled.get(name, NOTHING)) for name, side in sent.items()}


def with_records(uploads: Records, records: list[dict[str, Any]]) -> Records:
    """`uploads` and `records`: the same record again replaces itself, so nothing counts twice; one of a failed
    chip transaction, which moved no money, replaces none that did."""
    kept = dict(uploads)
    for record in records:
        if not record.get("failed") or record["stan"] not in kept:
            kept[record["stan"]] = record
    return kept


def differences(batch: Batch, *, complete: bool, uploads: Records | None = None) -> list[dict[str, Any]]:
    """Where the terminal's uploaded records and the host's differ, by STAN; [] when they agree.

    `complete` says that the upload has ended, so that what was never uploaded is a difference too;
    `uploads` stands in for the batch's own when records are judged before they are posted.
    """
    sent = batch.uploads if uploads is None else uploads
    records = _by_original(batch, {stan: record for stan, record in sent.items() if _is_compared(batch, stan, record)})
    standing = {tx.stan: tx for tx in batch.answers.values() if groups_of(batch.dialect, tx)}
    found: list[dict[str, Any]] = []
    for stan, record in records.items():
        found += _compare(record, standing.get(stan), batch.by_stan.get(stan))
    if complete:
        missing = [tx for tx in standing.values() if tx.stan not in records and _disputed(batch, tx)]
        missing = [tx for tx in missing if not was_adjusted_late(batch, tx)]
        found += [_difference("not_uploaded", tx.stan, None, tx) for tx in missing]
    return sorted(found, key=lambda item: (item["stan"], item["kind"]))


def _is_compared(batch: Batch, stan: str, record: dict[str, Any]) -> bool:
    """What moved no money is not, nor what the record itself brought into the books."""
    return not record.get("failed") and not is_told_late(batch, stan, record["amount_minor"])


def _by_original(batch: Batch, records: Records) -> Records:
    """The records by the STAN of what they tell of: an adjust's is that of the transaction it changed, and goes
    before the record of before."""
    adjusted = {batch.adjusts[stan].stan: record for stan, record in records.items() if stan in batch.adjusts}
    kept = {stan: record for stan, record in records.items() if stan not in batch.adjusts}
    return {**kept, **{stan: {**record, "stan": stan} for stan, record in adjusted.items()}}


def _disputed(batch: Batch, transaction: Transaction) -> bool:
    """Whether a complete upload must hold it: in UnionPay only what is of a disputed half (unionpay.md 4.2)."""
    halves = batch.settlement.get("disputed")
    return halves is None or groups_of(batch.dialect, transaction)[0].partition("_")[0] in halves


def _compare(record: dict[str, Any], expected: Transaction | None, known: Transaction | None) -> list[dict[str, Any]]:
    stan = record["stan"]
    if expected is None:
        return [_difference("unknown_to_host", stan, record, known)]
    if record.get("card_print") and expected.card_print and record["card_print"] != expected.card_print:
        return [
            _difference("unknown_to_host", stan, record, None),
            _difference("not_uploaded", stan, None, expected),
        ]
    if record["amount_minor"] != expected.amount_minor:
        return [_difference("amount_differs", stan, record, expected)]
    return []


def _difference(kind: str, stan: str, record: dict[str, Any] | None, transaction: Transaction | None) -> dict[str, Any]:
    terminal = None
    if record is not None:
        terminal = {"amount_minor": record["amount_minor"], "card": record.get("card", "")}
    host = None
    if transaction is not None:
        host = {
            "function": transaction.function,
            "amount_minor": transaction.amount_minor,
            "card": transaction.card,
            "rrn": transaction.rrn,
            "outcome": transaction.outcome,
            "reversed": transaction.reversed,
            "voided": transaction.voided,
        }
    return {"kind": kind, "stan": stan, "terminal": terminal, "host": host}


def _plus(left: Side, right: Side) -> Side:
    return Side(left.count + right.count, left.amount_minor + right.amount_minor)


def _minus(left: Side, right: Side) -> Side:
    return Side(left.count - right.count, left.amount_minor - right.amount_minor)
