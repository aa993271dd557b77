"""A message's path, from frame to answer. Read this first.

    Frame → decode → function → Request → Book → decide → journal.post (durable) → apply → reply → bytes

A terminal's requests are handled strictly in turn; terminals are independent. Nothing of a decision is
seen by anyone before its commit: the book changes and the answer leaves only then. What a peer does wrong
is answered or closes its connection, here (refusals.py) and nowhere else; what we do wrong is answered 96
and logged. Beside the line: host_turns.py, what the host does to a terminal of its own accord.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from pos_host.clock import Clock, instant
from pos_host.enrolment import preparation
from pos_host.exchanges import Exchanges
from pos_host.failed_requests import FailedRequests
from pos_host.handlers.network import echo
from pos_host.handlers.originals import ASK_THE_STORE, sought_in_store
from pos_host.handlers.posting_entry import decline
from pos_host.host_turns import AtClose, HostTurn, HostTurns, nothing_at_close
from pos_host.journal import Journal, Posting, Sought
from pos_host.ledger.book import Book
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import APPROVALS, FINANCIAL, Entry, Row
from pos_host.ledger.posting import apply_entry, apply_row
from pos_host.ledger.registry import Registry
from pos_host.logs import Logger
from pos_host.refusals import Refusals
from pos_host.routing import Router
from pos_host.security.guard import UNGUARDED, Guard, Refused, signed
from pos_host.security.issuing import KeyIssuer
from pos_host.session import Session
from pos_host.transaction.reply import build_reply
from pos_host.transaction.request import CardReader, Request
from pos_host.turn import Turn
from pos_specs.errors import FramingError, MessageError
from pos_specs.frame_headers import SIGN_IN_AGAIN
from pos_specs.framing import Frame, reply_frame

if TYPE_CHECKING:
    from pos_host.rules.rulebook import Rulebook

log = Logger("pos_host.pipeline")

WAITING_PER_TERMINAL = 256
"""Requests of one terminal that may wait for their turn. A real terminal waits for each answer; one that
sends this many at once is cut off, since its memory would be ours."""


ENDING = {"closing": "not_allowed_now", "closed": "merchant_closed"}
"""What a terminal that is not known is answered under a merchant in this state."""


class Pipeline:
    """The host's line. One for all listeners; runs on one loop and names no thread and no socket.

    `rulebook` is asked about every request while scenario rules are there, and None without any.
    """

    def __init__(
        self,
        registry: Registry,
        journal: Journal,
        clock: Clock,
        cards: CardReader,
        *,
        enrol: str = "open",
        guard: Guard | None = None,
        at_close: AtClose = nothing_at_close,
    ) -> None:
        self.registry = registry
        self.journal = journal
        self.clock = clock
        self.enrol = enrol
        self.messages = 0
        self.exchanges = Exchanges()
        self.rulebook: Rulebook | None = None
        self._cards = cards
        self._guard = guard
        self._router = Router(cards, None if guard is None else KeyIssuer(guard.vault))
        self._arrived: list[tuple[Frame, Session]] = []
        self._due: list[Turn] = []
        self._dirty: list[Session] = []
        self._lookups: set[asyncio.Task[None]] = set()
        self._failed = FailedRequests()
        self._at_close = at_close
        self._host_turns = HostTurns(journal, clock, self._apply, self._next, at_close)
        self._refusals = Refusals(registry, journal, clock, self.send, self.exchanges)
        self._on_commit: Callable[[], None] = lambda: None
        journal.set_listener(self._committed_some)

    # -- the line

    def receive(self, frame: Frame, session: Session) -> None:
        """Take one frame of a connection; its answer is sent when what it promises is durable."""
        if not self._arrived:
            asyncio.get_running_loop().call_soon(self._work)
        session.awaited += 1
        self._arrived.append((frame, session))

    def _work(self) -> None:
        """All that arrived in one turn of the loop."""
        arrived, self._arrived = self._arrived, []
        self.messages += len(arrived)
        self._run([turn for frame, session in arrived if (turn := self._read(frame, session)) is not None])

    def _run(self, turns: list[Turn]) -> None:
        """Decide and answer these requests, and those that had to wait for them.

        Step by step and not one by one: a step's code then stays in the processor's cache.
        """
        while turns:
            for turn in turns:
                self._decide(turn)
            for turn in turns:
                self._answer(turn)
            turns, self._due = self._due, []
        self.flush()

    def _run_due(self) -> None:
        due, self._due = self._due, []
        self._run(due)

    def _read(self, frame: Frame, session: Session) -> Turn | None:
        """From bytes to a request whose turn it is; None when it was refused or has to wait."""
        try:
            if session.ended:
                session.unanswered()  # the host gave it up over what came before: what stands behind is not read
                return None
            language = session.language
            try:
                message = language.decode(frame.body)
            except MessageError as error:
                self._refusals.unreadable(frame, session, error)
                return None
            route = language.route(message)
            if route is None or route.missing is not None:
                self._refusals.unrouted(frame, session, message, route)
                return None
            request = Request(language, route, message, self._cards)
            if route.rule.anonymous:
                return Turn(self, None, request, frame, session)
            book = self._book_of(request, frame, session)
            return None if book is None else self._queue(book, Turn(self, book, request, frame, session))
        except Exception as error:  # our mistake before there was a request to answer
            log.error("connection_closed", peer=session.peer, reason=type(error).__name__, exc_info=error)
            session.hang_up()
            session.unanswered()
            return None

    def _book_of(self, request: Request, frame: Frame, session: Session) -> Book | None:
        """The terminal's book; a new one where terminals may enrol, None once the request was refused."""
        book = self.registry.find(request.merchant_id, request.terminal_id)
        if book is not None and (book.enrolled or self._may_enrol(request)):
            return book
        outcome, reason = "unknown_terminal", f"terminal {request.terminal_id} is not known"
        merchant_id = request.merchant_id
        if merchant_id and request.terminal_id:
            ending = self.registry.merchant(merchant_id).status if self.registry.knows_merchant(merchant_id) else ""
            if ending in ENDING:
                outcome, reason = ENDING[ending], f"merchant {merchant_id} is {ending}: it enrols no terminal"
            elif self._may_enrol(request):
                return self.registry.create(request.merchant_id, request.terminal_id, request.language.dialect)
            elif not self.registry.knows_merchant(merchant_id):
                outcome, reason = "unknown_merchant", f"merchant {merchant_id} is not known"
        self._refusals.refuse(frame, session, request.message, request.route, outcome, reason)
        return None

    def _may_enrol(self, request: Request) -> bool:
        return self.enrol == "open" or self.registry.expects(request.merchant_id, request.terminal_id)

    def _queue(self, book: Book, turn: Turn) -> Turn | None:
        """The request when its terminal has no other under way, else None: it waits for its turn."""
        book.session = turn.session
        if not book.busy:
            book.busy = True
            return turn
        if len(book.waiting) < WAITING_PER_TERMINAL:
            book.waiting.append(turn)
            return None
        log.warning(
            "connection_closed",
            peer=turn.session.peer,
            terminal_id=book.terminal_id,
            reason=f"more than {WAITING_PER_TERMINAL} requests of one terminal wait",
        )
        turn.session.hang_up()
        turn.session.unanswered()
        return None

    def _decide(self, turn: Turn) -> None:
        """Prepare, look up, decide: each may need a commit or the store first, and then the turn comes again."""
        request, book = turn.request, turn.book
        try:
            now = turn.now = self.clock.now(None if book is None else book.policy)
            if self.rulebook is not None and turn.ruling is None:
                turn.ruling = self.rulebook.rule_on(request, book, now)
                if turn.ruling.drops_undecided:
                    self._deliver(turn, "", "not decided: a rule closed the connection")
                    self._next(book)
                    return
            if book is None:
                turn.decision = echo(now)
                return
            book.last_seen_at_ms = now.at_ms
            if self._failed.requests and self._failed.lately(request, book, now.at_ms):
                self._answer_failed(turn)
                return
            needed = preparation(request, book, now)
            if needed is not None:
                turn.preparation = needed
                self.journal.post(Posting(needed.entries, needed.rows, turn.prepared))
                return
            if self._guard is not None and turn.checked is None:
                checked = self._guard.check(request, book, turn.frame.body, now, self._cards)
                if isinstance(checked, Refused):
                    turn.decision = decline(request, book, None, now, *checked)
                    return
                turn.checked = checked
            if request.function in ASK_THE_STORE and not request.looked_up:
                sought = sought_in_store(request, book)
                if sought is not None:
                    self._look_up(book, turn, sought)
                    return
            decision = self._router.decide(request, book, now)
            if turn.ruling is not None:
                decision = turn.ruling.decided(request, book, decision, now)
            if decision.rows:
                entries, rows = self._at_close(book, decision.entries, decision.rows)
                decision = decision._replace(entries=entries, rows=rows)
            turn.decision = decision
        except Exception as error:  # our mistake: the one place where it ends
            self._fail(turn, error)

    def _answer(self, turn: Turn) -> None:
        """Encode the answer, make the decision durable, and send; in this order. Nothing while undecided."""
        decision = turn.decision
        if decision is None:
            return
        request, now = turn.request, turn.now
        language = request.language
        try:
            outcome, at_ms, _, _, _, entries, rows, reason = decision
            signature, icc_answer = turn.checked or UNGUARDED
            if icc_answer and outcome in APPROVALS:
                decision = decision._replace(values={**decision.values, "icc_data": icc_answer})
            at = now if at_ms == now.at_ms or turn.book is None else instant(turn.book.policy, at_ms)
            reply = build_reply(language, request.route, request.message, decision, at)
            if turn.ruling is not None:
                body = turn.ruling.encode(request, turn.book, decision, reply, at, signature)
            else:
                body = language.encode(reply) if signature is None else signed(language, reply, signature)
            wanted = SIGN_IN_AGAIN if turn.book is not None and self._wants_sign_in(turn.book, request) else 0
            turn.reply = reply_frame(language.dialect.framing, turn.frame, body, wanted)
            if reason and reason != "repeat":
                self._log_refusal(turn, decision)
            if entries or rows:
                self.journal.post(Posting(entries, rows, turn.committed))
                return
        except Exception as error:  # our mistake: the one place where it ends
            self._fail(turn, error)
            return
        self._deliver(turn, outcome, reason)
        self._next(turn.book)

    def _wants_sign_in(self, book: Book, request: Request) -> bool:
        """Whether the answer's header asks for a new sign-in; never that of the sign-in itself."""
        return book.sign_in_wanted and book.policy.ask_sign_in and request.function != "sign_in"

    def committed(self, turn: Turn, first: int | None) -> None:
        """The commit of a decision ended: apply and answer, or answer that nothing was kept."""
        book, decision = turn.book, turn.decision
        if first is None or decision is None:
            self._fail(turn, None)
            return
        if book is not None:
            self._apply(book, decision.entries, decision.rows, first, turn.session)
            if turn.session.closed and decision.outcome in APPROVALS and turn.request.function in FINANCIAL:
                self._note_undelivered(book, decision)
        self._deliver(turn, decision.outcome, decision.reason)
        self._next(book)

    def prepared(self, turn: Turn, first: int | None) -> None:
        """The commit before a decision ended: apply it and take the request's turn again."""
        book, needed = turn.book, turn.preparation
        if first is None or book is None or needed is None:
            self._fail(turn, None)
            return
        self._apply(book, needed.entries, needed.rows, first, turn.session)
        self._due.append(turn)

    def _apply(
        self, book: Book, entries: tuple[Entry, ...], rows: tuple[Row, ...], first: int, session: Session | None
    ) -> None:
        """What was committed, into the book. A failure here is an invariant broken: the store is right and this
        book is not, so it is told loudly and the terminal cut off; the other postings of the commit go on."""
        try:
            for row in rows:
                apply_row(book, row)
            if rows:
                self.registry.apply(rows)
            for entry in entries:
                apply_entry(book, entry, first)
                first += 1
        except Exception as error:
            log.error("books_damaged", terminal_id=book.terminal_id, merchant_id=book.merchant_id, exc_info=error)
            if session is not None:
                session.hang_up()
        self.registry.touched(book)

    def _next(self, book: Book | None) -> None:
        """A request of the terminal is answered: the next one that waits, if any."""
        if book is None:
            return
        if not book.waiting:
            book.busy = False
            return
        following = book.waiting.pop(0)
        if isinstance(following, HostTurn):
            self._host_turns.begin(following)
        else:
            self._due.append(following)

    # -- what the host does of its own accord

    def take_turn(
        self,
        book: Book,
        decide: Callable[[Book, int], tuple[tuple[Entry, ...], tuple[Row, ...]] | None],
        done: Callable[[bool], None],
    ) -> None:
        """Give the host the turn of a terminal, behind what the terminal has asked already.

        `decide` gets the book and the time and gives what to commit, or None for nothing; `done` is told whether
        all went well, once it is applied and before the terminal's next request is decided.
        """
        self._host_turns.take(book, decide, done)

    # -- originals that only the store remembers

    def _look_up(self, book: Book, turn: Turn, sought: Sought) -> None:
        task = asyncio.get_running_loop().create_task(self._find_original(book, turn, sought))
        self._lookups.add(task)
        task.add_done_callback(self._lookups.discard)

    async def _find_original(self, book: Book, turn: Turn, sought: Sought) -> None:
        request = turn.request
        try:
            found = await self.journal.find_original(book.terminal_no, sought)
            request.stored_original = None if found is None else found.transaction()
            request.looked_up = True
            self._run([turn])
        except Exception as error:
            self._fail(turn, error)
            self._run_due()

    # -- what goes wrong

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
        if turn.book is not None:
            self._failed.remember(request, turn.book, self.clock.now_ms())
        self._answer_failed(turn)

    def _answer_failed(self, turn: Turn) -> None:
        request = turn.request
        try:
            decision = Decision("internal_error", self.clock.now_ms())
            at = self.clock.now(None if turn.book is None else turn.book.policy)
            reply = build_reply(request.language, request.route, request.message, decision, at)
            framing = request.language.dialect.framing
            turn.reply = reply_frame(framing, turn.frame, request.language.encode(reply))
            self._deliver(turn, "internal_error", "nothing was kept")
        except Exception as broken:  # the same mistake again: the others of this commit must not suffer for it
            reason = str(broken) if isinstance(broken, (MessageError, FramingError)) else type(broken).__name__
            log.error("connection_closed", peer=turn.session.peer, reason=reason)
            turn.session.hang_up()
            turn.session.unanswered()
        self._next(turn.book)

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

        def committed(first: int | None) -> None:
            if first is not None:
                self._apply(book, (note,), (), first, None)

        self.journal.post(Posting((note,), (), committed))

    # -- sending

    def _deliver(self, turn: Turn, outcome: str, reason: str) -> None:
        """Send the answer of a turn, as the rules want it where some act, and keep the exchange for those who watch the
        wire: with the answer as it was before a fault."""
        request, session, ruling = turn.request, turn.session, turn.ruling
        rules, fault = ((), "") if ruling is None else (ruling.rules, ruling.fault_name)
        self.exchanges.add(
            turn.now.at_ms,
            session.peer,
            request.language,
            turn.frame,
            request.message,
            turn.reply,
            request.merchant_id,
            request.terminal_id,
            request.function,
            outcome,
            reason,
            rules,
            fault,
        )
        if ruling is None or not rules:
            self.send(session, turn.reply)
            return
        signature = None if turn.checked is None else turn.checked.signature
        ruling.send(session, request, turn.reply, signature, self.clock)
        self._dirty.append(session)

    def on_commit(self, tell: Callable[[], None]) -> None:
        """Have `tell` called after each commit (the publisher waits for it)."""
        self._on_commit = tell

    def _committed_some(self) -> None:
        self._run_due()
        self._on_commit()

    async def drain(self) -> None:
        """Wait until every request that was read has its answer sent."""
        while self._arrived or self._lookups or any(book.busy for book in self.registry):  # noqa: ASYNC110 - once, at the end
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
