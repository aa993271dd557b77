"""What the rules said about one request, and the three places of its way where that acts: decision, answer, sending."""

from __future__ import annotations

import json
from random import Random

from pos_host.clock import Clock, Instant
from pos_host.handlers.posting_entry import decline, values_of
from pos_host.ledger.book import Book
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import ADVICES, APPROVALS, FINANCIAL
from pos_host.logs import Logger
from pos_host.rules.damage import Answer, damaged
from pos_host.rules.errors import RuleFailed
from pos_host.rules.fault_kinds import Fault
from pos_host.rules.outlet import Outlet
from pos_host.rules.replies import Reply, approved_minor, approves
from pos_host.rules.templates import Scene
from pos_host.security.guard import signed
from pos_host.security.message_keys import Signature
from pos_host.session import Session
from pos_host.transaction.request import Request
from pos_specs.dialect import Dialect, FunctionRule
from pos_specs.errors import FramingError, MessageError
from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.tlv import build_tlv
from pos_specs.vocabulary import CARD_OUTCOMES, DECLINED_BY_RULE

log = Logger("pos_host.rules")

DECLINED = (FINANCIAL - ADVICES) | {"sign_in", "sign_off", "echo", "parameters", "status", "balance"}
"""Functions that a refusing code makes the host decline. Of all others, which tell what has happened, the code on the
wire lies and the books do not."""

PART_APPROVED = frozenset({"purchase", "cash_advance"})
"""Functions of which a rule may have a part approved."""

RESPONSE_CODE, ICC_DATA = 39, 55


class Ruling:
    """What is to be done to one request: `rules` are the ids of the rules that act, none where none does.

    `code` is the response code of the wire, "" for the host's own.
    """

    __slots__ = ("_dice", "code", "fault", "reply", "rules")

    def __init__(self, rules: tuple[str, ...], reply: Reply | None, code: str, fault: Fault | None, dice: str) -> None:
        self.rules = rules
        self.reply = reply
        self.code = code
        self.fault = fault
        self._dice = dice

    @property
    def drops_undecided(self) -> bool:
        """Whether the connection is to be closed before anything is decided."""
        return self.fault is not None and self.fault.kind.acts == "undecided"

    @property
    def fault_name(self) -> str:
        """The kind of the fault, "" where there is none."""
        return "" if self.fault is None else self.fault.kind.name

    # -- decision

    def decided(self, request: Request, book: Book, decision: Decision, now: Instant) -> Decision:
        """The decision under the rule's response code: an approval becomes a decline, or the approval of a part.

        What was decided before (a repeat), what the host declines itself, advices, reversals and settlements stay.
        """
        if not self.code or decision.outcome not in APPROVALS or decision.reason == "repeat":
            return decision
        dialect, function = request.language.dialect, request.rule
        if self.code == dialect.outcomes.get("partially_approved"):
            return self._partly(request, decision)
        if request.function not in DECLINED or approves(self.code, dialect, function):
            return decision
        outcome = _outcome_of(dialect, function, self.code)
        batch = book.current if request.function in FINANCIAL else None
        declined = decline(request, book, batch, now, outcome, f"rule {self.rules[0]} says {self.code}")
        return _with_code(declined, self.code) if outcome == DECLINED_BY_RULE else declined

    def _partly(self, request: Request, decision: Decision) -> Decision:
        """The approval of a part; as without the rule where that cannot be."""
        try:
            if self.reply is None or not self.reply.approved_amount:
                raise RuleFailed("the code of a partial approval needs approved_amount beside it")
            if request.function not in PART_APPROVED or decision.outcome != "approved":
                raise RuleFailed(f"a part is approved of {', '.join(sorted(PART_APPROVED))} only")
            part_minor = approved_minor(self.reply.approved_amount, request)
        except RuleFailed as error:
            self._failed(request, str(error))
            return decision
        entry = decision.entries[0]
        detail = {**json.loads(entry.detail or "{}"), "asked_minor": request.amount_minor}
        partial = entry._replace(outcome="partially_approved", amount_minor=part_minor, detail=json.dumps(detail))
        return decision._replace(
            outcome="partially_approved", values={**decision.values, **values_of(partial)}, entries=(partial,)
        )

    # -- answer

    def encode(
        self,
        request: Request,
        book: Book | None,
        decision: Decision,
        reply: Message,
        at: Instant,
        signature: Signature | None,
    ) -> bytes:
        """The answer's bytes as the rule wants them; as without the rule, and a line in the log, where that cannot be.

        Raises MessageError where the host's own answer cannot be encoded.
        """
        language = request.language
        if self.reply is not None:
            try:
                scene = Scene(request, book, at, decision, reply)
                return _encoded(language, self._changed(scene, reply), signature)
            except (RuleFailed, MessageError) as error:
                self._failed(request, str(error))
        return _encoded(language, reply, signature)

    def _changed(self, scene: Scene, made: Message) -> Message:
        reply = self.reply
        fields = dict(made.fields)
        if self.code:
            fields[RESPONSE_CODE] = self.code
        if reply is not None:
            dialect = scene.request.language.dialect
            for number, template in reply.values.items():
                if number not in dialect.elements:
                    raise RuleFailed(f"element {number}: the dialect has none")
                fields[number] = template.fill(scene, number)
            if reply.tags:
                fields[ICC_DATA] = _with_tags(dialect, fields.get(ICC_DATA, ""), reply.tags)
            for number in reply.omitted:
                fields.pop(number, None)
        return Message(made.mti, dict(sorted(fields.items())), made.pads)

    # -- sending

    def send(self, session: Session, request: Request, frame: bytes, signature: Signature | None, clock: Clock) -> None:
        """Give an answer's frame to its connection with the fault in it; what takes time goes by `clock` too."""
        fault = self.fault
        if fault is None or (session.closed and session.outlet is None):  # nobody is there to be harmed
            session.send(frame)
        elif fault.kind.acts in ("message", "bytes"):
            try:
                answer = Answer(frame, request.language, signature, Random(self._dice))
                frame = damaged(fault.kind.name, fault.values, answer)
            except (RuleFailed, MessageError, FramingError) as error:
                self._failed(request, str(error))
            session.send(frame)
        else:
            if session.outlet is None:
                session.outlet = Outlet(session, clock)
            session.outlet.act(fault.kind.name, fault.values, frame)

    def _failed(self, request: Request, reason: str) -> None:
        self.reply, self.code = None, ""
        log_failure(self.rules, request, reason)


NO_RULING = Ruling((), None, "", None, "")
"""No rule acts on the request."""


def log_failure(rules: tuple[str, ...], request: Request, reason: str) -> None:
    """Tell that rules could not act, so that the answer is as without them."""
    log.warning(
        "rule_failed",
        rules=list(rules),
        function=request.function,
        terminal_id=request.terminal_id,
        stan=request.stan,
        reason=reason,
    )


def unfit_code(language: Language, code: str) -> str | None:
    """Why a response code cannot be sent in this dialect, None where it can."""
    try:
        language.encode(Message("0210", {RESPONSE_CODE: code}))
    except MessageError as error:
        return str(error)
    return None


def _encoded(language: Language, message: Message, signature: Signature | None) -> bytes:
    return language.encode(message) if signature is None else signed(language, message, signature)


def _outcome_of(dialect: Dialect, rule: FunctionRule, code: str) -> str:
    """What an issuer says by this code; one that no issuer says is the rule's own."""
    return next((name for name in CARD_OUTCOMES if _says(dialect, rule, name) == code), DECLINED_BY_RULE)


def _says(dialect: Dialect, rule: FunctionRule, outcome: str) -> str | None:
    return rule.outcomes.get(outcome) or dialect.outcomes.get(outcome)


def _with_code(declined: Decision, code: str) -> Decision:
    """A decline that keeps its code in its entry, so that the same request gets it again."""
    entries = tuple(
        entry._replace(detail=json.dumps({**json.loads(entry.detail), "response_code": code}))
        for entry in declined.entries
    )
    return declined._replace(entries=entries, values={"response_code": code})


def _with_tags(dialect: Dialect, icc_data: str, tags: tuple[tuple[str, str], ...]) -> str:
    element = dialect.elements.get(ICC_DATA)
    if element is None or element.content != "b":
        raise RuleFailed(f"element {ICC_DATA} of the dialect holds no tags in binary")
    return icc_data + build_tlv(list(tags)).hex().upper()
