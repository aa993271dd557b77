"""A walk over the journal finds every entry once, whatever the size of its ranges and pages."""

from __future__ import annotations

import random

import pytest

from pos_host import entry_walk
from pos_host.entry_walk import Range, Walk
from pos_host.journal import StoredEntry
from pos_host.ledger.entry import Entry


def rows_of(asked: Range, wanted: set[int], at_once: int, *, newest_first: bool) -> list[StoredEntry]:
    """What a journal answers that holds `wanted`, at most `at_once` of it."""
    sequences = sorted((no for no in wanted if asked.first <= no <= asked.last), reverse=newest_first)
    return [StoredEntry(no, Entry("purchase", 1, 1, no)) for no in sequences[:at_once]]


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("seed", range(30))
def test_pages_of_walks_hold_every_entry_once_and_in_order(
    seed: int, newest_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    at_once = chance.randint(1, 6)
    monkeypatch.setattr(entry_walk, "RANGE", chance.randint(1, 9))
    monkeypatch.setattr(entry_walk, "ROWS_AT_ONCE", at_once)
    last, limit = chance.randint(0, 60), chance.randint(1, 7)
    wanted = {no for no in range(1, last + 1) if chance.random() < 0.5}
    odd = {no for no in wanted if no % 2}
    seen: list[int] = []
    cursor: int | None = last + 1 if newest_first else 0
    while cursor is not None:
        through = Range(1, cursor - 1) if newest_first else Range(cursor + 1, last)
        made = Walk(through, limit, lambda stored: stored.sequence in odd, newest_first=newest_first)
        for _ in range(chance.randint(1, 4)):
            if (asked := made.next) is not None:
                made.take(asked, rows_of(asked, wanted, at_once, newest_first=newest_first))
        if made.next is not None:
            made.pause()
        assert limit >= len(made.found)
        seen += [stored.sequence for stored in made.found]
        cursor = made.cursor

    assert sorted(odd, reverse=newest_first) == seen
