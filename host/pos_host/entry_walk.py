"""A walk over the journal in search of entries: range by range, so that the host's other reading goes on in between,
and over those ranges alone in which, by the journal's word, there may be one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from pos_host.journal import ROWS_AT_ONCE, EntryQuestion, Journal, StoredEntry

RANGE = 20_000
"""Sequences that are looked through in one go: some ten milliseconds of a reading thread."""

RANGES_MOST = 50
"""Ranges of one page. A walk that found too little goes on with the next page, from where this one ended."""


class Range(NamedTuple):
    """Sequences to read next, both included."""

    first: int
    last: int


class Walk:
    """Where a walk has got to, and what it found: `limit` entries at most, and `cursor`, from which another walk goes
    on (None at the end). `fits` says of an entry that was read whether it is wanted. Pure: who reads is the caller.
    """

    def __init__(
        self,
        through: Range,
        limit: int,
        fits: Callable[[StoredEntry], bool] = lambda stored: True,
        *,
        newest_first: bool = False,
    ) -> None:
        self.found: list[StoredEntry] = []
        self.cursor: int | None = None
        self._left = through
        self._among = [through]
        self._limit = limit
        self._fits = fits
        self.newest_first = newest_first

    @property
    def next(self) -> Range | None:
        """What to read next, ROWS_AT_ONCE of it at most; None once there is nothing more to read."""
        if self.cursor is not None:
            return None
        while self._among:
            first, last = self._clipped(self._among[-1])
            if first <= last and self.newest_first:
                return Range(max(first, last - RANGE + 1), last)
            if first <= last:
                return Range(first, min(last, first + RANGE - 1))
            self._among.pop()
        return None

    def _clipped(self, part: Range) -> Range:
        """What of a range is not read yet."""
        return Range(max(part.first, self._left.first), min(part.last, self._left.last))

    def keep_to(self, ranges: list[tuple[int, int]]) -> None:
        """Read within `ranges` alone, which are in order: elsewhere nothing is wanted."""
        made = [Range(*one) for one in ranges]
        self._among = made if self.newest_first else made[::-1]

    def take(self, asked: Range, rows: list[StoredEntry]) -> None:
        """What was read of the range that was asked for, in the walk's order."""
        for stored in filter(self._fits, rows):
            if len(self.found) == self._limit:
                self.cursor = self.found[-1].sequence
                return
            self.found.append(stored)
        whole = len(rows) < ROWS_AT_ONCE
        if self.newest_first:
            self._left = Range(self._left.first, (asked.first if whole else rows[-1].sequence) - 1)
        else:
            self._left = Range((asked.last if whole else rows[-1].sequence) + 1, self._left.last)

    def pause(self) -> None:
        """End here: another walk goes on from `cursor`."""
        asked = self.next
        if asked is not None:
            self.cursor = asked.last + 1 if self.newest_first else asked.first - 1


async def walk(journal: Journal, question: EntryQuestion, made: Walk) -> Walk:
    """The walk `made` once it is done, or has gone over RANGES_MOST ranges."""
    made.keep_to(await journal.ranges_among(question))
    for _ in range(RANGES_MOST):
        asked = made.next
        if asked is None:
            return made
        rows = await journal.entries_among(question, *asked, ROWS_AT_ONCE, newest_first=made.newest_first)
        made.take(asked, rows)
    made.pause()
    return made


async def every(journal: Journal, question: EntryQuestion) -> AsyncIterator[StoredEntry]:
    """Every entry that answers `question`, in order."""
    for first, last in await journal.ranges_among(question):
        after = first - 1
        while after < last:
            asked = Range(after + 1, min(last, after + RANGE))
            rows = await journal.entries_among(question, *asked, ROWS_AT_ONCE)
            for stored in rows:
                yield stored
            after = asked.last if len(rows) < ROWS_AT_ONCE else rows[-1].sequence
