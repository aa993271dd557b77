"""Vouchers: the slips handed in for a batch that its terminal cannot settle, and how they compare with the books."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from pos_host.ledger.book import Batch, Transaction
from pos_host.ledger.entry import AUTHORISING, VOIDS
from pos_host.merchants.desk import Refused
from pos_host.settlement.business_day import local_datetime
from pos_host.settlement.policy import Policy
from pos_specs.currencies import MOST_AMOUNT_MINOR, MoneyError, find_currency, parse_amount

VOUCHERS_MOST = 1_000
"""Slips in one application: a full day of a busy till; a batch with more is settled by its terminal or the host."""

SLIP_MOST_CHARACTERS = 2_000
"""A slip has some twenty lines of 32 characters; a longer text is something else."""

DATE_SLACK_DAYS = 1
"""By so much the date on a slip may be off: terminals whose host gives no date print their own clock's."""

_ROWS = {"Trace": "receipt", "Invoice": "invoice", "Reference": "rrn", "Date": "date", "Amount": "amount"}
"""The rows of a slip of `pos-terminal --receipt` that matter, and what each of them is."""

_LEAP_YEAR = 2024
"""Any year that has a 29 February."""


class Voucher(NamedTuple):
    """One slip. `receipt` is the terminal's number of the transaction (STAN, six digits), `invoice` its invoice number,
    `rrn` the host's reference; "" for what it does not say. `date` is MM-DD, local."""

    receipt: str
    invoice: str
    rrn: str
    amount_minor: int
    date: str


class Comparison(NamedTuple):
    """What the vouchers say beside the books: how many fit, which transactions have none (`missing`), and which
    vouchers fit nothing (`mismatched`, each with its place from 1 on and its reasons)."""

    matched: int
    missing: tuple[dict[str, Any], ...]
    mismatched: tuple[dict[str, Any], ...]

    @property
    def complete(self) -> bool:
        """Whether every transaction has its voucher, and every voucher its transaction."""
        return not self.missing and not self.mismatched


def read_vouchers(handed_in: Sequence[dict[str, Any]], currency: str) -> tuple[Voucher, ...]:
    """Vouchers as they were handed in: each either `slip` (its text) or its rows `receipt` (or `stan`) or
    `rrn`, `amount_minor` and `date`; `currency` (number or letters) is that of the batch.

    Raises Refused naming the place of the first that cannot be read, never what it held: it may hold a card number.
    """
    if not 0 < len(handed_in) <= VOUCHERS_MOST:
        raise Refused("vouchers_missing", f"an application needs 1 to {VOUCHERS_MOST} vouchers", status=422)
    vouchers = []
    for place, given in enumerate(handed_in, 1):
        try:
            vouchers.append(read_slip(given["slip"], currency) if given.get("slip") else _from_rows(given))
        except ValueError as error:
            raise Refused("voucher_unreadable", f"voucher {place}: {error}", status=422, voucher=place) from None
    return tuple(vouchers)


def read_slip(text: str, currency: str) -> Voucher:
    """The voucher in the text of a slip; raises ValueError saying which row is missing or cannot be read."""
    if len(text) > SLIP_MOST_CHARACTERS:
        raise ValueError(f"a slip has at most {SLIP_MOST_CHARACTERS} characters")
    rows = _rows_of(text)
    if "amount" not in rows:
        raise ValueError("the slip has no row Amount")
    return _from_rows({**rows, "amount_minor": _amount_minor(rows["amount"], currency)})


def _rows_of(text: str) -> dict[str, str]:
    """The rows by name; a value too long for its row stands alone on the next."""
    rows: dict[str, str] = {}
    waiting = ""
    for line in text.splitlines():
        name, _, value = line.strip().partition(" ")
        if waiting and not value.strip():
            rows[waiting], waiting = name, ""
        elif name in _ROWS and value.strip():
            rows[_ROWS[name]] = value.strip()
        else:
            waiting = _ROWS.get(name, "") if not value.strip() else ""
    return rows


def _amount_minor(written: str, currency: str) -> int:
    """`CNY -1,234.56` in minor units, without its sign: the books know which way the money went."""
    letters, _, amount = written.partition(" ")
    try:
        found = find_currency(letters)
        if currency and found.number != find_currency(currency).number:
            raise ValueError("its amount is not in the currency of the batch")
        return parse_amount(amount.strip().lstrip("-").replace(",", ""), found)
    except MoneyError:
        raise ValueError("its row Amount is not a currency and an amount") from None


def _from_rows(given: dict[str, Any]) -> Voucher:
    receipt, invoice = _digits(given, "receipt", 6) or _digits(given, "stan", 6), _digits(given, "invoice", 6)
    rrn = str(given.get("rrn") or "")
    if re.fullmatch("[0-9A-Za-z]{0,12}", rrn, re.ASCII) is None:
        raise ValueError("rrn must be at most twelve letters and digits")
    if not (receipt or invoice or rrn):
        raise ValueError("it needs a receipt number or an rrn")
    amount_minor = given.get("amount_minor")
    if not isinstance(amount_minor, int) or not 0 < amount_minor <= MOST_AMOUNT_MINOR:
        raise ValueError("amount_minor must be above zero and have at most twelve digits")
    return Voucher(receipt, invoice, rrn, amount_minor, _month_and_day(str(given.get("date") or "")))


def _digits(given: dict[str, Any], name: str, width: int) -> str:
    value = str(given.get(name) or "")
    if re.fullmatch(f"[0-9]{{0,{width}}}", value, re.ASCII) is None:
        raise ValueError(f"{name} must be at most {width} digits")
    return value.zfill(width) if value else ""


def _month_and_day(written: str) -> str:
    """`MM-DD` of a date such as `2026-03-02`, `03-02` or `03-02 20:15:00`."""
    found = re.match(r"(?:[0-9]{4}-)?([0-9]{2}-[0-9]{2})(?:[ T]|$)", written, re.ASCII)
    try:
        if found is not None:
            date.fromisoformat(f"{_LEAP_YEAR}-{found[1]}")
            return found[1]
    except ValueError:
        pass
    raise ValueError("date must be a date such as 2026-03-02 or 03-02")


# -- beside the books


def compare(vouchers: Iterable[Voucher], batch: Batch, policy: Policy) -> Comparison:
    """Vouchers beside the transactions of `batch`; dates are the merchant's local ones."""
    shown: set[str] = set()
    mismatched = []
    matched = 0
    for place, voucher in enumerate(vouchers, 1):
        transaction = _named(voucher, batch)
        reasons = ["unknown_to_host"] if transaction is None else _reasons(voucher, transaction, policy)
        if transaction is not None and transaction.key in shown:
            reasons.append("handed_in_twice")
        if reasons:
            named = {"receipt": voucher.receipt or voucher.invoice, "rrn": voucher.rrn}
            mismatched.append({"voucher": place, **named, "amount_minor": voucher.amount_minor, "reasons": reasons})
        elif transaction is not None:
            matched += 1
            shown |= {transaction.key, transaction.original} if transaction.function == "adjust" else {transaction.key}
    missing = [_told(t) for t in batch.answers.values() if _needs_voucher(t) and t.key not in shown]
    return Comparison(matched, tuple(missing), tuple(mismatched))


def _named(voucher: Voucher, batch: Batch) -> Transaction | None:
    if voucher.rrn:
        return batch.by_rrn.get(voucher.rrn)
    if voucher.receipt in batch.by_stan:
        return batch.by_stan[voucher.receipt]
    return batch.by_invoice.get(voucher.invoice or voucher.receipt)


def _reasons(voucher: Voucher, transaction: Transaction, policy: Policy) -> list[str]:
    """Why the voucher does not fit the transaction that it names."""
    reasons = []
    if not transaction.approved:
        reasons.append("declined")
    elif transaction.reversed:
        reasons.append("reversed")
    if voucher.amount_minor not in (transaction.amount_minor, transaction.entry.amount_minor):
        reasons.append("amount_differs")
    if voucher.receipt and voucher.receipt not in (transaction.stan, transaction.entry.invoice):
        reasons.append("receipt_differs")
    if not _same_day(voucher.date, local_datetime(policy, transaction.entry.at_ms).date()):
        reasons.append("date_differs")
    return reasons


def _same_day(month_and_day: str, day: date) -> bool:
    around = (day + timedelta(days=shift) for shift in range(-DATE_SLACK_DAYS, DATE_SLACK_DAYS + 1))
    return month_and_day in [f"{near:%m-%d}" for near in around]


def _needs_voucher(transaction: Transaction) -> bool:
    """What still moves money; a sale and its void, or its reversal, move none together."""
    function = transaction.function
    if function in AUTHORISING or function in VOIDS or (function == "adjust" and transaction.original):
        return False
    return transaction.captured and not transaction.voided


def _told(transaction: Transaction) -> dict[str, Any]:
    return {
        "function": transaction.function,
        "receipt": transaction.stan,
        "rrn": transaction.rrn,
        "amount_minor": transaction.amount_minor,
        "card": transaction.card,
    }
