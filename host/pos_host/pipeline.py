"""A message's path, from frame to answer. Read this first.

    Frame → decode → function → Request → Book → decide → journal.post (durable) → apply → reply → bytes

A terminal's requests are handled strictly in turn; terminals are independent. Nothing of a decision is
seen by anyone before its commit: the book changes and the answer leaves only then. What a peer does wrong
is answered or closes its connection, here and nowhere else; what we do wrong is answered 96 and logged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pos_host.clock import Clock, instant
from pos_host.enrolment import preparation
from pos_host.handlers.network import echo
from pos_host.handlers.originals import names_an_original, original_of
from pos_host.handlers.unsupported import refuse
from pos_host.journal import Journal, Posting
from pos_host.ledger.book import Book, Transaction
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import FINANCIAL, Entry
from pos_host.ledger.posting import apply_entry, apply_row
from pos_host.ledger.registry import Registry
from pos_host.logs import Logger
from pos_host.routing import Router
from pos_host.session import Session
from pos_host.settlement.policy import Policy
from pos_host.transaction.reply import bare_reply, build_reply
from pos_host.transaction.request import CardReader, Request
from pos_host.turn import Note, Refusal, Turn
from pos_specs.dialect import FunctionRule
from pos_specs.errors import FramingError, MessageError
from pos_specs.framing import Frame, reply_frame
from pos_specs.message import Message, is_request

log = Logger("pos_host.pipeline")

WAITING_PER_TERMINAL = 256
"""Requests of one terminal that may wait for their turn. A real terminal waits for each answer; one that
sends this many at once is cut off, since its memory would be ours."""

DECIDED_ONCE = FINANCIAL | {"settlement"}
"""Functions that a terminal does not send again under the same STAN once they were answered, even with 96;
reversals and uploads it does."""

FAILED_FOR_MS = 300_000
"""How long a request that was answered 96 is answered 96 again, since its terminal took it for declined: money
approved under a copy that was still on its way would be money nobody knows of. No copy is so late."""

FAILED_REMEMBERED = 100_000
"""How many such requests at most: a full disk under full load makes them fast, and they cost memory."""


class Pipeline:
    """The host's line. One for all listeners; runs on one loop and names no thread and no socket."""

    def __init__(
        self,
        registry: Registry,
        journal: Journal,
        clock: Clock,
        policy: Policy,
        cards: CardReader,
        *,
        enrol: str = "open",
    ) -> None:
        self.registry = registry
        self.journal = journal
        self.clock = clock
        self.policy = policy
        self.enrol = enrol
        self.messages = 0
        self._cards = cards
        self._router = Router(cards)
        self._dirty: list[Session] = []
        self._lookups: set[asyncio.Task[None]] = set()
        self._failed: dict[tuple[int, str, str], int] = {}
        self._on_commit: Callable[[], None] = lambda: None
        journal.set_listener(self._committed_some)

    # -- the line

    def receive(self, frame: Frame, session: Session) -> None:
        """Take one frame of a connection; its answer is sent when what it promises is durable."""
        self.messages += 1
        try:
            self._read(frame, session)
        except Exception as error:  # our mistake before there was a request to answer
            log.error("connection_closed", peer=session.peer, reason=type(error).__name__, exc_info=error)
            session.hang_up()

    def _read(self, frame: Frame, session: Session) -> None:
        """From bytes to a request in its terminal's queue, or to a refusal."""
        language = session.language
        try:
            message = language.decode(frame.body)
        except MessageError as error:
            self._unreadable(frame, session, error)
            return
        if not is_request(message.mti):
            log.warning("message_ignored", peer=session.peer, mti=message.mti, reason="not a request")
            return
        rule = language.function_of(message)
        if rule is None:
            self._refuse(frame, session, message, None, "unsupported_function", "no function of the dialect")
            return
        missing = language.missing(rule, message)
        if missing is not None:
            reason = f"{rule.name}: element {missing} is missing"
            self._refuse(frame, session, message, rule, "format_error", reason)
            return
        request = Request(language, rule, message, self._cards)
        if rule.anonymous:
            self._answer(Turn(self, None, request, frame, session), echo(self.clock.now()))
            return
        book = self._book_of(request, frame, session)
        if book is not None:
            self._queue(book, Turn(self, book, request, frame, session))

    def _book_of(self, request: Request, frame: Frame, session: Session) -> Book | None:
        """The terminal's book; a new one where terminals may enrol, None once the request was refused."""
        book = self.registry.find(request.merchant_id, request.terminal_id)
        if book is not None and (book.enrolled or self.enrol == "open"):
            return book
        outcome, reason = "unknown_terminal", f"terminal {request.terminal_id} is not known"
        if request.merchant_id and request.terminal_id:
            if self.enrol == "open":
                return self.registry.create(request.merchant_id, request.terminal_id, request.language.dialect)
            if not self.registry.knows_merchant(request.merchant_id):
                outcome, reason = "unknown_merchant", f"merchant {request.merchant_id} is not known"
        self._refuse(frame, session, request.message, request.rule, outcome, reason)
        return None

    def _queue(self, book: Book, turn: Turn) -> None:
        book.session = turn.session
        if not book.busy:
            self._take(book, turn)
        elif len(book.waiting) < WAITING_PER_TERMINAL:
            book.waiting.append(turn)
        else:
            log.warning(
                "connection_closed",
                peer=turn.session.peer,
                terminal_id=book.terminal_id,
                reason=f"more than {WAITING_PER_TERMINAL} requests of one terminal wait",
            )
            turn.session.hang_up()

    def _take(self, book: Book, turn: Turn) -> None:
        """One request's turn: prepare, look up, decide; each may need a commit or the store first."""
        request = turn.request
        try:
            now = turn.now = self.clock.now()
            book.last_seen_at_ms = now.at_ms
            if self._failed and self._failed_lately(request, book, now.at_ms):
                self._answer_failed(turn)
                return
            needed = preparation(request, book, now)
            if needed is not None:
                book.busy = True
                turn.decision = Decision("approved", now.at_ms, entries=needed.entries, rows=needed.rows)
                self.journal.post(Posting(needed.entries, needed.rows, turn.prepared))
                return
            if request.function == "refund" and self._needs_lookup(request, book):
                book.busy = True
                self._look_up(book, turn)
                return
            self._answer(turn, self._router.decide(request, book, now))
        except Exception as error:  # our mistake: the one place where it ends
            self._fail(turn, error)

    def _answer(self, turn: Turn, decision: Decision) -> None:
        """Encode the answer, make the decision durable, and send; in this order."""
        request = turn.request
        turn.decision = decision
        at = turn.now if decision.at_ms == turn.now.at_ms else instant(self.policy, decision.at_ms)
        reply = build_reply(request.language, request.rule, request.message, decision, at)
        turn.reply = reply_frame(request.language.dialect.framing, turn.frame, request.language.encode(reply))
        if decision.reason and decision.reason != "repeat":
            self._log_refusal(turn, decision)
        if decision.entries or decision.rows:
            if turn.book is not None:
                turn.book.busy = True
            self.journal.post(Posting(decision.entries, decision.rows, turn.committed))
        else:
            self.send(turn.session, turn.reply)
            self._next(turn.book)

    def committed(self, turn: Turn, first: int | None) -> None:
        """The commit of a decision ended: apply and answer, or answer that nothing was kept."""
        book, decision = turn.book, turn.decision
        if first is None:
            self._fail(turn, None)
            return
        if book is not None:
            self._apply(turn, book, first)
            if turn.session.closed and decision.outcome == "approved" and turn.request.function in FINANCIAL:
                self._note_undelivered(book, decision)
        self.send(turn.session, turn.reply)
        self._next(book)

    def prepared(self, turn: Turn, first: int | None) -> None:
        """The commit before a decision ended: apply it and take the request's turn again."""
        book = turn.book
        if first is None or book is None:
            self._fail(turn, None)
            return
        self._apply(turn, book, first)
        book.busy = False
        self._take(book, turn)

    def _apply(self, turn: Turn, book: Book, first: int) -> None:
        """What was committed, into the book. A failure here is an invariant broken: the store is right and this
        book is not, so it is told loudly and the terminal cut off; the other postings of the commit go on."""
        try:
            for row in turn.decision.rows:
                apply_row(book, row)
            for place, entry in enumerate(turn.decision.entries):
                apply_entry(book, entry, first + place)
        except Exception as error:
            log.error("books_damaged", terminal_id=book.terminal_id, merchant_id=book.merchant_id, exc_info=error)
            turn.session.hang_up()
        self.registry.touched(book)

    def _next(self, book: Book | None) -> None:
        if book is None:
            return
        book.busy = False
        if book.waiting:
            self._take(book, book.waiting.pop(0))

    # -- originals that only the store remembers

    def _needs_lookup(self, request: Request, book: Book) -> bool:
        return (
            request.stored_original is None
            and not request.looked_up
            and names_an_original(request)
            and original_of(request, book) is None
        )

    def _look_up(self, book: Book, turn: Turn) -> None:
        task = asyncio.get_running_loop().create_task(self._find_original(book, turn))
        self._lookups.add(task)
        task.add_done_callback(self._lookups.discard)

    async def _find_original(self, book: Book, turn: Turn) -> None:
        request = turn.request
        try:
            number = request.meaning("original_batch_number")
            stan, rrn = request.meaning("original_stan"), request.meaning("rrn").strip()
            found = await self.journal.find_purchase(
                book.terminal_no, number if number.strip("0") else "", stan if stan.strip("0") else "", rrn
            )
            if found is not None:
                (sequence, entry), refunded, voided, reversed_ = found
                original = Transaction(sequence, entry)
                original.refunded_minor, original.voided, original.reversed = refunded, voided, reversed_
                request.stored_original = original
            request.looked_up = True
        except Exception as error:
            self._fail(turn, error)
            return
        book.busy = False
        self._take(book, turn)
        self.flush()

    # -- what goes wrong

    def _unreadable(self, frame: Frame, session: Session, error: MessageError) -> None:
        """Answered 30 where an answer can be formed: a request whose STAN or terminal could be read."""
        partial = error.partial
        if partial is None or not is_request(partial.mti) or not ({11, 41} & partial.fields.keys()):
            log.warning("connection_closed", peer=session.peer, reason=str(error))
            session.hang_up()
            return
        self._refuse(frame, session, partial, None, "format_error", str(error))

    def _refuse(
        self,
        frame: Frame,
        session: Session,
        message: Message,
        rule: FunctionRule | None,
        outcome: str,
        reason: str,
    ) -> None:
        """A request that is no transaction: journalled with its reason, answered by its outcome."""
        fields = message.fields
        book = self.registry.find(fields.get(42, "").rstrip(), fields.get(41, "").rstrip())
        now = self.clock.now()
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
        try:
            reply = (
                bare_reply(language, message, outcome, now)
                if rule is None
                else build_reply(language, rule, message, decision, now)
            )
            data = reply_frame(language.dialect.framing, frame, language.encode(reply))
        except (MessageError, FramingError) as error:
            log.warning("connection_closed", peer=session.peer, reason=f"no answer can be formed: {error}")
            session.hang_up()
            return
        self.journal.post(Posting(decision.entries, (), Refusal(self.send, session, data).committed))

    def _fail(self, turn: Turn, error: Exception | None) -> None:
        """Our mistake, or a commit that failed: nothing was kept, and the answer says so."""
        request = turn.request
        log.error(
            "internal_error",
            peer=turn.session.peer,
            terminal_id=request.terminal_id,
            merchant_id=request.merchant_id,
            function=request.function,
            stan=request.stan,
            reason="the commit failed" if error is None else type(error).__name__,
            exc_info=error,
        )
        if turn.book is not None and request.function in DECIDED_ONCE:
            self._failed.setdefault((turn.book.terminal_no, request.function, request.key), self.clock.now_ms())
        self._answer_failed(turn)

    def _failed_lately(self, request: Request, book: Book, now_ms: int) -> bool:
        """Whether this very request was answered 96 a while ago, and nothing else before."""
        while self._failed:
            oldest = next(iter(self._failed))
            if self._failed[oldest] + FAILED_FOR_MS > now_ms and len(self._failed) <= FAILED_REMEMBERED:
                break
            del self._failed[oldest]
        failed = (book.terminal_no, request.function, request.key) in self._failed
        return failed and not any(request.key in batch.answers for batch in book.batches)

    def _answer_failed(self, turn: Turn) -> None:
        request = turn.request
        try:
            decision = Decision("internal_error", self.clock.now_ms())
            at = self.clock.now()
            reply = build_reply(request.language, request.rule, request.message, decision, at)
            framing = request.language.dialect.framing
            self.send(turn.session, reply_frame(framing, turn.frame, request.language.encode(reply)))
        except (MessageError, FramingError) as broken:
            log.error("connection_closed", peer=turn.session.peer, reason=str(broken))
            turn.session.hang_up()
        self._next(turn.book)
        self.flush()

    def _log_refusal(self, turn: Turn, decision: Decision) -> None:
        request = turn.request
        log.info(
            "request_declined",
            terminal_id=request.terminal_id,
            merchant_id=request.merchant_id,
            function=request.function,
            stan=request.stan,
            outcome=decision.outcome,
            reason=decision.reason,
        )

    def _note_undelivered(self, book: Book, decision: Decision) -> None:
        entry = decision.entries[0]
        log.warning("answer_undelivered", terminal_id=book.terminal_id, merchant_id=book.merchant_id, stan=entry.stan)
        note = Entry("answer_undelivered", book.terminal_no, entry.batch_id, self.clock.now_ms(), stan=entry.stan)
        self.journal.post(Posting((note,), (), Note(self.registry, book, note).committed))

    # -- sending

    def on_commit(self, tell: Callable[[], None]) -> None:
        """Have `tell` called after each commit (the publisher waits for it)."""
        self._on_commit = tell

    def _committed_some(self) -> None:
        self.flush()
        self._on_commit()

    async def drain(self) -> None:
        """Wait until every request that was read has its answer sent."""
        while self._lookups or any(book.busy for book in self.registry):  # noqa: ASYNC110 - once, at the end
            await asyncio.sleep(0.001)
        self.flush()

    def send(self, session: Session, data: bytes) -> None:
        session.send(data)
        self._dirty.append(session)

    def flush(self) -> None:
        """Write all collected answers, one write a connection."""
        dirty = self._dirty
        if not dirty:
            return
        self._dirty = []
        for session in dirty:
            try:
                session.flush()
            except (OSError, RuntimeError) as error:  # uvloop raises when the peer closed meanwhile
                log.info("answer_not_sent", peer=session.peer, reason=type(error).__name__)
