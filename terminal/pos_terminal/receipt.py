"""The slip a terminal prints, as text, the card number masked."""

from __future__ import annotations

from pos_specs.currencies import find_currency, show_amount
from pos_specs.masking import mask_pan
from pos_terminal.memory import Memory
from pos_terminal.transaction import VOIDS, Transaction

WIDTH = 32
"""Characters of a 58 mm paper roll."""

TITLES = {
    "purchase": "SALE",
    "purchase_void": "VOID",
    "refund": "REFUND",
    "refund_void": "REFUND VOID",
    "cash_advance": "CASH ADVANCE",
    "auth": "PRE-AUTHORISATION",
    "auth_void": "PRE-AUTHORISATION VOID",
    "completion": "COMPLETION",
    "completion_advice": "COMPLETION",
    "completion_void": "COMPLETION VOID",
    "offline_purchase": "OFFLINE SALE",
    "adjust": "ADJUSTED SALE",
    "balance": "BALANCE",
}


def slip(transaction: Transaction, memory: Memory, code: str, meaning: str) -> str:
    """The receipt of one transaction, approved or declined."""
    currency = find_currency(transaction.currency)
    gives_back = transaction.function in VOIDS or transaction.function == "refund"
    rows = [
        TITLES.get(transaction.function, transaction.function.upper()).center(WIDTH).rstrip(),
        _row("Merchant", memory.merchant_id),
        _row("Terminal", memory.terminal_id),
        _row("Card", mask_pan(transaction.pan)),
        _row("Date", _date(transaction)),
        _row("Batch", transaction.batch_number),
        _row("Trace", transaction.stan),
        _row("Invoice", transaction.invoice),
        _row("Reference", transaction.rrn),
        _row("Approval", transaction.approval_code),
    ]
    if transaction.original is not None:
        rows.append(_row("Original trace", transaction.original.stan))
    rows.append("-" * WIDTH)
    if transaction.tip_minor:
        rows.append(_row("Tip", f"{currency.code} {show_amount(transaction.tip_minor, currency)}"))
    if transaction.amount_minor:
        amount_minor = -transaction.amount_minor if gives_back else transaction.amount_minor
        rows.append(_row("Amount", f"{currency.code} {show_amount(amount_minor, currency)}"))
    rows.append(_row(f"Answer {code}", meaning))
    return "\n".join(row for row in rows if row)


def _row(name: str, value: str) -> str:
    """Name left, value right; nothing for an empty value; a long value on a line of its own."""
    if not value:
        return ""
    gap = WIDTH - len(name) - len(value)
    return f"{name}{' ' * gap}{value}" if gap > 0 else f"{name}\n{value:>{WIDTH}}"


def _date(transaction: Transaction) -> str:
    """The host's date and time where it gave them, else the terminal's: MM-DD hh:mm:ss."""
    date = transaction.host_date or transaction.local_date
    time = transaction.host_time or transaction.local_time
    return f"{date[:2]}-{date[2:]} {time[:2]}:{time[2:4]}:{time[4:]}"
