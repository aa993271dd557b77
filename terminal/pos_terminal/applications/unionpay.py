"""The UnionPay terminal: batch number from the sign-in, totals in two halves, upload by half.

Source: unionpay.md 3 (messages), 4.1 (totals), 4.2 (settlement), 4.3 (uploaded records), 4.5 (reversals).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pos_specs.cards import organisation
from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.totals import BALANCED, NOT_BALANCED, Side, Totals, write_unionpay
from pos_terminal.applications.application import (
    CARD_SEQUENCE,
    REFUSED,
    Application,
    Books,
    DownloadCodes,
    Judgement,
    NoSuchTotals,
    UploadStep,
    sum_of,
)
from pos_terminal.applications.unionpay_upload import (
    DATED,
    HALVES,
    half_of,
    naming,
    original_part,
    upload_batch,
    upload_steps,
)
from pos_terminal.memory import Memory, Settlement, Unfinished
from pos_terminal.requests import Values
from pos_terminal.transaction import (
    ADDITIONAL,
    CHIP_OFFLINE,
    TIP,
    VOIDS,
    Transaction,
)

NAMING = frozenset({"refund", "completion_advice", "offline_purchase", "adjust"})
"""Advices and refunds name the card's organisation in DE63 (unionpay.md 2.4)."""

BY_TELEPHONE = "01"
"""61.4 of an offline purchase: authorised on the telephone (unionpay.md 2.2)."""

ADDED, FIRST = "60", "06"
"""DE25 of a pre-authorisation that adds to one, and of one that does not (unionpay.md 3)."""

OFFLINE_TYPE, CHIP_OFFLINE_TYPE, ADJUST_TYPE, TIP_TYPE = "30", "36", "32", "34"
"""60.1 of what was done offline (unionpay.md 2.1)."""

OPERATOR = "01 "
"""DE63 of sign-in and settlement: operator 01 (unionpay.md 2.4)."""

SIGNATURE, SIGNATURE_UPLOAD = "07", "800"
"""60.1 and 60.3 of an e-signature (unionpay.md 3)."""

STATUS = "011021031041051"
"""DE62 of a status upload: tags 01 to 05, keyboard, PIN pad, reader, printer and display (unionpay.md 2.3); that 1
says that one works is our choice."""

CAPABILITY = {"60.network_code": "000", "60.terminal_capability": "5", "60.ic_condition": "0"}
"""DE60 of financial messages: no management code, a reader for chip cards, none used."""


class UnionPay(Application):
    """Terminal behaviour of the UnionPay family."""

    downloads: Mapping[str, DownloadCodes] = {
        "parameters": DownloadCodes("", "360", "361"),
        "ca-keys": DownloadCodes("372", "370", "371"),
        "applications": DownloadCodes("382", "380", "381"),
    }
    approved = frozenset({"00", "10", "11", "A2", "A4", "A5", "A6"})
    reversible = frozenset({"purchase", "cash_advance", "auth", "completion", *VOIDS})
    advice_tries = 3  # what fails again is given up (unionpay.md 4.2); the count is that of reversals, our choice
    reversal_done = frozenset({"00", "12", "25"})
    reversal_tries = 3  # the resend count of tag 23; then the terminal gives up (unionpay.md 4.5)
    sign_in_again = frozenset({"77", "99", "A0"})
    batch_limit = 999  # N3 counts in DE48
    ends_balanced_batch = True

    def __init__(self, language: Language, totals_digits: int | None = None) -> None:
        super().__init__(language, totals_digits or 62)
        if self.totals_digits not in (62, 31):
            raise NoSuchTotals(f"UnionPay totals have 62 or 31 digits, not {totals_digits}")

    def hints(self, transaction: Transaction) -> dict[str, str]:
        if transaction.function == "auth":
            return {"25": ADDED if transaction.variety == ADDITIONAL else FIRST}
        if transaction.function == "offline_purchase":
            return {"60.message_type": CHIP_OFFLINE_TYPE if transaction.variety == CHIP_OFFLINE else OFFLINE_TYPE}
        if transaction.function == "adjust":
            return {"60.message_type": TIP_TYPE if transaction.variety == TIP else ADJUST_TYPE}
        return {}

    def transaction_extras(self, transaction: Transaction, memory: Memory) -> Values:
        extras = {"60.batch_number": transaction.batch_number, **CAPABILITY, **self.hints(transaction)}
        if transaction.partial:
            extras["60.partial_approval"] = "1"
        if transaction.original is None:
            extras |= self._without_original(transaction)
        else:
            extras |= {**self._card(transaction, memory), "38": transaction.original.approval_code}
            extras |= naming(transaction, transaction.original)
        if transaction.function in NAMING:
            extras["63"] = self._organisation(transaction)
        if transaction.by_chip:
            extras["23"] = CARD_SEQUENCE
        if transaction.tip_minor:
            extras["48"] = f"{transaction.tip_minor:012d}"
        return extras

    def reversal_extras(self, unfinished: Unfinished, memory: Memory) -> Values:
        """Without 26, 35, 36, 37 and 52; DE61 of a reversed void or completion names that one (unionpay.md 3, 4.5)."""
        transaction = unfinished.transaction
        extras = {
            "2": transaction.pan,
            "3": transaction.processing_code,
            "25": transaction.condition_code or "00",
            "38": transaction.approval_code,
            "39": unfinished.reason,
            "60.message_type": transaction.message_type,
            "60.batch_number": transaction.batch_number,
            **CAPABILITY,
            **self._not_swiped(transaction),
        }
        if transaction.original is not None and transaction.variety != ADDITIONAL:
            extras |= original_part(transaction.batch_number, transaction.stan)
            if transaction.function in DATED:
                extras["61.original_date"] = transaction.host_date or "0000"
        return extras

    def notice_extras(self, notice: Transaction, memory: Memory) -> Values:
        """The original's particulars, and the scripts' results in DE55 (unionpay.md 3, script notice)."""
        original = notice.original
        extras = {
            "2": notice.pan,
            "3": notice.processing_code,
            "4": f"{notice.amount_minor:012d}" if notice.amount_minor else "",
            "11": notice.stan,
            "22": notice.entry_mode,
            "23": CARD_SEQUENCE,
            "37": notice.rrn,
            "38": notice.approval_code,
            "49": notice.currency,
            "55": notice.icc,
            "60.message_type": "00",
            "60.batch_number": notice.batch_number,
            "60.terminal_capability": CAPABILITY["60.terminal_capability"],
            "60.ic_condition": CAPABILITY["60.ic_condition"],
        }
        if original is not None:
            extras |= original_part(original.batch_number, original.stan)
            extras |= {"61.original_date": original.date or "0000"}
        return extras

    def management_extras(self, function: str, memory: Memory, sent_at: str) -> Values:
        extras = {"60.batch_number": memory.batch_number}
        if function == "sign_in":
            extras["63"] = OPERATOR
        if function == "status":
            extras["62"] = STATUS.encode("ascii").hex().upper()
        return extras

    def signature_extras(self, signed: Transaction, picture: bytes, memory: Memory) -> Values:
        """DE15 is the date of the transaction's answer (unionpay.md 3, e-signature)."""
        return {
            "4": f"{signed.amount_minor:012d}",
            "11": signed.stan,
            "15": signed.host_date or signed.local_date,
            "37": signed.rrn,
            "60.message_type": SIGNATURE,
            "60.batch_number": signed.batch_number,
            "60.network_code": SIGNATURE_UPLOAD,
            "62": picture.hex().upper(),
        }

    def totals(self, log: Iterable[Transaction]) -> Totals:
        """A voided sale stays in debit, its void is credit; reversed ones count nowhere (unionpay.md 4.1).

        An adjust counts in the place of what it adjusts.
        """
        standing = [transaction for transaction in log if transaction.stands]
        totals: Totals = {}
        for half in HALVES:
            own = [transaction for transaction in standing if half_of(transaction) == half]
            totals[f"{half}_debit"] = sum_of(t for t in own if t.sells)
            totals[f"{half}_credit"] = sum_of(t for t in own if not t.sells)
        return totals

    def totals_of_books(self, books: Books) -> Totals:
        return {"domestic_debit": books.debit, "domestic_credit": books.credit}

    def books(self, log: Iterable[Transaction]) -> Books:
        """A void counts as what was given back, as in the totals."""
        standing = [transaction for transaction in log if transaction.stands]
        return Books(
            sum_of(t for t in standing if t.sells),
            sum_of(t for t in standing if not t.sells),
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
        return upload_steps(log, settlement)

    def ending(self, log: Sequence[Transaction], settlement: Settlement) -> UploadStep | None:
        sent = sum(step.records for step in self.upload_steps(log, settlement))
        code = "207" if settlement.balanced else "202"
        extras = {"48": f"{sent:04d}", **upload_batch(settlement, code)}
        return UploadStep("batch_upload_end", {"60.network_code": code}, extras, 0)

    def card_class_of(self, answer: Message) -> str:
        return answer.fields.get(63, "")[:3].strip()

    def batch_number_of(self, answer: Message) -> str | None:
        """Adopted when it is 1 to 999998 (unionpay.md 4.4)."""
        number = self.language.meaning("batch_number", answer)
        if number is None or not number.isdigit() or not 1 <= int(number) <= self.dialect.batch.last:
            return None
        return number

    def _without_original(self, transaction: Transaction) -> dict[str, str]:
        if transaction.function != "offline_purchase":
            return self._not_swiped(transaction)
        extras = {"2": transaction.pan, "14": transaction.expiry, "38": transaction.approval_code}
        if transaction.variety != CHIP_OFFLINE:
            extras |= original_part("0" * 6, "0" * 6)
            extras |= {"61.original_date": "0000", "61.auth_mode": BY_TELEPHONE, "61.auth_institution": "0" * 11}
        return extras

    def _organisation(self, transaction: Transaction) -> str:
        named = transaction.original.organisation if transaction.original is not None else ""
        return named or organisation(transaction.pan)

    def _card(self, transaction: Transaction, memory: Memory) -> dict[str, str]:
        """The card was read again for what comes later: its track, or its number when keyed in."""
        if transaction.function == "adjust":  # it is not: the customer has left
            return {"2": transaction.pan, "14": transaction.expiry}
        offers = self.offers(transaction, memory)
        return {number: offers[number] for number in ("2", "14", "35") if number in offers}

    def _not_swiped(self, transaction: Transaction) -> dict[str, str]:
        """The expiry of a number keyed in or read from a chip; the chip's own number."""
        if transaction.swiped:
            return {}
        return {"14": transaction.expiry, **({"23": CARD_SEQUENCE} if transaction.by_chip else {})}


def _together(totals: Totals) -> Totals:
    """Both halves in the first one: domestic and foreign settled together (unionpay.md 4.1)."""
    sides = {
        name: (totals[f"domestic_{name}"], totals.get(f"foreign_{name}", Side(0, 0))) for name in ("debit", "credit")
    }
    return {
        f"domestic_{name}": Side(a.count + b.count, a.amount_minor + b.amount_minor) for name, (a, b) in sides.items()
    }
