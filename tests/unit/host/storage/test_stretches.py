"""The journal by stretches: no entry is ever outside the ranges in which it is looked for."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from pos_host.journal import EntryQuestion, Posting
from pos_host.ledger.entry import Entry
from pos_host.storage import stretches
from pos_host.storage.lookups import answers
from pos_host.storage.memory import MemoryJournal
from pos_host.storage.sqlite import SqliteJournal
from pos_host.storage.sqlite_file import SCHEMA_VERSION
from pos_host.storage.stretches import NOTHING, STRETCH, Content, StretchRow, filled, ranges_among

SCHEMA_OF_BEFORE = Path(__file__).parent / "schema_4.sql"

Journals = MemoryJournal | SqliteJournal


def entries_by_chance(chance: random.Random, count: int) -> list[Entry]:
    """Times go up, by chance back a little, and sometimes a clock is put back."""
    at_ms, made = 0, []
    for _ in range(count):
        at_ms += chance.randint(-2, 9) if chance.random() < 0.97 else -30
        made.append(Entry(chance.choice(["sale"] * 9 + ["closed", "flag"]), 1, 0, at_ms))
    return made


@pytest.mark.parametrize("seed", range(40))
def test_nothing_that_answers_is_outside_the_ranges(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(stretches, "STRETCH", chance.randint(1, 12))
    entries = entries_by_chance(chance, chance.randint(0, 120))
    rows, content, begin = list[StretchRow](), NOTHING, 0
    while begin < len(entries):
        some = entries[begin : begin + chance.randint(1, 30)]
        more, content = filled(content, begin + 1, [one.kind for one in some], [one.at_ms for one in some])
        rows += more
        begin += len(some)
    known = [row for row in rows if chance.random() < 0.9]
    kinds = {} if chance.random() < 0.3 else {"kind": tuple(chance.sample(["sale", "closed", "flag"], 1))}
    since_ms, until_ms = (chance.choice([None, chance.randint(-10, 400)]) for _ in range(2))
    question = EntryQuestion(kinds, since_ms, until_ms)

    found = ranges_among(known, question, len(entries))

    inside = {no for first, last in found for no in range(first, last + 1)}
    assert (
        {no for no, entry in enumerate(entries, 1) if answers(entry, question)}
        <= inside
        <= {*range(1, len(entries) + 1)}
    )
    assert all(one[1] + 1 < other[0] for one, other in pairwise(found))


def test_a_stretch_says_what_its_entries_hold_however_they_came() -> None:
    kinds, times_ms = ["a"] * STRETCH + ["b"], [*range(STRETCH), 5]
    rows, open_content = filled(NOTHING, 1, kinds, times_ms)
    one_by_one: list[StretchRow] = []
    content = NOTHING
    for place, (kind, at_ms) in enumerate(zip(kinds, times_ms, strict=True), 1):
        more, content = filled(content, place, [kind], [at_ms])
        one_by_one += more

    assert [StretchRow(0, 0, STRETCH - 1, '["a"]')] == rows == one_by_one
    assert Content(5, 5, frozenset("b")) == open_content == content


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Journals:
    return MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path / "store.db")


async def test_a_journal_names_the_ranges_of_a_time_and_of_a_kind(journal: Journals) -> None:
    await _post(journal, [Entry("sale", 1, 1, no) for no in range(1, 2 * STRETCH)])
    await _post(journal, [Entry("flag", 1, 1, 2 * STRETCH)])
    await _post(journal, [Entry("sale", 1, 1, no) for no in range(2 * STRETCH + 1, 3 * STRETCH + 11)])
    last = 3 * STRETCH + 10

    async def asked(question: EntryQuestion) -> list[tuple[int, int]]:
        return await journal.ranges_among(question)

    assert [(1, last)] == await asked(EntryQuestion({}))
    assert [(STRETCH + 1, 2 * STRETCH), (3 * STRETCH + 1, last)] == await asked(EntryQuestion({"kind": ("flag",)}))
    assert [(1, STRETCH), (3 * STRETCH + 1, last)] == await asked(EntryQuestion({}, until_ms=STRETCH))
    assert [(2 * STRETCH + 1, last)] == await asked(EntryQuestion({}, since_ms=2 * STRETCH + 1))
    await journal.close()


async def test_stretches_go_on_over_a_restart_and_over_a_commit_that_failed(tmp_path: Path) -> None:
    half = STRETCH // 2
    journal = SqliteJournal(tmp_path / "store.db")
    await _post(journal, [Entry("flag", 1, 1, 1), *[Entry("sale", 1, 1, 2)] * (half - 1)])
    await journal.close()
    journal = SqliteJournal(tmp_path / "store.db")
    with capture_logs():
        await _post(journal, [Entry("sale", 1, 1, 3)] * STRETCH + [Entry("\ud800", 1, 1, 99)])
    await _post(journal, [Entry("sale", 1, 1, 3)] * half + [Entry("late", 1, 1, 4)])
    await journal.close()

    assert [(0, 1, 3, {"flag", "sale"})] == _stretches_of(tmp_path / "store.db")


async def test_a_store_of_before_gets_its_stretches_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    entries = [Entry("flag" if no == 7 else "sale", 1, 1, no) for no in range(1, 2 * STRETCH + 6)]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(SCHEMA_OF_BEFORE.read_text("utf-8"))
        connection.execute("INSERT INTO identity VALUES ('store_id', 'as before')")
        statement = f"INSERT INTO entry VALUES ({', '.join('?' * (1 + len(Entry._fields)))})"
        connection.execute("BEGIN")
        connection.executemany(statement, [(no, *entry) for no, entry in enumerate(entries, 1)])
        connection.execute("COMMIT")
        connection.execute("PRAGMA user_version=4")

    journal = SqliteJournal(path)
    found = await journal.ranges_among(EntryQuestion({"kind": ("flag",)}))
    await journal.close()

    assert 5 == SCHEMA_VERSION
    assert [(1, STRETCH), (2 * STRETCH + 1, 2 * STRETCH + 5)] == found
    assert [(0, 1, STRETCH, {"flag", "sale"}), (1, STRETCH + 1, 2 * STRETCH, {"sale"})] == _stretches_of(path)


def _stretches_of(path: Path) -> list[tuple[int, int, int, set[str]]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = [StretchRow(*row) for row in connection.execute("SELECT * FROM stretch ORDER BY stretch_no")]
    return [(row.stretch_no, row.since_ms, row.until_ms, set(json.loads(row.kinds))) for row in rows]


async def _post(journal: Journals, entries: list[Entry]) -> None:
    done: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
    journal.post(Posting(tuple(entries), (), done.set_result))
    await done
