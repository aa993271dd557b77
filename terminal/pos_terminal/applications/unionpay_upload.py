"""The upload of a UnionPay batch: which record goes in which message, and in which order.

Source: unionpay.md 4.2 (steps a to g), 4.3 (DE48), 2.3 (DE62 of chip records), 2.2 (DE61).
"""

from __future__ import annotations

from collections.abc import Sequence

from pos_specs.cards import DOMESTIC, organisation
from pos_terminal.applications.application import CARD_SEQUENCE, UploadStep
from pos_terminal.memory import Settlement
from pos_terminal.transaction import ADDITIONAL, CERTIFIED, CHIP_OFFLINE, VOIDS, Original, Transaction

HALVES = ("domestic", "foreign")
UNKNOWN_ORGANISATION = "000"

RECORDS_PER_MESSAGE = 8
"""Records of one 0320/201: DE48 holds 322 digits (unionpay.md 4.3)."""

CAPTURED = frozenset({"purchase", "completion", *VOIDS})
"""What is uploaded as details, eight at a time; a chip sale goes with its certificate (unionpay.md 4.2, step c)."""

DATED = frozenset({"refund", "auth_void", "completion", "completion_advice", "completion_void", "adjust"})
"""What names its original with the date too (unionpay.md 2.2)."""

ARPC_ERROR = "05"
"""DE62 usage 7: the card did not accept the host's answer, the money was taken (unionpay.md 2.3)."""


def upload_steps(log: Sequence[Transaction], settlement: Settlement) -> list[UploadStep]:
    """Steps a to e of the halves that differ, f and g (chip records) of every batch; see `Application`."""
    standing = [t for t in log if t.stands]
    wanted = [t for t in standing if half_of(t) in settlement.halves]
    told = [t for t in wanted if t.function in ("offline_purchase", "adjust")]
    details = [t for t in wanted if t.function in CAPTURED and not _certified(t)]
    certified = [t for t in standing if _certified(t)]
    return [
        *(_advice(t, settlement) for t in told if t.variety != CHIP_OFFLINE),
        *(_advice(t, settlement) for t in told if t.variety == CHIP_OFFLINE),
        *(
            _details(details[start : start + RECORDS_PER_MESSAGE], settlement)
            for start in range(0, len(details), RECORDS_PER_MESSAGE)
        ),
        *(_advice(t, settlement) for t in wanted if t.function == "refund"),
        *(_advice(t, settlement) for t in wanted if t.function == "completion_advice"),
        *(_certificate(t, settlement) for t in certified if not t.chip_failed),
        *(_chip_failure(t, settlement) for t in certified if t.chip_failed),
    ]


def half_of(transaction: Transaction) -> str:
    """The half of the totals a transaction counts in: by the organisation the host named, else by the BIN.

    A chip's own purse is domestic whatever the card (unionpay.md 4.1).
    """
    if transaction.variety == CHIP_OFFLINE:
        return "domestic"
    named = transaction.organisation or organisation(transaction.pan)
    if named == DOMESTIC or (transaction.function == "refund" and named == UNKNOWN_ORGANISATION):
        return "domestic"
    return "foreign"


def upload_batch(settlement: Settlement, code: str) -> dict[str, str]:
    """DE60 of an upload message, `code` being 60.3."""
    return {
        "60.message_type": "00",
        "60.batch_number": settlement.batch_number,
        "60.network_code": code,
    }


def naming(transaction: Transaction, original: Original) -> dict[str, str]:
    """DE61; a pre-authorisation that adds to one names it by its approval code alone (unionpay.md 3)."""
    if transaction.variety == ADDITIONAL:
        return {}
    parts = original_part(original.batch_number, original.stan)
    if transaction.function in DATED:
        parts["61.original_date"] = original.date or "0000"
    return parts


def original_part(batch_number: str, stan: str) -> dict[str, str]:
    """The first two parts of DE61."""
    return {"61.original_batch_number": batch_number, "61.original_stan": stan}


def _details(details: Sequence[Transaction], settlement: Settlement) -> UploadStep:
    records = "".join(f"{_card_type(t)}{t.stan}{t.pan:0>20}{t.amount_minor:012d}" for t in details)
    extras = {"48": f"{len(details):02d}{records}", **upload_batch(settlement, "201")}
    return UploadStep("batch_upload", {"60.network_code": "201"}, extras, len(details))


def _advice(transaction: Transaction, settlement: Settlement) -> UploadStep:
    """A refund, offline sale, adjust or completion advice as it was sent (DE11 too)."""
    hints = {"60.network_code": "000", "60.message_type": transaction.message_type}
    extras = {
        "2": transaction.pan,
        "3": transaction.processing_code,
        "4": f"{transaction.amount_minor:012d}",
        "11": transaction.stan,
        "22": transaction.entry_mode,
        "23": CARD_SEQUENCE if transaction.by_chip else "",
        "25": transaction.condition_code or "00",
        "37": transaction.rrn,
        "38": transaction.approval_code,
        "48": f"{transaction.tip_minor:012d}" if transaction.tip_minor else "",
        "49": transaction.currency,
        "55": transaction.icc,
        "63": transaction.organisation or organisation(transaction.pan),
        "60.batch_number": settlement.batch_number,
        **hints,
    }
    if transaction.original is not None:
        extras |= naming(transaction, transaction.original)
    return UploadStep("batch_upload", hints, extras, 1)


def _certificate(transaction: Transaction, settlement: Settlement) -> UploadStep:
    """An approved chip transaction with its certificate, DE62 usage 6."""
    details = f"61{_card_type(transaction)}00{transaction.amount_minor:012d}{transaction.currency}"
    return _chip_record(transaction, settlement, "203" if settlement.balanced else "205", details)


def _chip_failure(transaction: Transaction, settlement: Settlement) -> UploadStep:
    """A chip transaction whose card refused the host's answer, DE62 usage 7."""
    advice = f"71{_card_type(transaction)}{ARPC_ERROR}{transaction.amount_minor:012d}{transaction.currency}20"
    return _chip_record(transaction, settlement, "204" if settlement.balanced else "206", advice)


def _chip_record(transaction: Transaction, settlement: Settlement, code: str, text: str) -> UploadStep:
    from pos_terminal.chip_card import for_upload

    extras = {
        "2": transaction.pan,
        "4": f"{transaction.amount_minor:012d}",
        "11": transaction.stan,
        "22": transaction.entry_mode,
        "23": CARD_SEQUENCE,
        "55": for_upload(transaction.icc),
        "62": text.encode("ascii").hex().upper(),
        **upload_batch(settlement, code),
    }
    return UploadStep("batch_upload", {"60.network_code": code}, extras, 1)


def _card_type(transaction: Transaction) -> str:
    """00 domestic, 01 foreign."""
    return f"{HALVES.index(half_of(transaction)):02d}"


def _certified(transaction: Transaction) -> bool:
    """Approved online by its chip: it is uploaded with its certificate."""
    return bool(transaction.icc) and transaction.function in CERTIFIED
