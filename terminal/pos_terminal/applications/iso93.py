"""The ISO 8583:1993 terminal: as in 1987, but DE12 has the date, DE24 says what a message is about, DE56 names the
original, DE39 is an action code of three digits, and the reconciliation is an advice (1520).

Source: hypercom.md 3.1 and 3.2, the functions of the dialect `iso93-ascii`; [GK] where a comment says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from pos_specs.message import Message
from pos_specs.totals import Totals
from pos_terminal.applications.application import REFUSED, Judgement
from pos_terminal.applications.iso87 import Iso87
from pos_terminal.memory import Memory, Unfinished
from pos_terminal.requests import Values
from pos_terminal.transaction import WITH_PIN, Original, Transaction

IN_BALANCE, OUT_OF_BALANCE = "500", "501"
"""Action codes that close the batch (hypercom.md 3.2)."""

ORIGINAL_AUTHORISATION, BALANCE_INQUIRY, FULL_REVERSAL = "100", "108", "400"
"""DE24 where the dialect's function asks for none in particular [GK]."""

SAME_AMOUNT, OTHER_AMOUNT = "201", "202"
"""DE24 of a completion: for what was authorised, or for another amount [GK]."""

REASONS = {"06": "4007", "98": "4021", "A0": "4002"}
"""DE25 of a reversal: the terminal could not finish, the answer did not come in time, something is wrong with it
[GK]; by the reasons that other dialects say in DE39."""

READ_BY = {"01": "6", "02": "2", "05": "5"}
"""Seventh character of DE22 by how the card was read: keyed in, magnetic stripe, chip [GK]."""

CAN_READ, CAN_ASK_PIN, KEEPS_NO_CARD, IN_A_SHOP, BOTH_PRESENT = "5", "1", "0", "1", "01"
"""The first six characters of DE22: chip reader, PIN pad, no card capture, attended, cardholder and card there [GK]."""

WRITES_CHIP, PRINTS_AND_SHOWS, PIN_OF_TWELVE = "3", "4", "C"
"""The last three characters of DE22 [GK]."""

NO_ACQUIRER = "00"
"""The end of DE56: two digits of length, and no acquirer behind them [GK]."""


class Iso93(Iso87):
    """Terminal behaviour with plain ISO 8583:1993."""

    approved = frozenset({"000", "001", "003", "800"})
    reversal_done = frozenset({"000", "400", "902", "914"})
    clock_lengths: Mapping[int, int] = {12: 12}
    clock_format = "%y%m%d%H%M%S"
    settlement_mti = "1520"

    def hints(self, transaction: Transaction) -> dict[str, str]:
        """DE24 where a function's own row leaves it open."""
        if transaction.function == "completion_advice":
            authorised = transaction.original.amount_minor if transaction.original is not None else 0
            return {"24": SAME_AMOUNT if authorised in (0, transaction.amount_minor) else OTHER_AMOUNT}
        code = {"balance": BALANCE_INQUIRY, "auth_void": ORIGINAL_AUTHORISATION}.get(transaction.function)
        return {} if code is None else {"24": code}

    def reversal_extras(self, unfinished: Unfinished, memory: Memory) -> Values:
        return {**super().reversal_extras(unfinished, memory), "24": FULL_REVERSAL}

    def settlement_extras(self, totals: Totals, memory: Memory, sent_at: str) -> Values:
        return {**super().settlement_extras(totals, memory, sent_at), "28": sent_at[:6]}

    def judge(self, answer: Message) -> Judgement:
        """Whatever is neither 500 nor 501 keeps the batch."""
        code = answer.fields.get(39, "")
        if code == IN_BALANCE:
            return Judgement("balanced")
        return Judgement("out_of_balance") if code == OUT_OF_BALANCE else REFUSED

    def clock_of(self, answer: Message) -> tuple[str, str]:
        moment = answer.fields.get(12, "")
        return moment[2:6], moment[6:]

    def _clock(self, sent_at: str) -> dict[str, str]:
        return {"7": sent_at[2:], "12": sent_at}

    def _circumstances(self, transaction: Transaction) -> dict[str, str]:
        with_pin = "1" if transaction.entry_mode.endswith(WITH_PIN) else "0"
        read_by = READ_BY.get(transaction.entry_mode[:2], "0")
        capabilities = f"{CAN_READ}{CAN_ASK_PIN}{KEEPS_NO_CARD}{IN_A_SHOP}{BOTH_PRESENT}"
        checked_by = "3" if with_pin == "1" else "0"  # the issuer
        return {"22": f"{capabilities}{read_by}{with_pin}{checked_by}{WRITES_CHIP}{PRINTS_AND_SHOWS}{PIN_OF_TWELVE}"}

    def _why(self, unfinished: Unfinished) -> dict[str, str]:
        return {"25": REASONS[unfinished.reason]}

    def _original(self, original: Original) -> dict[str, str]:
        return {
            "56.original_mti": original.mti or "1200",
            "56.original_stan": original.stan,
            "56.original_datetime": original.sent_at or "0" * 12,
            "56.original_acquirer": NO_ACQUIRER,
        }
