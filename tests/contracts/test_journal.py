"""What a journal promises, wherever it keeps its entries."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.journals import (
    InMemory,
    JournalUnderTest,
    OnSqlite,
    authorisation_row,
    batch_row,
    flag_row,
    host_settlement_row,
    payout_row,
    purchase,
    terminal_row,
)
from tests.patience import HANGING_S

from pos_host.journal import EntryQuestion, Found, Journal, Posting, Question, Sought, StoredEntry
from pos_host.ledger.entry import FINANCIAL, SALES, Entry, Row
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.posting import CLOSED_BATCHES_KEPT, SETTLED_BY_HOST_KEPT
from pos_host.ledger.records import record
from pos_host.merchants.audit import NO_ROW, linked


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> JournalUnderTest:
    return InMemory() if request.param == "memory" else OnSqlite(tmp_path / "store.db")


@pytest.fixture
async def opened(store: JournalUnderTest) -> AsyncIterator[list[Journal]]:
    """The journals of a test; the last one is closed at its end."""
    journals = [store.open()]
    yield journals
    await journals[-1].close()


@pytest.fixture
def journal(opened: list[Journal]) -> Journal:
    return opened[0]


async def kept(journal: Journal, *entries: Entry, rows: tuple[Row, ...] = ()) -> int | None:
    """Post and wait; the sequence of the first entry, None when nothing was kept."""
    done: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
    journal.post(Posting(entries, rows, done.set_result))
    async with asyncio.timeout(HANGING_S):
        return await done


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANGING_S):
        while not happened():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.001)


async def test_a_posting_is_done_with_the_sequence_of_its_first_entry(journal: Journal) -> None:
    assert 1 == await kept(journal, purchase(1))
    assert 2 == await kept(journal, purchase(2), purchase(3))
    assert 4 == await kept(journal, purchase(4))


async def test_a_posting_without_entries_is_done_too(journal: Journal) -> None:
    assert 1 == await kept(journal, rows=(terminal_row(),))
    assert 1 == await kept(journal, purchase(1))


async def test_postings_are_done_in_the_order_they_were_posted(journal: Journal) -> None:
    done: list[tuple[int, int | None]] = []
    for number in range(200):
        journal.post(Posting((purchase(number),), (), lambda first, number=number: done.append((number, first))))

    await until(lambda: len(done) == 200)

    assert [(number, number + 1) for number in range(200)] == done


async def test_what_was_posted_while_a_commit_ran_is_kept_in_order(journal: Journal) -> None:
    done: list[int | None] = []

    def post(number: int) -> None:
        def after(first: int | None) -> None:
            done.append(first)
            if number < 20:
                post(number + 1)

        journal.post(Posting((purchase(number),), (), after))

    post(1)
    await until(lambda: len(done) == 20)

    assert list(range(1, 21)) == done
    assert [purchase(number) for number in range(1, 21)] == [
        stored.entry for stored in await journal.entries_after(0, 99)
    ]


async def test_done_is_called_on_the_loop_and_never_inside_post(journal: Journal) -> None:
    calls: list[bool] = []
    posting = True

    def done(first: int | None) -> None:
        calls.append(posting)
        asyncio.get_running_loop()

    journal.post(Posting((purchase(1),), (), done))
    posting = False
    await until(lambda: bool(calls))

    assert [False] == calls


async def test_many_postings_need_few_commits(journal: Journal) -> None:
    commits: list[int] = []
    done: list[int | None] = []
    journal.set_listener(lambda: commits.append(len(done)))
    for number in range(300):
        journal.post(Posting((purchase(number),), (), done.append))

    await until(lambda: len(done) == 300)

    assert len(commits) < 30
    assert 300 == commits[-1]


async def test_the_listener_is_called_after_the_postings_are_done(journal: Journal) -> None:
    told: list[str] = []
    journal.set_listener(lambda: told.append("commit"))
    journal.post(Posting((purchase(1),), (), lambda first: told.append("done")))
    journal.post(Posting((purchase(2),), (), lambda first: told.append("done")))

    await until(lambda: told.count("done") == 2 and told[-1] == "commit")

    assert "done" == told[0]


async def test_entries_come_back_as_they_were(journal: Journal) -> None:
    entries = [
        purchase(1),
        purchase(2, outcome="invalid_card", detail=json.dumps({"reason": "卡号错误"})),
        Entry("unsettled", 1, 0, 5),
        purchase(3, amount_minor=999_999_999_999, card="", card_print=""),
    ]
    await kept(journal, *entries)

    assert [StoredEntry(place, entry) for place, entry in enumerate(entries, 1)] == await journal.entries_after(0, 10)


async def test_entries_after_a_sequence_come_in_pages(journal: Journal) -> None:
    await kept(journal, *[purchase(number) for number in range(1, 8)])

    pages = [[stored.sequence for stored in await journal.entries_after(after, 3)] for after in (0, 3, 6, 7, 99)]

    assert [[1, 2, 3], [4, 5, 6], [7], [], []] == pages


async def test_what_was_kept_is_there_when_it_is_opened_again(
    store: JournalUnderTest, opened: list[Journal], journal: Journal
) -> None:
    rows = (terminal_row(), batch_row(), flag_row())
    await kept(journal, purchase(1), purchase(2), rows=rows)
    before = journal.load()
    store_id = journal.store_id

    opened.append(await store.reopen(journal))

    snapshot = opened[-1].load()
    assert before == snapshot
    assert ([rows[0]], [rows[1]], [rows[2]]) == (snapshot.terminals, snapshot.batches, snapshot.flags)
    assert [StoredEntry(1, purchase(1)), StoredEntry(2, purchase(2))] == snapshot.entries
    assert store_id == opened[-1].store_id
    assert 3 == await kept(opened[-1], purchase(3))


async def test_what_was_posted_before_closing_is_kept_and_done(
    store: JournalUnderTest, opened: list[Journal], journal: Journal
) -> None:
    done: list[int | None] = []
    for number in range(1, 51):
        journal.post(Posting((purchase(number),), (), done.append))

    opened.append(await store.reopen(journal))

    assert list(range(1, 51)) == done
    assert 50 == len(await opened[-1].entries_after(0, 99))


async def test_an_empty_journal_loads_nothing(journal: Journal) -> None:
    assert [[]] * 9 + [None] == [part if part is None else list(part) for part in journal.load()]


async def test_a_row_takes_the_place_of_the_one_before(journal: Journal) -> None:
    await kept(journal, rows=(terminal_row(number_known=0), batch_row(), flag_row()))
    await kept(journal, rows=(terminal_row(), batch_row(state="uploading"), flag_row(severity="")))

    snapshot = journal.load()
    assert [terminal_row()] == snapshot.terminals
    assert [batch_row(state="uploading")] == snapshot.batches
    assert [flag_row(severity="")] == snapshot.flags


async def test_of_two_rows_in_one_posting_the_later_stands(journal: Journal) -> None:
    await kept(journal, rows=(batch_row(), batch_row(state="settled")))

    assert batch_row(state="settled") == await journal.batch(100_001)


async def test_load_gives_the_batches_a_book_remembers_and_their_entries(journal: Journal) -> None:
    rows = [batch_row(ordinal, state="settled") for ordinal in range(1, 5)] + [batch_row(5)]
    entries = [purchase(ordinal, batch=100_000 + ordinal) for ordinal in range(1, 6)]
    await kept(journal, *entries, Entry("refused", 1, 0, 5), rows=(terminal_row(), *rows))

    snapshot = journal.load()

    remembered = rows[-1 - CLOSED_BATCHES_KEPT :]
    assert remembered == snapshot.batches
    assert entries[-1 - CLOSED_BATCHES_KEPT :] == [stored.entry for stored in snapshot.entries]


async def test_an_upload_that_never_ended_is_remembered_however_old(journal: Journal) -> None:
    rows = [
        batch_row(1, state="uploading"),
        *[batch_row(ordinal, state="settled") for ordinal in range(2, 6)],
        batch_row(6),
    ]
    await kept(journal, purchase(1, batch=100_001), purchase(2, batch=100_002), rows=(terminal_row(), *rows))

    snapshot = journal.load()

    assert [100_001, 100_004, 100_005, 100_006] == [row.batch_id for row in snapshot.batches]
    assert [purchase(1, batch=100_001)] == [stored.entry for stored in snapshot.entries]


async def test_batches_of_a_terminal_come_newest_first_in_pages(journal: Journal) -> None:
    mine = [batch_row(ordinal) for ordinal in range(1, 6)]
    await kept(journal, rows=(*mine, batch_row(1, terminal_no=2)))

    first = await journal.batches_of(1, 0, 2)
    second = await journal.batches_of(1, first[-1].batch_id, 2)
    third = await journal.batches_of(1, second[-1].batch_id, 2)

    assert [mine[4], mine[3], mine[2], mine[1], mine[0]] == [*first, *second, *third]
    assert [] == await journal.batches_of(1, third[-1].batch_id, 2)
    assert [] == await journal.batches_of(3, 0, 2)


async def test_a_batch_is_found_by_its_id(journal: Journal) -> None:
    await kept(journal, rows=(batch_row(),))

    assert (batch_row(), None) == (await journal.batch(100_001), await journal.batch(7))


# -- looking for an original


def refund(stan: int, of: Entry, amount_minor: int, *, batch: int = 100_002) -> Entry:
    detail = json.dumps({"original_rrn": of.rrn})
    return purchase(stan, batch=batch, kind="refund", amount_minor=amount_minor, original=of.key, detail=detail)


def reversal(of: Entry, **columns: object) -> Entry:
    return of._replace(kind="reversal", mti="0400", key=f"4{of.stan}", original=of.key, **columns)  # type: ignore[arg-type]


def by_rrn(rrn: str) -> Sought:
    return Sought(SALES, "", "", rrn)


async def test_a_purchase_is_found_by_rrn_or_by_batch_and_stan(journal: Journal) -> None:
    rows = (terminal_row(), batch_row(1, state="settled"), batch_row(2))
    await kept(journal, purchase(1), purchase(2), purchase(1, batch=100_002, rrn="000001000009"), rows=rows)

    async def found(number: str, stan: str, rrn: str) -> int | None:
        answer = await journal.find_original(1, Sought(SALES, number, stan, rrn))
        return None if answer is None else answer.stored.sequence

    assert 1 == await found("", "", "000001000001")
    assert 1 == await found("000001", "000001", "")
    assert 3 == await found("000002", "000001", "")
    assert 3 == await found("", "000001", "")
    assert 2 == await found("000001", "000002", "000001000002")
    assert None is await found("000002", "000002", "")
    assert None is await found("000001", "000001", "000001000002")
    assert None is await found("", "", "000001000077")


async def test_another_terminals_purchase_is_not_found(journal: Journal) -> None:
    await kept(journal, purchase(1), rows=(terminal_row(), batch_row()))

    assert await journal.find_original(2, by_rrn("000001000001")) is None


async def test_a_terminal_finds_what_those_sold_whose_place_it_took(journal: Journal) -> None:
    sale = purchase(1)
    later = refund(51, sale, 10_00)._replace(terminal_no=2, batch_id=200_001)
    await kept(journal, sale, later, rows=(terminal_row(), batch_row()))

    sought = by_rrn(sale.rrn)._replace(predecessors=(1,))
    expected = Found(StoredEntry(1, sale), sale.amount_minor, 10_00, False, False)
    assert expected == await journal.find_original(2, sought)
    assert await journal.find_original(3, by_rrn(sale.rrn)._replace(predecessors=(2,))) is None


async def test_what_was_refunded_of_a_purchase_is_added_up(journal: Journal) -> None:
    sale = purchase(50)
    declined = refund(53, sale, 7_00)._replace(outcome="original_differs")
    await kept(journal, sale, refund(51, sale, 10_00), refund(52, sale, 5_00), declined, rows=(batch_row(),))

    assert Found(StoredEntry(1, sale), sale.amount_minor, 15_00, False, False) == await journal.find_original(
        1, by_rrn(sale.rrn)
    )


async def test_a_refund_of_another_purchase_with_the_same_key_does_not_count(journal: Journal) -> None:
    sale = purchase(50)
    namesake = purchase(50, batch=100_002, rrn="000001000099")
    await kept(journal, sale, namesake, refund(51, namesake, 10_00), rows=(batch_row(1), batch_row(2)))

    assert Found(StoredEntry(1, sale), sale.amount_minor, 0, False, False) == await journal.find_original(
        1, by_rrn(sale.rrn)
    )


async def test_a_reversed_refund_does_not_count(journal: Journal) -> None:
    sale = purchase(50)
    back = refund(51, sale, 10_00)
    await kept(journal, sale, back, reversal(back), rows=(batch_row(1), batch_row(2)))

    assert Found(StoredEntry(1, sale), sale.amount_minor, 0, False, False) == await journal.find_original(
        1, by_rrn(sale.rrn)
    )


async def test_a_voided_or_reversed_purchase_is_found_as_such(journal: Journal) -> None:
    voided, reversed_, restored = purchase(1), purchase(2), purchase(3)
    void = purchase(11, kind="purchase_void", original=voided.key)
    void_taken_back = purchase(13, kind="purchase_void", original=restored.key)
    await kept(
        journal,
        voided,
        reversed_,
        restored,
        void,
        reversal(reversed_),
        void_taken_back,
        reversal(void_taken_back),
        rows=(batch_row(),),
    )

    async def fate(sale: Entry) -> tuple[bool, bool]:
        found = await journal.find_original(1, by_rrn(sale.rrn))
        assert found is not None
        return found.voided, found.reversed

    assert [(True, False), (False, True), (False, False)] == [
        await fate(sale) for sale in (voided, reversed_, restored)
    ]


async def test_a_reversal_that_was_refused_reversed_nothing(journal: Journal) -> None:
    sale = purchase(1)
    await kept(journal, sale, reversal(sale, outcome="original_differs"), rows=(batch_row(),))

    assert Found(StoredEntry(1, sale), sale.amount_minor, 0, False, False) == await journal.find_original(
        1, by_rrn(sale.rrn)
    )


async def test_only_the_functions_sought_are_found(journal: Journal) -> None:
    auth, sale = purchase(1, kind="auth"), purchase(2, kind="completion")
    await kept(journal, auth, sale, rows=(batch_row(),))

    async def found(functions: frozenset[str], stan: str) -> bool:
        return await journal.find_original(1, Sought(functions, "000001", stan, "")) is not None

    assert [False, True, True] == [
        await found(SALES, "000001"),
        await found(SALES, "000002"),
        await found(FINANCIAL, "000001"),
    ]


async def test_an_adjusted_sale_is_found_with_its_new_amount_and_a_voided_refund_gave_nothing_back(
    journal: Journal,
) -> None:
    sale = purchase(50)
    adjust = purchase(51, kind="adjust", amount_minor=60_00, original=sale.key)
    back = refund(52, sale, 10_00, batch=100_001)
    void = purchase(53, kind="refund_void", original=back.key)
    kept_back = refund(54, sale, 7_00, batch=100_001)
    await kept(journal, sale, adjust, back, void, kept_back, rows=(batch_row(),))

    found = await journal.find_original(1, by_rrn(sale.rrn))

    assert Found(StoredEntry(1, sale), 60_00, 7_00, False, False) == found
    assert (60_00, 7_00) == (found.transaction().amount_minor, found.transaction().refunded_minor)


# -- authorisations


async def test_open_authorisations_come_back_and_finished_ones_while_their_batch_is_remembered(
    journal: Journal, store: JournalUnderTest, opened: list[Journal]
) -> None:
    rows = [
        authorisation_row(1),
        authorisation_row(2, state="completed"),
        authorisation_row(3, state="completed", batch=100_001),
    ]
    batches = [batch_row(1, state="settled"), *[batch_row(n, state="settled") for n in (2, 3)], batch_row(4)]
    await kept(journal, purchase(1), rows=(*batches, *rows))
    await kept(journal, rows=(rows[0]._replace(amount_minor=7_00),))

    opened.append(await store.reopen(journal))

    expected = [rows[0]._replace(amount_minor=7_00), rows[1]]
    assert expected == sorted(opened[-1].load().authorisations)


# -- the host's own settlements


async def test_how_the_hosts_own_settlement_stands_comes_back_as_it_was_written_last(
    journal: Journal, store: JournalUnderTest, opened: list[Journal]
) -> None:
    rows = [host_settlement_row(1), host_settlement_row(2), host_settlement_row(1, result="carried_over")]
    for row in rows:
        await kept(journal, rows=(row,))

    opened.append(await store.reopen(journal))

    assert [rows[2], rows[1]] == sorted(opened[-1].load().host_settlements)


async def test_batches_the_host_settled_are_remembered_for_longer(
    journal: Journal, store: JournalUnderTest, opened: list[Journal]
) -> None:
    by_host = [batch_row(n, state="settled")._replace(result="settled_by_host") for n in range(1, 20)]
    await kept(journal, rows=(*by_host, *[batch_row(n, state="settled") for n in (20, 21, 22)], batch_row(23)))

    opened.append(await store.reopen(journal))

    remembered = sorted(row.batch_id % 100_000 for row in opened[-1].load().batches)
    assert [*range(20 - SETTLED_BY_HOST_KEPT, 20), 21, 22, 23] == remembered


# -- marks


async def test_a_mark_is_zero_until_it_is_set(journal: Journal) -> None:
    assert 0 == await journal.get_mark("published")

    await journal.set_mark("published", 41)
    await journal.set_mark("published", 42)
    await journal.set_mark("other", 7)

    assert (42, 7) == (await journal.get_mark("published"), await journal.get_mark("other"))


async def test_marks_are_there_when_it_is_opened_again(
    store: JournalUnderTest, opened: list[Journal], journal: Journal
) -> None:
    await kept(journal, purchase(1))
    await journal.set_mark("published", 1)

    opened.append(await store.reopen(journal))

    assert 1 == await opened[-1].get_mark("published")


# -- commits that fail


async def test_a_commit_that_fails_is_done_with_none_and_keeps_nothing(
    store: JournalUnderTest, journal: Journal
) -> None:
    await kept(journal, purchase(1), rows=(terminal_row(), batch_row()))
    before = journal.load()
    mend = store.fail_commits(journal)

    assert None is await kept(journal, purchase(2), rows=(batch_row(state="settled"), flag_row()))
    assert before == journal.load()

    mend()
    assert 2 == await kept(journal, purchase(3))
    assert [purchase(1), purchase(3)] == [stored.entry for stored in await journal.entries_after(0, 9)]


async def test_every_posting_of_a_failing_commit_is_done_with_none(store: JournalUnderTest, journal: Journal) -> None:
    await kept(journal, purchase(1))
    mend = store.fail_commits(journal)
    done: list[int | None] = []
    for number in range(2, 12):
        journal.post(Posting((purchase(number),), (), done.append))

    await until(lambda: len(done) == 10)

    assert [None] * 10 == done
    mend()
    assert 2 == await kept(journal, purchase(12))


async def test_the_listener_is_called_after_a_failing_commit_too(store: JournalUnderTest, journal: Journal) -> None:
    """Answers to what failed wait in the sessions until then."""
    await kept(journal, purchase(1))
    told: list[str] = []
    journal.set_listener(lambda: told.append("commit"))
    mend = store.fail_commits(journal)

    await kept(journal, purchase(2))
    await asyncio.sleep(0.01)

    assert ["commit"] == told
    mend()


async def test_a_question_gets_the_rows_that_fit_in_their_order(journal: Journal) -> None:
    rows = tuple(record(kind, number, "M1", "new", 5, {}) for kind in ("b", "a") for number in "132")
    assert 1 == await kept(journal, purchase(1), rows=rows)

    async def numbers(**more: Any) -> list[str]:
        return [r.record_id for r in await journal.select(Question(RecordRow, {"kind": "a"}, key_column=1, **more))]

    assert (["1", "2", "3"], ["3", "2"]) == (await numbers(), await numbers(newest_first=True, limit=2))
    assert (["2", "3"], ["1"]) == (await numbers(after="1"), await numbers(after="2", newest_first=True))
    assert [] == await journal.select(Question(RecordRow, {"kind": "a", "merchant_id": "M2"}))


async def test_records_are_there_after_a_restart_in_the_order_they_were_made(
    opened: list[Journal], store: JournalUnderTest
) -> None:
    ids = ["zoe", *(str(number) for number in range(1, 13)), "adam"]
    for number, record_id in enumerate([*ids, "2"]):
        paper = record("paper", record_id, "M1", "written", number, {})
        await kept(opened[-1], purchase(number + 1), rows=(paper,))

    opened.append(await store.reopen(opened[-1]))

    assert ids == [row.record_id for row in opened[-1].load().records]


async def test_records_open_payouts_and_the_end_of_the_trail_are_there_after_a_restart(
    opened: list[Journal], store: JournalUnderTest
) -> None:
    papers = record("paper", "1", "M1", "written", 5, {}), record("paper", "1", "M1", "signed", 6, {})
    payouts = [payout_row(7, state="pending"), payout_row(8, state="made"), payout_row(9, state="held")]
    first = linked(NO_ROW, NO_ROW._replace(actor="eve"))
    last = linked(first, NO_ROW._replace(actor="bob"))
    assert 1 == await kept(opened[-1], purchase(1), rows=(*papers, *payouts, first, last))

    opened.append(await store.reopen(opened[-1]))
    snapshot = opened[-1].load()
    assert ([papers[1]], last) == (list(snapshot.records), snapshot.audited)
    assert [payouts[0], payouts[2]] == sorted(snapshot.payouts)


async def test_entries_are_found_by_their_columns_and_time_within_a_range_from_either_end(journal: Journal) -> None:
    entries = [purchase(number)._replace(terminal_no=1 + number % 3, at_ms=1000 * number) for number in range(1, 13)]
    await kept(journal, *entries)
    question = EntryQuestion({"terminal_no": (1, 2), "kind": ("purchase",)}, since_ms=3000, until_ms=10_000)
    fitting = [no for no in range(3, 11) if no % 3 != 2]

    forward = await journal.entries_among(question, 1, 12, 99)
    back = await journal.entries_among(question, 4, 9, 2, newest_first=True)

    assert fitting == [stored.sequence for stored in forward]
    assert [entries[no - 1] for no in fitting] == [stored.entry for stored in forward]
    assert [9, 7] == [stored.sequence for stored in back]
    assert [] == await journal.entries_among(EntryQuestion({"terminal_no": ()}), 1, 12, 99)
    assert [] == await journal.entries_among(EntryQuestion({}), 13, 2**63 - 1, 99)


async def test_the_last_sequence_is_that_of_the_last_entry_committed(journal: Journal) -> None:
    assert 0 == await journal.last_sequence()
    await kept(journal, purchase(1), purchase(2))
    assert 2 == await journal.last_sequence()
