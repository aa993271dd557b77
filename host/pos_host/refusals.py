"""What becomes of a message that is no transaction: it is answered where an answer can be formed, and journalled."""

from __future__ import annotations

from collections.abc import Callable

from pos_host.clock import Clock
from pos_host.exchanges import Exchanges
from pos_host.handlers.unsupported import refuse
from pos_host.journal import Journal, Posting
from pos_host.ledger.registry import Registry
from pos_host.logs import Logger
from pos_host.session import Session
from pos_host.transaction.reply import bare_reply, build_reply
from pos_specs.errors import FramingError, MessageError
from pos_specs.framing import Frame, reply_frame
from pos_specs.language import Route
from pos_specs.message import Message, is_request

log = Logger("pos_host.refusals")


class Refusals:
    """The line's refusals before there is a turn to take; `send` gets each answer once its journal entry is durable."""

    def __init__(
        self,
        registry: Registry,
        journal: Journal,
        clock: Clock,
        send: Callable[[Session, bytes], None],
        exchanges: Exchanges,
    ) -> None:
        self._registry = registry
        self._journal = journal
        self._clock = clock
        self._send = send
        self._exchanges = exchanges

    def unrouted(self, frame: Frame, session: Session, message: Message, route: Route | None) -> None:
        """A message that means no function of the dialect, or lacks what its function needs."""
        if route is not None:
            reason = f"{route.rule.name}: element {route.missing} is missing"
            self.refuse(frame, session, message, route, "format_error", reason)
        elif is_request(message.mti):
            self.refuse(frame, session, message, None, "unsupported_function", "no function of the dialect")
        else:
            log.warning("message_ignored", peer=session.peer, mti=message.mti, reason="not a request")
            self._keep(frame, session, message, b"", "", "", "not a request")
            session.unanswered()

    def unreadable(self, frame: Frame, session: Session, error: MessageError) -> None:
        """Answered 30 where an answer can be formed: a request whose STAN or terminal could be read."""
        partial = error.partial
        if partial is None or not is_request(partial.mti) or not ({11, 41} & partial.fields.keys()):
            log.warning("connection_closed", peer=session.peer, reason=str(error))
            self._keep(frame, session, None, b"", "", "", str(error))
            session.hang_up()
            session.unanswered()
            return
        self.refuse(frame, session, partial, None, "format_error", str(error))

    def refuse(
        self, frame: Frame, session: Session, message: Message, route: Route | None, outcome: str, reason: str
    ) -> None:
        """A request that is no transaction: journalled with its reason, answered by its outcome."""
        fields = message.fields
        book = self._registry.find(fields.get(42, "").rstrip(), fields.get(41, "").rstrip())
        now = self._clock.now(None if book is None else book.policy)
        decision = refuse(message, book.terminal_no if book and book.enrolled else 0, now, outcome, reason)
        log.warning(
            "message_refused",
            peer=session.peer,
            mti=message.mti,
            outcome=outcome,
            reason=reason,
            terminal_id=fields.get(41, "").rstrip(),
            stan=fields.get(11, ""),
        )
        language = session.language
        function = "" if route is None else route.rule.name
        try:
            reply = (
                bare_reply(language, message, outcome, now)
                if route is None
                else build_reply(language, route, message, decision, now)
            )
            data = reply_frame(language.dialect.framing, frame, language.encode(reply))
        except (MessageError, FramingError) as error:
            log.warning("connection_closed", peer=session.peer, reason=f"no answer can be formed: {error}")
            self._keep(frame, session, message, b"", function, outcome, f"{reason}; no answer can be formed: {error}")
            session.hang_up()
            session.unanswered()
            return
        self._keep(frame, session, message, data, function, outcome, reason)
        self._journal.post(Posting(decision.entries, (), lambda first: self._send(session, data)))

    def _keep(
        self,
        frame: Frame,
        session: Session,
        message: Message | None,
        reply: bytes,
        function: str,
        outcome: str,
        why: str,
    ) -> None:
        fields = {} if message is None else message.fields
        self._exchanges.add(
            self._clock.now_ms(),
            session.peer,
            session.language,
            frame,
            message,
            reply,
            fields.get(42, "").rstrip(),
            fields.get(41, "").rstrip(),
            function,
            outcome,
            why,
        )
