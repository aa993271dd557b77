"""The BASE24-POS terminal: as in ISO 8583:1987, but DE37 is its own number, DE90 names the original by that number, and
there are no voids: a reversal takes back.

Source: hypercom.md 3.3, the functions of the dialect `base24-pos`.
"""

from __future__ import annotations

from pos_specs.totals import Totals
from pos_terminal.applications.iso87 import Iso87
from pos_terminal.memory import Memory, Unfinished
from pos_terminal.requests import Values
from pos_terminal.transaction import Original, Transaction

HUNDREDTHS = "00"
"""The end of the original's time in DE90, which the terminal's clock does not tell."""


class Base24(Iso87):
    """Terminal behaviour with BASE24-POS."""

    def transaction_extras(self, transaction: Transaction, memory: Memory) -> Values:
        """A refund names no purchase: DE37 is the refund's own."""
        extras = {**super().transaction_extras(transaction, memory), **self._own_number(transaction.stan)}
        return {**extras, **self._merchant(memory), "17": transaction.local_date}

    def reversal_extras(self, unfinished: Unfinished, memory: Memory) -> Values:
        transaction = unfinished.transaction
        extras = {**super().reversal_extras(unfinished, memory), **self._own_number(transaction.stan)}
        return {**extras, **self._merchant(memory), "17": transaction.local_date}

    def management_extras(self, function: str, memory: Memory, sent_at: str) -> Values:
        """It is the line that signs in: no terminal is named (the dialect's `sign_in`)."""
        return {"7": sent_at}

    def settlement_extras(self, totals: Totals, memory: Memory, sent_at: str) -> Values:
        return {**super().settlement_extras(totals, memory, sent_at), **self._merchant(memory)}

    def _merchant(self, memory: Memory) -> dict[str, str]:
        """DE42, which the captured message lacks: without it a host knows enrolled terminals only. Our choice."""
        return {path: value for path, value in self.by_number(self.identity(memory)).items() if path == "42"}

    def _own_number(self, stan: str) -> dict[str, str]:
        """DE37 made of the STAN, which is the same in the reversal."""
        return {"37": f"{stan:0>12}"}

    def _original(self, original: Original) -> dict[str, str]:
        date, time = original.sent_at[:4] or "0000", original.sent_at[4:] or "0" * 6
        return {
            "90.original_mti": original.mti or "0200",
            "90.original_rrn": f"{original.stan:0>12}",
            "90.original_date": date,
            "90.original_time": f"{time}{HUNDREDTHS}",
            "90.original_capture_date": date,
            "90.filler": " " * 10,
        }
