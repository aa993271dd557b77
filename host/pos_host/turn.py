"""A request on its way, which waits for its commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pos_host.clock import Instant
from pos_host.enrolment import Preparation
from pos_host.ledger.book import Book
from pos_host.ledger.decision import Decision
from pos_host.security.guard import Checked
from pos_host.session import Session
from pos_host.transaction.request import Request
from pos_specs.framing import Frame

if TYPE_CHECKING:
    from pos_host.rules.ruling import Ruling

NEVER = Instant(0, "", "", "")
"""The time of a turn that was not taken yet."""


class Line(Protocol):
    """Who takes the turn; told when a commit of it ended, with the sequence of its first entry, or with None."""

    def committed(self, turn: Turn, first: int | None) -> None: ...

    def prepared(self, turn: Turn, first: int | None) -> None: ...


class Turn:
    """One request on its way: what is known of it from its frame to its answer.

    `checked` is what came of MAC, PIN and chip, `preparation` what was posted before it could be decided, `ruling` what
    the scenario rules said of it, None where there are none.
    """

    __slots__ = (
        "book",
        "checked",
        "decision",
        "frame",
        "line",
        "now",
        "preparation",
        "reply",
        "request",
        "ruling",
        "session",
    )

    def __init__(self, line: Line, book: Book | None, request: Request, frame: Frame, session: Session) -> None:
        self.line = line
        self.book = book
        self.request = request
        self.frame = frame
        self.session = session
        self.now = NEVER
        self.decision: Decision | None = None
        self.preparation: Preparation | None = None
        self.checked: Checked | None = None
        self.ruling: Ruling | None = None
        self.reply = b""

    def committed(self, first: int | None) -> None:
        self.line.committed(self, first)

    def prepared(self, first: int | None) -> None:
        self.line.prepared(self, first)
