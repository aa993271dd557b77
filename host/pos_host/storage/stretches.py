"""The journal by stretches: kinds and times of a thousand entries each, so that a search reads where it may find.

An index of entries would cost every sale a page; a stretch costs one row in a thousand. Times are bounds and not an
order: a clock that was put back leaves entries behind that are older than those before them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pos_host.journal import EntryQuestion

STRETCH = 1_000
"""Entries of a stretch: as many as one question answers at most (ROWS_AT_ONCE), so that a stretch is one answer. Those
written last, which fill none yet, are always read."""


class StretchRow(NamedTuple):
    """A full stretch: its number from 0, the earliest and latest time (UTC milliseconds) of its entries, both included,
    and their kinds as a JSON list. It holds the sequences from `stretch_no` × STRETCH + 1 on."""

    stretch_no: int
    since_ms: int
    until_ms: int
    kinds: str


class Content(NamedTuple):
    """What the entries of a stretch that is being filled hold."""

    since_ms: int
    until_ms: int
    kinds: frozenset[str]


NOTHING = Content(2**63 - 1, -(2**63), frozenset())


def filled(
    content: Content, first: int, kinds: Sequence[str], times_ms: Sequence[int]
) -> tuple[list[StretchRow], Content]:
    """The stretches that entries from the sequence `first` on fill, and what the one after them holds then; `kinds` and
    `times_ms` have one value an entry."""
    rows: list[StretchRow] = []
    begin = 0
    while begin < len(kinds):
        room = STRETCH - (first + begin - 1) % STRETCH
        end = min(begin + room, len(kinds))
        times = times_ms[begin:end]
        since_ms, until_ms = min(content.since_ms, *times), max(content.until_ms, *times)
        content = Content(since_ms, until_ms, content.kinds.union(kinds[begin:end]))
        if end - begin == room:
            rows.append(StretchRow((first + end - 2) // STRETCH, since_ms, until_ms, json.dumps(sorted(content.kinds))))
            content = NOTHING
        begin = end
    return rows, content


def ranges_among(rows: Iterable[StretchRow], question: EntryQuestion, last: int) -> list[tuple[int, int]]:
    """The ranges of the sequences 1 to `last`, in order and apart, outside which no entry answers `question`.

    A stretch of which no row tells is read.
    """
    wanted = question.among.get("kind")
    known: dict[str, bool] = {}
    ruled_out: set[int] = set()
    for row in rows:
        fits = known.get(row.kinds)
        if fits is None:
            fits = known[row.kinds] = wanted is None or not set(wanted).isdisjoint(json.loads(row.kinds))
        early = question.since_ms is not None and row.until_ms < question.since_ms
        late = question.until_ms is not None and question.until_ms < row.since_ms
        if not fits or early or late:
            ruled_out.add(row.stretch_no)
    found: list[tuple[int, int]] = []
    for number in range((last + STRETCH - 1) // STRETCH):
        if number in ruled_out:
            continue
        begin, end = number * STRETCH + 1, min((number + 1) * STRETCH, last)
        if found and found[-1][1] == begin - 1:
            begin = found.pop()[0]
        found.append((begin, end))
    return found
