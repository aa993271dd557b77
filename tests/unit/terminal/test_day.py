"""A business day against a scripted host, and what is made of it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.unit.terminal.fake_api import TOKEN, a_batch, api
from tests.unit.terminal.scripted_host import MERCHANT, NOW, Changes, ScriptedHost, with_codes
from tests.unit.terminal.tcp_host import TcpHost, serving

from pos_specs.currencies import find_currency
from pos_specs.framing import Framer, reply_frame
from pos_specs.totals import Side
from pos_terminal.addresses import Address
from pos_terminal.applications.application import Books
from pos_terminal.client import NoConnection
from pos_terminal.day import RECONNECTIONS, DaySettings, differences, live_day, stan_for
from pos_terminal.day_plan import plan_day, terminal_id
from pos_terminal.day_report import DayReport
from pos_terminal.host_books import HostBatch, HostBooks
from pos_terminal.memory import LAST_NUMBER

DISPUTE: dict[str, Changes] = {
    "unionpay": {48: with_codes("0" * 62, "2", "1")},
    "hypercom": {39: "95"},
    "iso87-ascii": {66: "2"},
    "iso93-ascii": {39: "501"},
}


def settings_for(tcp: TcpHost, **changes: Any) -> DaySettings:
    values: dict[str, Any] = {
        "address": Address("127.0.0.1", tcp.port),
        "language": tcp.host.language,
        "merchant_id": MERCHANT,
        "currency": "156",
        "lose_percent": 0.0,
        "timeout_s": 8.0,
        "clock": lambda: NOW,
    }
    return DaySettings(**values | changes)


def plan(**changes: Any) -> Any:
    values: dict[str, Any] = {
        "seed": 7,
        "terminals": 1,
        "transactions": 12,
        "disagree": 0,
        "forget": 0,
        "prefix": "T",
    }
    return plan_day(**values | changes)


async def live(host: ScriptedHost, **changes: Any) -> DayReport:
    with serving(host) as tcp:
        return await live_day(plan(**changes), settings_for(tcp), None)


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom", "iso87-ascii", "iso93-ascii", "base24-pos"])
async def test_a_day_without_trouble_ends_balanced(dialect: str) -> None:
    report = await live(ScriptedHost(dialect), terminals=3)

    document = report.to_json()
    assert {"balanced": 3, "balanced_after_upload": 0, "out_of_balance": 0, "unsettled": 0} == document["outcomes"]
    assert 36 == sum(document[name]["count"] for name in ("sold", "voided", "refunded"))
    assert (True, None) == (report.succeeded, document["books_differ"])


async def test_the_document_is_the_one_of_the_contract() -> None:
    report = await live(ScriptedHost("unionpay"))

    assert [
        "terminals",
        "outcomes",
        "sold",
        "voided",
        "refunded",
        "reversed",
        "settled",
        "unsettled_terminals",
        "books_differ",
        "seed",
    ] == list(report.to_json())


@pytest.mark.parametrize(
    ("dialect", "outcome"),
    [
        ("unionpay", "balanced_after_upload"),
        ("hypercom", "balanced_after_upload"),
        ("iso87-ascii", "out_of_balance"),
        ("iso93-ascii", "out_of_balance"),
    ],
)
async def test_a_terminal_that_disagrees_ends_as_its_dialect_lets_it(dialect: str, outcome: str) -> None:
    host = ScriptedHost(dialect)
    host.will("settlement", DISPUTE[dialect])

    report = await live(host, disagree=1)

    assert outcome == report.terminals[0].outcome
    assert report.succeeded


async def test_a_terminal_that_forgets_is_named() -> None:
    report = await live(ScriptedHost("unionpay"), forget=1)

    assert ["T0000001"] == report.to_json()["unsettled_terminals"]
    assert report.succeeded


async def test_a_terminal_that_disputes_without_being_told_to_is_a_failure() -> None:
    host = ScriptedHost("hypercom")
    host.will("settlement", DISPUTE["hypercom"])

    report = await live(host)

    assert not report.succeeded
    assert ["T0000001: balanced_after_upload, not balanced"] == report.complaints()


async def test_a_refused_settlement_is_a_failure_with_its_code() -> None:
    host = ScriptedHost("hypercom")
    host.will("settlement", {39: "80"})

    report = await live(host)

    assert "unsettled, not balanced (the host refused the settlement (80))" in report.complaints()[0]


class RestartedHost:
    """A scripted host that goes away instead of giving its answer number `ends_at`, and is there again after a pause.

    What it goes away with it has heard: its books know of it, and the terminal does not.
    """

    def __init__(self, host: ScriptedHost, ends_at: int, *, comes_back: bool = True) -> None:
        self.host, self.ends_at, self.comes_back = host, ends_at, comes_back
        self.port = self.answers = self.pauses = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None] | None] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def pause(self, seconds: float) -> None:
        self.pauses += 1
        if self._server is None and self.comes_back:
            await self.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()

    async def end(self) -> None:
        self.stop()
        await asyncio.gather(*(task for task in self._serving if task is not None), return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        framing = self.host.language.dialect.framing
        framer = Framer(framing)
        self._writers.add(writer)
        self._serving.add(asyncio.current_task())
        while data := await reader.read(65536):
            for frame in framer.receive_data(data):
                answer = self.host.answer(self.host.language.decode(frame.body))
                self.answers += 1
                if self.answers == self.ends_at:
                    self.stop()
                    return
                assert answer is not None
                writer.write(reply_frame(framing, frame, self.host.language.encode(answer)))


async def a_day_at(restarted: RestartedHost) -> DayReport:
    await restarted.start()
    settings = DaySettings(
        address=Address("127.0.0.1", restarted.port),
        language=restarted.host.language,
        merchant_id=MERCHANT,
        currency="156",
        lose_percent=0.0,
        timeout_s=1.0,
        clock=lambda: NOW,
        pause=restarted.pause,
    )
    report = await live_day(plan(), settings, None)
    await restarted.end()
    return report


@pytest.mark.parametrize("ends_at", range(1, 15))
@pytest.mark.parametrize("dialect", ["unionpay", "hypercom"])
async def test_a_day_goes_on_when_the_host_is_there_again(dialect: str, ends_at: int) -> None:
    restarted = RestartedHost(ScriptedHost(dialect), ends_at)

    report = await a_day_at(restarted)

    assert (["balanced"], [""]) == ([t.outcome for t in report.terminals], [t.problem for t in report.terminals])
    assert restarted.pauses > 0
    assert restarted.answers > ends_at


async def test_a_sale_that_the_host_went_away_with_is_reversed() -> None:
    restarted = RestartedHost(ScriptedHost("hypercom"), 2)

    document = (await a_day_at(restarted)).to_json()

    assert "reversal" in restarted.host.functions()
    assert 1 == document["reversed"]["count"]


async def test_a_host_that_stays_away_ends_the_day_with_a_line_and_what_was_sold() -> None:
    restarted = RestartedHost(ScriptedHost("hypercom"), 9, comes_back=False)

    report = await a_day_at(restarted)

    assert RECONNECTIONS == restarted.pauses
    assert report.to_json()["sold"]["count"] > 0
    assert ["Connection refused"] == [line.rpartition(": ")[2].rstrip(")") for line in report.complaints()]


async def test_lost_answers_are_reversed_and_counted() -> None:
    host = ScriptedHost("hypercom")
    with serving(host) as tcp:
        settings = settings_for(tcp, lose_percent=30.0, timeout_s=0.1)
        report = await live_day(plan(transactions=20), settings, None)

    document = report.to_json()
    assert document["reversed"]["count"] > 0
    assert {request.fields[11] for request in host.of("reversal")} <= {
        request.fields[11] for request in host.requests if request.mti in ("0100", "0200")
    }
    assert 1 == document["outcomes"]["balanced"]


async def test_declined_transactions_are_told() -> None:
    host = ScriptedHost("hypercom")
    host.will("purchase", {39: "51"}, {39: "51"})

    report = await live(host)

    assert "T0000001: 2 times purchase answered 51" in report.complaints()


async def test_the_batch_number_comes_from_the_hosts_books() -> None:
    host = ScriptedHost("hypercom")
    with serving(host) as tcp, api({"/terminals/T0000001": {"batch": a_batch("000042")}}) as base:
        await live_day(plan(), settings_for(tcp), HostBooks(base, TOKEN))

    assert "000042" == host.of("settlement")[0].fields[60]


async def test_what_an_earlier_day_left_is_settled_first_with_the_hosts_figures() -> None:
    host = ScriptedHost("hypercom")
    left = a_batch("000042", debit=(3, 900), credit=(1, 100))
    with serving(host) as tcp, api({"/terminals/T0000001": {"batch": left}}) as base:
        await live_day(plan(), settings_for(tcp), HostBooks(base, TOKEN))

    first, last = host.of("settlement")
    assert ("000042", "003000000000900001000000000100") == (first.fields[60], first.fields[63][:30])
    assert "000043" == last.fields[60]


async def test_books_are_compared_with_the_hosts() -> None:
    host = ScriptedHost("hypercom")
    answers: dict[str, Any] = {"/terminals/T0000001/batches": {"items": [a_batch("000001", "settled", "balanced")]}}
    with serving(host) as tcp, api(answers) as base:
        report = await live_day(plan(), settings_for(tcp), HostBooks(base, TOKEN))

    found = report.terminals[0].differences
    assert found is not None
    assert ["debit", "credit"] == [line.split()[2] for line in found]
    assert (1, False) == (report.books_differ, report.succeeded)


async def test_an_api_that_fails_is_a_failure_of_the_terminal() -> None:
    with api({}) as base:
        pass
    with serving(ScriptedHost("hypercom")) as tcp:
        report = await live_day(plan(), settings_for(tcp), HostBooks(base, TOKEN))

    assert not report.succeeded
    assert report.terminals[0].problem


async def test_without_a_host_there_is_no_day() -> None:
    with serving(ScriptedHost("hypercom")) as tcp:
        pass
    with pytest.raises(NoConnection):
        await live_day(plan(), settings_for(tcp), None)


def test_equal_books_do_not_differ() -> None:
    books = Books(Side(1, 10), Side(0, 0))
    batch = HostBatch("000001", "settled", "balanced", *books)

    assert [] == differences("000001", "settled", "balanced", books, batch)
    assert ["the host has no batch 000001"] == differences("000001", "settled", "balanced", books, None)


def test_the_same_seed_gives_the_same_plan() -> None:
    def intents(seed: int) -> list[Any]:
        made = plan(seed=seed, terminals=3, disagree=1, forget=1)
        return [(t.terminal_id, t.intents, t.disagrees, t.forgets) for t in made.terminals]

    assert intents(7) == intents(7)
    assert intents(7) != intents(8)


def test_nobody_both_disagrees_and_forgets() -> None:
    made = plan(terminals=9, disagree=4, forget=5)

    assert 4 == sum(t.disagrees for t in made.terminals)
    assert all(t.disagrees != t.forgets for t in made.terminals)
    with pytest.raises(ValueError, match="only 9 terminals"):
        plan(terminals=9, disagree=5, forget=5)


def test_terminals_are_numbered_from_one() -> None:
    assert ["T0000001", "XY000012"] == [terminal_id("T", 0), terminal_id("XY", 11)]


def test_a_later_day_begins_with_other_stans() -> None:
    first = stan_for(NOW)
    later = stan_for(NOW + timedelta(seconds=5))

    assert 5000 == (later - first) % LAST_NUMBER
    assert 0 <= stan_for(datetime.now()) < LAST_NUMBER


async def test_the_table_names_every_outcome_and_sum() -> None:
    report = await live(ScriptedHost("unionpay"))

    table = report.table(find_currency("CNY"))

    assert 10 == table.row_count
