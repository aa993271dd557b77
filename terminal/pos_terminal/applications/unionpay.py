"""The UnionPay terminal: batch number from the sign-in, totals in two halves, upload by half.

Source: unionpay.md 3 (messages), 4.1 (totals), 4.2 (settlement), 4.3 (uploaded records), 4.5 (reversals).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pos_specs.cards import DOMESTIC, organisation
from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.totals import BALANCED, NOT_BALANCED, Side, Totals, write_unionpay
from pos_terminal.applications.application import (
    REFUSED,
    Application,
    Books,
    Judgement,
    NoSuchTotals,
    UploadStep,
    sum_of,
)
from pos_terminal.memory import Memory, Settlement, Unfinished
from pos_terminal.requests import Values
from pos_terminal.transaction import MANUAL, Transaction

OPERATOR = "01 "
"""DE63 of sign-in and settlement: operator 01 (unionpay.md 2.4)."""

CAPABILITY = {"60.network_code": "000", "60.terminal_capability": "5", "60.ic_condition": "0"}
"""DE60 of financial messages: no management code, a reader for chip cards, none used."""

RECORDS_PER_MESSAGE = 8
"""Records of one 0320/201: DE48 holds 322 digits (unionpay.md 4.3)."""

HALVES = ("domestic", "foreign")
UNKNOWN_ORGANISATION = "000"


class UnionPay(Application):
    """Terminal behaviour of the UnionPay family."""

    approved = frozenset({"00", "10", "11", "A2", "A4", "A5", "A6"})
    reversible = frozenset({"purchase", "purchase_void"})
    reversal_done = frozenset({"00", "12", "25"})
    reversal_tries = 3  # the resend count of tag 23; then the terminal gives up (unionpay.md 4.5)
    sign_in_again = frozenset({"77", "99", "A0"})
    batch_limit = 999  # N3 counts in DE48
    ends_balanced_batch = True

    def __init__(self, language: Language, totals_digits: int | None = None) -> None:
        super().__init__(language, totals_digits or 62)
        if self.totals_digits not in (62, 31):
            raise NoSuchTotals(f"UnionPay totals have 62 or 31 digits, not {totals_digits}")

    def transaction_extras(self, transaction: Transaction, memory: Memory) -> Values:
        batch = {"60.batch_number": transaction.batch_number, **CAPABILITY}
        original = transaction.original
        if original is None:
            return {**batch, **self._manual_expiry(transaction)}
        extras = {**batch, **self._card(transaction, memory), "38": original.approval_code}
        extras |= self._original_part(original.batch_number, original.stan)
        if transaction.function == "refund":
            extras |= {"61.original_date": original.date or "0000"}
            extras["63"] = original.organisation or organisation(transaction.pan)
        return {path: value for path, value in extras.items() if value}

    def reversal_extras(self, unfinished: Unfinished, memory: Memory) -> Values:
        """Without 26, 35, 36, 37 and 52; DE61 of a reversed void names the void (unionpay.md 3, 4.5)."""
        transaction = unfinished.transaction
        extras = {
            "2": transaction.pan,
            "3": transaction.processing_code,
            "25": "00",
            "38": transaction.approval_code,
            "39": unfinished.reason,
            "60.message_type": self._message_type(transaction.function),
            "60.batch_number": transaction.batch_number,
            **CAPABILITY,
            **self._manual_expiry(transaction),
        }
        if transaction.function == "purchase_void":
            extras |= self._original_part(transaction.batch_number, transaction.stan)
        return {path: value for path, value in extras.items() if value}

    def management_extras(self, function: str, memory: Memory, sent_at: str) -> Values:
        extras = {"60.batch_number": memory.batch_number}
        if function == "sign_in":
            extras["63"] = OPERATOR
        return extras

    def totals(self, log: Iterable[Transaction]) -> Totals:
        """A voided sale stays in debit, its void is credit; reversed ones count nowhere (unionpay.md 4.1)."""
        standing = [transaction for transaction in log if transaction.stands]
        totals: Totals = {}
        for half in HALVES:
            own = [transaction for transaction in standing if half_of(transaction) == half]
            totals[f"{half}_debit"] = sum_of(t for t in own if t.function == "purchase")
            totals[f"{half}_credit"] = sum_of(t for t in own if t.function != "purchase")
        return totals

    def totals_of_books(self, books: Books) -> Totals:
        return {"domestic_debit": books.debit, "domestic_credit": books.credit}

    def books(self, log: Sequence[Transaction]) -> Books:
        standing = [transaction for transaction in log if transaction.stands]
        return Books(
            sum_of(t for t in standing if t.function == "purchase"),
            sum_of(t for t in standing if t.function != "purchase"),
        )

    def settlement_extras(self, totals: Totals, memory: Memory, sent_at: str) -> Values:
        digits = self.totals_digits or 62
        if digits == 31:
            totals = _together(totals)
        return {
            "48": write_unionpay(totals, ("0", "0"), digits),
            "49": self.dialect.currency,
            "60.message_type": "00",
            "60.batch_number": memory.batch_number,
            "63": OPERATOR,
        }

    def judge(self, answer: Message) -> Judgement:
        """Digits 30 and 61 of DE48; anything but 1 and 2 keeps the batch, as does a refusing DE39."""
        totals = answer.fields.get(48, "")
        if answer.fields.get(39, "00") != "00" or len(totals) not in (31, 62):
            return REFUSED
        codes = totals[30::31]
        if set(codes) == {BALANCED}:
            return Judgement("balanced")
        if not set(codes) <= {BALANCED, NOT_BALANCED}:
            return REFUSED
        if len(codes) == 1:
            return Judgement("send_batch", HALVES)
        return Judgement("send_batch", tuple(h for h, c in zip(HALVES, codes, strict=True) if c == NOT_BALANCED))

    def upload_steps(self, log: Sequence[Transaction], settlement: Settlement) -> list[UploadStep]:
        """Sales and voids eight at a time, then each refund as it was; only of the halves that differ."""
        wanted = [t for t in log if t.stands and half_of(t) in settlement.halves]
        details = [t for t in wanted if t.function != "refund"]
        steps = [
            self._details_step(details[start : start + RECORDS_PER_MESSAGE], settlement)
            for start in range(0, len(details), RECORDS_PER_MESSAGE)
        ]
        return steps + [self._refund_step(t, settlement) for t in wanted if t.function == "refund"]

    def ending(self, log: Sequence[Transaction], settlement: Settlement) -> UploadStep | None:
        sent = sum(step.records for step in self.upload_steps(log, settlement))
        code = "207" if settlement.balanced else "202"
        extras = {"48": f"{sent:04d}", **self._upload_batch(settlement, code)}
        return UploadStep("batch_upload_end", {"60.network_code": code}, extras, 0)

    def card_class_of(self, answer: Message) -> str:
        return answer.fields.get(63, "")[:3].strip()

    def batch_number_of(self, answer: Message) -> str | None:
        """Adopted when it is 1 to 999998 (unionpay.md 4.4)."""
        number = self.language.meaning("batch_number", answer)
        if number is None or not number.isdigit() or not 1 <= int(number) <= self.dialect.batch.last:
            return None
        return number

    def _details_step(self, details: Sequence[Transaction], settlement: Settlement) -> UploadStep:
        records = "".join(f"{HALVES.index(half_of(t)):02d}{t.stan}{t.pan:0>20}{t.amount_minor:012d}" for t in details)
        extras = {"48": f"{len(details):02d}{records}", **self._upload_batch(settlement, "201")}
        return UploadStep("batch_upload", {"60.network_code": "201"}, extras, len(details))

    def _refund_step(self, refund: Transaction, settlement: Settlement) -> UploadStep:
        """The refund as it was sent (DE11 too), as an advice (unionpay.md 3, batch upload advice)."""
        original = refund.original
        hints = {"60.network_code": "000", "60.message_type": self._message_type("refund")}
        extras = {
            "2": refund.pan,
            "3": refund.processing_code,
            "4": f"{refund.amount_minor:012d}",
            "11": refund.stan,
            "22": refund.entry_mode,
            "25": "00",
            "37": refund.rrn,
            "38": refund.approval_code,
            "49": refund.currency,
            "63": refund.organisation or UNKNOWN_ORGANISATION,
            "60.batch_number": settlement.batch_number,
            **hints,
        }
        if original is not None:
            extras |= self._original_part(original.batch_number, original.stan)
            extras |= {"61.original_date": original.date or "0000"}
        return UploadStep("batch_upload", hints, {p: v for p, v in extras.items() if v}, 1)

    def _upload_batch(self, settlement: Settlement, code: str) -> dict[str, str]:
        return {
            "60.message_type": "00",
            "60.batch_number": settlement.batch_number,
            "60.network_code": code,
        }

    def _original_part(self, batch_number: str, stan: str) -> dict[str, str]:
        return {"61.original_batch_number": batch_number, "61.original_stan": stan}

    def _card(self, transaction: Transaction, memory: Memory) -> dict[str, str]:
        """The card was read again for a void or refund: its track, or its number when keyed in."""
        offers = self.offers(transaction, memory)
        return {number: offers[number] for number in ("2", "14", "35") if number in offers}

    def _manual_expiry(self, transaction: Transaction) -> dict[str, str]:
        return {"14": transaction.expiry} if transaction.entry_mode == MANUAL else {}

    def _message_type(self, function: str) -> str:
        """60.1 of a function, from the dialect's table."""
        rules = (rule for rule in self.dialect.functions if rule.name == function)
        patterns = next((rule.condition.patterns("60.message_type") for rule in rules), ())
        return patterns[0] if patterns else "00"


def half_of(transaction: Transaction) -> str:
    """The half of the totals a transaction counts in: by the organisation the host named, else by the BIN."""
    named = transaction.organisation or organisation(transaction.pan)
    if named == DOMESTIC or (transaction.function == "refund" and named == UNKNOWN_ORGANISATION):
        return "domestic"
    return "foreign"


def _together(totals: Totals) -> Totals:
    """Both halves in the first one: domestic and foreign settled together (unionpay.md 4.1)."""
    sides = {
        name: (totals[f"domestic_{name}"], totals.get(f"foreign_{name}", Side(0, 0))) for name in ("debit", "credit")
    }
    return {
        f"domestic_{name}": Side(a.count + b.count, a.amount_minor + b.amount_minor) for name, (a, b) in sides.items()
    }
