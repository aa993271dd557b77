"""What waits for a commit: a request on its way, a refusal, a note of the host's own.

Each has `committed`, which the journal calls with the sequence of the first entry, or with None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pos_host.clock import Instant
from pos_host.enrolment import Preparation
from pos_host.ledger.book import Book
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import Entry
from pos_host.ledger.posting import apply_entry
from pos_host.ledger.registry import Registry
from pos_host.security.guard import Checked
from pos_host.session import Session
from pos_host.transaction.request import Request
from pos_specs.framing import Frame

if TYPE_CHECKING:
    from pos_host.pipeline import Pipeline
    from pos_host.rules.ruling import Ruling

NEVER = Instant(0, "", "", "")
"""The time of a turn that was not taken yet."""


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
        "now",
        "pipeline",
        "preparation",
        "reply",
        "request",
        "ruling",
        "session",
    )

    def __init__(self, pipeline: Pipeline, book: Book | None, request: Request, frame: Frame, session: Session) -> None:
        self.pipeline = pipeline
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
        self.pipeline.committed(self, first)

    def prepared(self, first: int | None) -> None:
        self.pipeline.prepared(self, first)


class Refusal:
    """An answer to something that is no transaction, waiting for its commit."""

    __slots__ = ("_data", "_send", "_session")

    def __init__(self, send: Callable[[Session, bytes], None], session: Session, data: bytes) -> None:
        self._send = send
        self._session = session
        self._data = data

    def committed(self, first: int | None) -> None:
        self._send(self._session, self._data)


class Note:
    """An entry the host writes of its own accord, to be applied when it is kept."""

    __slots__ = ("_book", "_entry", "_registry")

    def __init__(self, registry: Registry, book: Book, entry: Entry) -> None:
        self._registry = registry
        self._book = book
        self._entry = entry

    def committed(self, first: int | None) -> None:
        if first is not None:
            apply_entry(self._book, self._entry, first)
            self._registry.touched(self._book)
