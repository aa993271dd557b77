"""The Hypercom terminal: totals in DE63, the whole batch uploaded on 95, a trailer after it.

Source: hypercom.md 2.3 (fields), 2.4 (DE60, DE63), 2.6 (behaviour), 2.7 (what counts).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.totals import Totals, write_hypercom
from pos_terminal.applications.application import (
    CARD_SEQUENCE,
    NII,
    REFUSED,
    Application,
    Books,
    DownloadCodes,
    Judgement,
    NoSuchTotals,
    UploadStep,
)
from pos_terminal.memory import Memory, Settlement, Unfinished
from pos_terminal.requests import Values
from pos_terminal.transaction import VOIDS, Original, Transaction

DIGITS_PER_GROUP = 15
"""Count n3 and amount n12."""

MORE_FOLLOWS = "1"
"""Last digit of an uploaded record's DE3 (hypercom.md 2.2)."""


class Hypercom(Application):
    """Terminal behaviour of the Hypercom family."""

    batch_limit = 999  # n3 counts in DE63
    downloads: Mapping[str, DownloadCodes] = {"parameters": DownloadCodes("", "", "")}

    def __init__(self, language: Language, totals_digits: int | None = None) -> None:
        groups = language.dialect.totals_groups
        super().__init__(language, totals_digits or DIGITS_PER_GROUP * len(groups))
        forms = [size * DIGITS_PER_GROUP for size in sorted({1, 2, 4, 6, len(groups)}) if size <= len(groups)]
        if self.totals_digits not in forms:
            raise NoSuchTotals(f"Hypercom totals have {forms} digits, not {totals_digits}")
        self._groups = groups[: (self.totals_digits or 0) // DIGITS_PER_GROUP]

    def hints(self, transaction: Transaction) -> dict[str, str]:
        """A pre-authorisation instead of an authorisation (hypercom.md 2.2)."""
        return {"3": "300000", "25": "06"} if transaction.function == "auth" else {}

    def transaction_extras(self, transaction: Transaction, memory: Memory) -> Values:
        extras = {"62": transaction.invoice, **self._foreign_currency(transaction), **self.hints(transaction)}
        if not transaction.swiped:
            extras["14"] = transaction.expiry
        if transaction.by_chip:
            extras["23"] = CARD_SEQUENCE
        if transaction.function == "offline_purchase":
            extras |= {"2": transaction.pan, "14": transaction.expiry, "38": transaction.approval_code}
        if transaction.original is not None and transaction.function != "refund":
            extras |= self._naming(transaction, transaction.original)
        return extras

    def reversal_extras(self, unfinished: Unfinished, memory: Memory) -> Values:
        """The original without track and PIN: the number stands for the track (hypercom.md 2.3)."""
        transaction = unfinished.transaction
        return {
            "2": transaction.pan,
            "3": transaction.processing_code,
            "14": transaction.expiry,
            "22": transaction.entry_mode,
            "23": CARD_SEQUENCE if transaction.by_chip else "",
            "24": NII,
            "25": transaction.condition_code or "00",
            "62": transaction.invoice,
            **self.by_number(self.identity(memory)),
            **self._foreign_currency(transaction),
        }

    def management_extras(self, function: str, memory: Memory, sent_at: str) -> Values:
        return {"24": NII, **self.by_number(self.identity(memory))}

    def totals(self, log: Iterable[Transaction]) -> Totals:
        """Voided and reversed transactions count in no group, nor do voids (hypercom.md 2.7).

        An adjust counts in the place of what it adjusts.
        """
        return self.totals_of_books(self.books(log))

    def totals_of_books(self, books: Books) -> Totals:
        return {"sales": books.debit, "refunds": books.credit}

    def settlement_extras(self, totals: Totals, memory: Memory, sent_at: str) -> Values:
        return {
            "24": NII,
            "60.batch_number": memory.batch_number,
            "63": write_hypercom(totals, self._groups),
        }

    def judge(self, answer: Message) -> Judgement:
        code = answer.fields.get(39, "")
        if code in self.approved:
            return Judgement("balanced")
        if code == self.dialect.outcomes.get("out_of_balance_send_batch"):
            return Judgement("send_batch", ("all",))
        return REFUSED

    def upload_steps(self, log: Sequence[Transaction], settlement: Settlement) -> list[UploadStep]:
        """Every sale and refund that counts, one message each; an adjusted sale as its adjust (hypercom.md 2.6)."""
        if not settlement.halves:
            return []
        return [
            self._record_step(transaction)
            for transaction in log
            if transaction.effective and transaction.function not in VOIDS
        ]

    def ending(self, log: Sequence[Transaction], settlement: Settlement) -> UploadStep | None:
        """The trailer, with the totals computed again from the log."""
        extras = {
            "24": NII,
            "60.batch_number": settlement.batch_number,
            "63": write_hypercom(self.totals(log), self._groups),
        }
        return UploadStep("batch_upload_end", {}, extras, 0)

    def judge_ending(self, answer: Message, settlement: Settlement) -> Judgement:
        """77 closes the batch out of balance; 95 again is treated as 77 (hypercom.md 2.6)."""
        code = answer.fields.get(39, "")
        if code in self.approved:
            return Judgement("balanced")
        outcomes = self.dialect.outcomes
        if code in (outcomes.get("out_of_balance"), outcomes.get("out_of_balance_send_batch")):
            return Judgement("out_of_balance")
        return REFUSED

    def notice_extras(self, notice: Transaction, memory: Memory) -> Values:
        """The certificate in DE55, the transaction named as an uploaded record names it (hypercom.md 2.2, 2.3)."""
        original = notice.original or Original()
        return {
            "2": notice.pan,
            "4": f"{notice.amount_minor:012d}",
            "11": notice.stan,
            "14": notice.expiry,
            "22": notice.entry_mode,
            "23": CARD_SEQUENCE,
            "24": NII,
            "25": notice.condition_code or "00",
            "37": notice.rrn,
            "38": notice.approval_code,
            "55": notice.icc,
            "62": notice.invoice,
            "60.original_mti": original.mti,
            "60.original_stan": original.stan,
            "60.original_rrn": f"{original.rrn:<12}",
        }

    def _record_step(self, transaction: Transaction) -> UploadStep:
        """An adjust stands under the STAN of the sale whose place it has taken (hypercom.md 2.6)."""
        named = transaction.as_original()
        if transaction.function == "adjust" and transaction.original is not None:
            named = transaction.original
        extras = {
            "2": transaction.pan,
            "3": transaction.processing_code[:5] + MORE_FOLLOWS,
            "4": f"{transaction.amount_minor:012d}",
            "12": transaction.host_time,
            "13": transaction.host_date,
            "14": transaction.expiry,
            "22": transaction.entry_mode,
            "24": NII,
            "25": transaction.condition_code or "00",
            "37": transaction.rrn,
            "38": transaction.approval_code,
            "62": transaction.invoice,
            "60.original_mti": named.mti,
            "60.original_stan": named.stan,
            "60.original_rrn": f"{named.rrn:<12}",
            **self._foreign_currency(transaction),
        }
        return UploadStep("batch_upload", {}, extras, 1)

    def _naming(self, transaction: Transaction, original: Original) -> dict[str, str]:
        """The card's number, the original's reference, and the amount it had before a void or an adjust."""
        named = {
            "2": transaction.pan,
            "14": transaction.expiry,
            "22": transaction.entry_mode,
            "25": "00" if transaction.function in VOIDS or transaction.function == "adjust" else "",
            "37": original.rrn,
            "38": original.approval_code,
        }
        if transaction.function == "adjust":
            named |= {"12": original.time or original.sent_at[4:], "13": original.date}
            named["60.original_amount"] = f"{original.amount_minor:012d}"
            named["54"] = f"{transaction.tip_minor:012d}" if transaction.tip_minor else ""
        elif transaction.function in VOIDS:
            named["60.original_amount"] = f"{transaction.amount_minor:012d}"
        return named

    def _foreign_currency(self, transaction: Transaction) -> dict[str, str]:
        """DE49 only where it is not the dialect's own: field lists of the family have none."""
        return {} if transaction.currency == self.dialect.currency else {"49": transaction.currency}
