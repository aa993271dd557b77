"""What the host does to a terminal of its own accord, in that terminal's turn: behind what it has asked already."""

from __future__ import annotations

from collections.abc import Callable

from pos_host.clock import Clock
from pos_host.journal import Journal, Posting
from pos_host.ledger.book import Book
from pos_host.ledger.entry import Entry, Row
from pos_host.logs import Logger
from pos_host.session import Session

log = Logger("pos_host.host_turns")

Written = tuple[tuple[Entry, ...], tuple[Row, ...]]
Decide = Callable[[Book, int], Written | None]
AtClose = Callable[[Book, tuple[Entry, ...], tuple[Row, ...]], Written]
"""Adds to what closes a batch what else that brings about: its payout, in the same commit."""

Apply = Callable[[Book, tuple[Entry, ...], tuple[Row, ...], int, Session | None], None]


def nothing_at_close(book: Book, entries: tuple[Entry, ...], rows: tuple[Row, ...]) -> Written:
    """A host without a back office pays nobody."""
    return entries, rows


class HostTurn:
    """Something the host does in a terminal's turn, without a request; what it writes is decided in that turn."""

    __slots__ = ("book", "decide", "done", "entries", "rows", "turns")

    def __init__(self, turns: HostTurns, book: Book, decide: Decide, done: Callable[[bool], None]) -> None:
        self.turns = turns
        self.book = book
        self.decide = decide
        self.done = done
        self.entries: tuple[Entry, ...] = ()
        self.rows: tuple[Row, ...] = ()

    def committed(self, first: int | None) -> None:
        self.turns.committed(self, first)


class HostTurns:
    """Takes the host's turns. `apply` puts what was committed into a book, `next_turn` gives the terminal's turn on."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        apply: Apply,
        next_turn: Callable[[Book], None],
        at_close: AtClose = nothing_at_close,
    ) -> None:
        self._at_close = at_close
        self._journal = journal
        self._clock = clock
        self._apply = apply
        self._next_turn = next_turn

    def take(self, book: Book, decide: Decide, done: Callable[[bool], None]) -> None:
        """Begin at once, or wait behind what is under way; the arguments are those of `Pipeline.take_turn`."""
        turn = HostTurn(self, book, decide, done)
        if book.busy:
            book.waiting.append(turn)
            return
        book.busy = True
        self.begin(turn)

    def begin(self, turn: HostTurn) -> None:
        """Decide and post: the terminal is not busy with anything else now."""
        try:
            made = turn.decide(turn.book, self._clock.now_ms())
            if made is not None:
                turn.entries, turn.rows = self._at_close(turn.book, *made)
                self._journal.post(Posting(turn.entries, turn.rows, turn.committed))
                return
        except Exception as error:  # our mistake: the one place where it ends
            log.error("host_turn_failed", terminal_id=turn.book.terminal_id, exc_info=error)
            self._end(turn, kept=False)
            return
        self._end(turn, kept=True)

    def committed(self, turn: HostTurn, first: int | None) -> None:
        """The commit of what the host did ended."""
        if first is not None:
            self._apply(turn.book, turn.entries, turn.rows, first, None)
        self._end(turn, kept=first is not None)

    def _end(self, turn: HostTurn, *, kept: bool) -> None:
        turn.done(kept)
        self._next_turn(turn.book)
