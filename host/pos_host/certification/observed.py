"""One exchange as certification sees it: what the terminal sent, what it was told, and whether it can have heard it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from pos_host.exchanges import Exchange
from pos_host.ledger.entry import ADVICES, APPROVALS, VOIDS
from pos_specs.envelope import Framing
from pos_specs.errors import MessageError
from pos_specs.framing import Frame, Framer
from pos_specs.message import Message

UNHEARD = frozenset(
    {
        "no_reply",
        "drop_before_commit",
        "drop_after_commit",
        "reset",
        "late_reply",
        "swap_replies",
        "coalesce",
    }
)
"""Faults after which no answer came while the terminal waited for it."""

SPOILT = frozenset({"truncate", "corrupt", "bad_mac", "bad_length", "wrong_stan", "wrong_mti", "missing_field"})
"""Faults after which something came that a terminal must not take for its answer."""

TRADE = VOIDS | {"balance", "purchase", "refund", "cash_advance", "auth", "auth_void", "completion"}
"""What a terminal asks online for a cardholder, and what no reversal may wait behind."""

SETTLING = frozenset({"settlement", "batch_upload", "batch_upload_end"})
MANAGEMENT = frozenset({"sign_in", "sign_off", "echo", "parameters", "status"})
NOTICES = frozenset({"script_result", "tc_advice", "signature"})

RESPONSE_CODE, MAC, SECOND_MAC = 39, 64, 128


class Observed:
    """A request that could be read, and its answer.

    `heard` is "yes", "no" (a fault kept the answer away) or "spoilt" (a fault made it one that must not be believed);
    `again` the earlier request that this one repeats, None for a new one.
    """

    def __init__(self, exchange: Exchange, request: Message) -> None:
        self.exchange = exchange
        self.request = request
        self.fields: Mapping[int, str] = request.fields
        self.mti = request.mti
        self.function = exchange.function
        self.stan = request.fields.get(11, "")
        self.again: Observed | None = None
        self.heard = self._heard()

    def _heard(self) -> str:
        fault = self.exchange.fault
        if fault in UNHEARD or not self.exchange.reply:
            return "no"
        if fault == "bad_mac" and not self.has_mac:
            return "yes"  # who sends no MAC looks at none
        return "spoilt" if fault in SPOILT else "yes"

    @property
    def has_mac(self) -> bool:
        return MAC in self.fields or SECOND_MAC in self.fields

    @property
    def approved(self) -> bool:
        """What the host decided, whatever became of the answer; a code that only a rule put there counts."""
        dialect = self.exchange.language.dialect
        return self.exchange.outcome in APPROVALS and self.code in ("", dialect.outcomes["approved"], "10")

    @property
    def declined(self) -> bool:
        """Refused, and the terminal was told so."""
        return self.heard == "yes" and bool(self.code) and not self.approved

    @cached_property
    def reply_frame(self) -> Frame | None:
        """The frame of the answer as the host made it, before a fault."""
        return frame_in(self.exchange.language.dialect.framing, self.exchange.reply)

    @cached_property
    def reply(self) -> Message | None:
        """The answer as the host made it, None where there is none."""
        frame = self.reply_frame
        if frame is None:
            return None
        try:
            return self.exchange.language.decode(frame.body)
        except MessageError:
            return None

    @property
    def code(self) -> str:
        """The response code of the answer, "" where it has none."""
        return "" if self.reply is None else self.reply.fields.get(RESPONSE_CODE, "")

    @property
    def header_requirement(self) -> int:
        """What the header of the answer asks of the terminal; 0 for nothing."""
        frame = self.reply_frame
        if frame is None or self.heard != "yes":
            return 0
        return self.exchange.language.dialect.framing.envelope.header.requirement_of(frame.header)

    @property
    def amount_minor(self) -> int:
        text = self.fields.get(4, "")
        return int(text) if text.isdigit() else 0

    @property
    def is_trade(self) -> bool:
        return self.function in TRADE

    @property
    def is_advice(self) -> bool:
        return self.function in ADVICES

    @property
    def is_reversal(self) -> bool:
        return self.function == "reversal"

    @property
    def is_aside(self) -> bool:
        """What may go between an answer that was lost and its reversal: line and keys, notices, stored advices
        (PAX application: logon, echo and downloads; LiaoYang_POS: the script notice goes first)."""
        return self.function in MANAGEMENT or self.function in NOTICES or self.is_advice

    def repeats(self, earlier: Observed) -> bool:
        """Whether this is the same request once more: class, STAN, function, amount and card are equal."""
        mine, its = self.fields, earlier.fields
        same_class = self.mti[1] == earlier.mti[1] and self.stan == earlier.stan and self.function == earlier.function
        return same_class and mine.get(4) == its.get(4) and (mine.get(2), mine.get(35)) == (its.get(2), its.get(35))

    def __repr__(self) -> str:
        """Without elements: a repr ends in logs."""
        return f"Observed({self.function} {self.stan}, {self.heard})"


def frame_in(framing: Framing, data: bytes) -> Frame | None:
    """The first frame of what stands on the wire, None where there is none."""
    return next(iter(Framer(framing).receive_data(data)), None)
