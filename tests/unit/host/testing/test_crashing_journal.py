"""A journal that dies with its host: what was committed is there for the next one, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from pos_host.journal import Posting
from pos_host.ledger.entry import Entry
from pos_host.testing.crashing_journal import CrashingJournal, CrashPoint
from pos_host.testing.virtual_loop import run_virtually


class Poster:
    """Posts entries and notes what it was told of each."""

    def __init__(self, journal: CrashingJournal) -> None:
        self.journal = journal
        self.told: dict[str, int | None] = {}

    def post(self, stan: str) -> None:
        def done(first: int | None) -> None:
            self.told[stan] = first

        self.journal.post(Posting((Entry("purchase", 1, 1, 0, stan=stan),), (), done))


def stans(journal: CrashingJournal) -> list[str]:
    return [stored.entry.stan for stored in journal.entries]


def test_what_waits_when_the_host_dies_was_never_posted() -> None:
    async def die() -> tuple[Poster, CrashingJournal]:
        poster = Poster(CrashingJournal(commit_s=0.02))
        poster.post("000001")
        await asyncio.sleep(1)
        poster.post("000002")
        poster.journal.die()
        await asyncio.sleep(1)
        return poster, poster.journal.successor()

    poster, successor = run_virtually(die())
    assert {"000001": 1} == poster.told
    assert ["000001"] == stans(successor)


@pytest.mark.parametrize(("point", "kept"), [(CrashPoint.BEFORE_COMMIT, []), (CrashPoint.AFTER_COMMIT, ["000001"])])
def test_a_crash_in_a_commit_keeps_all_of_it_or_nothing_and_tells_nobody(point: CrashPoint, kept: list[str]) -> None:
    async def crash() -> tuple[Poster, list[str]]:
        crashed: list[str] = []
        poster = Poster(CrashingJournal(crashed=lambda: crashed.append("crashed")))
        poster.journal.crash_next = point
        poster.post("000001")
        await asyncio.sleep(1)
        return poster, crashed

    poster, crashed = run_virtually(crash())
    assert ({}, ["crashed"]) == (poster.told, crashed)
    assert kept == stans(poster.journal.successor())


def test_the_dead_journal_and_its_successor_share_nothing() -> None:
    async def go_on() -> tuple[list[str], list[str]]:
        dead = CrashingJournal()
        Poster(dead).post("000001")
        await asyncio.sleep(1)
        dead.die()
        successor = dead.successor()
        Poster(successor).post("000002")
        Poster(dead).post("000003")
        await asyncio.sleep(1)
        return stans(dead), stans(successor)

    assert (["000001"], ["000001", "000002"]) == run_virtually(go_on())


def test_failed_commits_are_told_and_counted() -> None:
    async def fail() -> tuple[Poster, int]:
        poster = Poster(CrashingJournal())
        poster.journal.fail_next = 1
        poster.post("000001")
        await asyncio.sleep(1)
        poster.post("000002")
        await asyncio.sleep(1)
        return poster, poster.journal.failed

    poster, failed = run_virtually(fail())
    assert {"000001": None, "000002": 1} == poster.told
    assert 1 == failed
