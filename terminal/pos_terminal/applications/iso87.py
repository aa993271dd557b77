"""The ISO 8583:1987 terminal: reconciliation by DE74 to DE97, no upload; the host numbers the batches.

Source: hypercom.md 3.2, the functions of the dialect `iso87-ascii`.
"""

from __future__ import annotations

from collections.abc import Iterable

from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.totals import Totals, write_iso87
from pos_terminal.applications.application import (
    CARD_SEQUENCE,
    REFUSED,
    Application,
    Books,
    Judgement,
    NoSuchTotals,
    sum_of,
)
from pos_terminal.memory import Memory, Unfinished
from pos_terminal.requests import Values
from pos_terminal.transaction import Original, Transaction

IN_BALANCE, OUT_OF_BALANCE = "1", "2"
"""DE66 of the answer; both close the batch."""


class Iso87(Application):
    """Terminal behaviour with plain ISO 8583:1987."""

    reversal_done = frozenset({"00", "12", "25"})
    reversal_tries = 3  # our choice, as in UnionPay: a host that refuses it thrice will not take it
    uploads = False
    names_batch = False

    def __init__(self, language: Language, totals_digits: int | None = None) -> None:
        super().__init__(language)
        if totals_digits is not None:
            raise NoSuchTotals("the totals of this dialect have one form only")

    def hints(self, transaction: Transaction) -> dict[str, str]:
        """DE25 tells a completion from an offline sale, and goes with its pre-authorisation."""
        return {"25": "06"} if transaction.function in ("auth", "completion_advice") else {}

    def transaction_extras(self, transaction: Transaction, memory: Memory) -> Values:
        extras = self._clock(transaction.sent_at) | {
            "14": transaction.expiry,
            "23": CARD_SEQUENCE if transaction.by_chip else "",
            "49": transaction.currency,
            **self._circumstances(transaction),
            **self.hints(transaction),
        }
        if transaction.function == "offline_purchase":
            extras |= {"2": transaction.pan, "38": transaction.approval_code}
        original = transaction.original
        if original is not None:
            extras |= {"2": transaction.pan, "37": original.rrn}
            if transaction.function != "refund":
                extras |= {"38": original.approval_code, **(self._original(original) if original.stan else {})}
        return extras

    def reversal_extras(self, unfinished: Unfinished, memory: Memory) -> Values:
        """DE90 names the transaction being reversed, also when that is a void."""
        transaction = unfinished.transaction
        return {
            "2": transaction.pan,
            "3": transaction.processing_code,
            "14": transaction.expiry,
            "23": CARD_SEQUENCE if transaction.by_chip else "",
            "38": transaction.approval_code,
            "49": transaction.currency,
            **self._circumstances(transaction),
            **self._why(unfinished),
            **self._clock(transaction.sent_at),
            **self._original(transaction.as_original()),
        }

    def management_extras(self, function: str, memory: Memory, sent_at: str) -> Values:
        return {**self._clock(sent_at), **self.by_number(self.identity(memory))}

    def totals(self, log: Iterable[Transaction]) -> Totals:
        """Credits are refunds, debits sales; what was voided, reversed or adjusted counts again as a reversal."""
        log = list(log)
        sold = [t for t in log if t.sells]
        refunded = [t for t in log if t.function == "refund"]
        return {
            "credits": sum_of(refunded),
            "credits_reversal": sum_of(t for t in refunded if not t.effective),
            "debits": sum_of(sold),
            "debits_reversal": sum_of(t for t in sold if not t.effective),
        }

    def totals_of_books(self, books: Books) -> Totals:
        return {"credits": books.credit, "debits": books.debit}

    def settlement_extras(self, totals: Totals, memory: Memory, sent_at: str) -> Values:
        amounts = {str(number): value for number, value in write_iso87(totals).items()}
        return {**self._clock(sent_at), "50": self.dialect.currency, **amounts}

    def judge(self, answer: Message) -> Judgement:
        if answer.fields.get(39) not in self.approved:
            return REFUSED
        code = answer.fields.get(66, "")
        if code == IN_BALANCE:
            return Judgement("balanced")
        return Judgement("out_of_balance") if code == OUT_OF_BALANCE else REFUSED

    def _clock(self, sent_at: str) -> dict[str, str]:
        """DE7, 12 and 13 from one clock, so that DE90 of a later message fits whichever the host keeps."""
        return {"7": sent_at, "12": sent_at[4:], "13": sent_at[:4]}

    def _circumstances(self, transaction: Transaction) -> dict[str, str]:
        """How the card was read, and under which condition."""
        return {"22": transaction.entry_mode, "25": transaction.condition_code or "00"}

    def _why(self, unfinished: Unfinished) -> dict[str, str]:
        """The reason of a reversal."""
        return {"39": unfinished.reason}

    def _original(self, original: Original) -> dict[str, str]:
        return {
            "90.original_mti": original.mti or "0200",
            "90.original_stan": original.stan,
            "90.original_datetime": original.sent_at or "0" * 10,
            "90.original_acquirer": "0" * 11,
            "90.original_forwarder": "0" * 11,
        }
