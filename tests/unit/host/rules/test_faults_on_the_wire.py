"""Every fault kind as a raw socket sees it, byte for byte, on asyncio's own loop and on uvloop.

All of it is real: listener, sockets, timers. Times are short, so that the file takes seconds.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from structlog.testing import capture_logs
from tests.certificates import Authority
from tests.patience import HANGING_S
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import verified
from tests.unit.host.pipeline.terminals import MERCHANT, UNIONPAY_CARD

from pos_host.rules.fault_kinds import fault_kinds
from pos_host.server import Listener
from pos_specs.framing import Frame, join_frame
from pos_specs.language import open_language
from pos_specs.message import Message

LANGUAGE = open_language("unionpay")
TPDU, HEADER = bytes.fromhex("6000030001"), bytes.fromhex("603100311001")
LENGTH, TPDU_AT, MTI_AT = 2, 2, 2 + 5 + 6
SOON_S = 0.05
"""A delay of the tests: long enough to be told from none, short enough for many."""


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def new_loop(request: pytest.FixtureRequest) -> Any:
    return request.param


def sale(stan: int, amount_minor: int = 1000) -> bytes:
    """The frame of a purchase."""
    fields = {
        2: UNIONPAY_CARD,
        3: "000000",
        4: f"{amount_minor:012d}",
        11: f"{stan:06d}",
        22: "012",
        25: "00",
        41: "T0000001",
        42: MERCHANT,
        49: "156",
        60: "22000001000500",
    }
    return join_frame(LANGUAGE.dialect.framing, Frame(TPDU, HEADER, LANGUAGE.encode(Message("0200", fields))))


class Wire:
    """A host on a port of loopback, and what a raw connection to it sees."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.host = HostInProcess()
        self.rules = self.host.parts.rulebook
        self.listener = Listener(self.host.pipeline, LANGUAGE, tls)
        self.port = 0

    async def __aenter__(self) -> Wire:
        _, self.port = await self.listener.open("127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.listener.stop_accepting()
        self.listener.close()
        await asyncio.sleep(0)

    async def connect(self, tls: ssl.SSLContext | None = None) -> Raw:
        return Raw(*await asyncio.open_connection("127.0.0.1", self.port, ssl=tls))

    def plain_answer(self) -> bytes:
        """The last answer as it was before the fault."""
        return self.host.pipeline.exchanges.kept[-1].reply

    def booked(self) -> int:
        return sum(stored.entry.kind == "purchase" for stored in self.host.memory.entries)


class Raw:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def frame(self) -> bytes:
        """The next whole frame by its length."""
        async with asyncio.timeout(HANGING_S):
            length = await self.reader.readexactly(LENGTH)
            return length + await self.reader.readexactly(int.from_bytes(length, "big"))

    async def to_the_end(self) -> bytes:
        """What comes until the host closes."""
        async with asyncio.timeout(HANGING_S):
            return await self.reader.read()

    async def nothing(self) -> bool:
        """Whether for a while nothing comes."""
        try:
            async with asyncio.timeout(SOON_S):
                return not await self.reader.read(1)
        except TimeoutError:
            return True


Story = Callable[[Wire, Raw], Awaitable[None]]


def lived(new_loop: Any, story: Story, *faults: Any, when: dict[str, Any] | None = None) -> Wire:
    """A story in which the host has a first sale behind it and then these faults; its books verify afterwards."""

    async def live() -> Wire:
        async with Wire() as wire:
            raw = await wire.connect()
            raw.send(sale(1))
            await raw.frame()
            for fault in faults:
                wire.rules.add({"when": when or {"nth": 1}, "fault": fault})
            await story(wire, raw)
            await wire.host.quiet()
            raw.writer.close()
            assert 0 == verified(wire.host)["differences"]
            return wire

    with capture_logs(), asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(live())


def test_delay_answers_after_a_while_and_later_answers_wait_behind_it(new_loop: Any) -> None:
    async def story(wire: Wire, raw: Raw) -> None:
        begun = time.perf_counter()
        raw.send(sale(2) + sale(3))
        answers = [await raw.frame(), await raw.frame()]
        assert SOON_S <= time.perf_counter() - begun + 0.002  # uvloop counts whole milliseconds
        assert [exchange.reply for exchange in list(wire.host.pipeline.exchanges.kept)[1:]] == answers

    assert 3 == lived(new_loop, story, {"kind": "delay", "seconds": SOON_S}).booked()


def test_a_late_reply_lets_later_answers_go_before_it(new_loop: Any) -> None:
    async def story(wire: Wire, raw: Raw) -> None:
        raw.send(sale(2) + sale(3))
        answers = [await raw.frame(), await raw.frame()]
        assert [exchange.reply for exchange in list(wire.host.pipeline.exchanges.kept)[1:]] == answers[::-1]

    assert 3 == lived(new_loop, story, {"kind": "late_reply", "seconds": SOON_S}).booked()


def test_no_reply_books_and_never_answers_and_the_connection_goes_on(new_loop: Any) -> None:
    async def story(wire: Wire, raw: Raw) -> None:
        raw.send(sale(2))
        assert await raw.nothing()
        raw.send(sale(3))
        assert await raw.frame() == wire.plain_answer()

    assert 3 == lived(new_loop, story, "no_reply").booked()


def test_drop_before_commit_closes_and_books_nothing(new_loop: Any) -> None:
    async def story(wire: Wire, raw: Raw) -> None:
        raw.send(sale(2) + sale(3))
        assert b"" == await raw.to_the_end()

    wire = lived(new_loop, story, "drop_before_commit")
    (exchange, *_) = list(wire.host.pipeline.exchanges.kept)[1:]
    assert ("drop_before_commit", b"") == (exchange.fault, exchange.reply)
    assert "000002" not in {stored.entry.stan for stored in wire.host.memory.entries}


def test_drop_after_commit_books_and_closes_instead_of_answering(new_loop: Any) -> None:
    async def story(wire: Wire, raw: Raw) -> None:
        raw.send(sale(2))
        assert b"" == await raw.to_the_end()

    assert 2 == lived(new_loop, story, "drop_after_commit").booked()


def test_reset_books_and_resets_the_connection(new_loop: Any) -> None:
    async def story(wire: Wire, raw: Raw) -> None:
        raw.send(sale(2))
        with pytest.raises(ConnectionResetError):
            await raw.to_the_end()

    assert 2 == lived(new_loop, story, "reset").booked()


def test_half_close_answers_and_reads_on_without_answering(new_loop: Any) -> None:
    async def story(wire: Wire, raw: Raw) -> None:
        raw.send(sale(2))
        assert await raw.to_the_end() == wire.plain_answer()
        raw.send(sale(3))
        await raw.writer.drain()
        while wire.booked() < 3:  # noqa: ASYNC110 - nothing on the wire tells
            await asyncio.sleep(0.001)

    assert 3 == lived(new_loop, story, "half_close").booked()


def test_truncate_sends_all_but_the_last_bytes_and_closes(new_loop: Any) -> None:
    async def story(wire: Wire, raw: Raw) -> None:
        raw.send(sale(2))
        assert await raw.to_the_end() == wire.plain_answer()[:-7]

    assert 2 == lived(new_loop, story, {"kind": "truncate", "bytes": 7}).booked()


def test_duplicate_reply_comes_twice(new_loop: Any) -> None:
    async def story(wire: Wire, raw: Raw) -> None:
        raw.send(sale(2))
        assert [await raw.frame(), await raw.frame()] == [wire.plain_answer()] * 2

    lived(new_loop, story, "duplicate_reply")


@pytest.mark.parametrize(("kind", "order"), [("swap_replies", (1, 0)), ("coalesce", (0, 1))])
def test_an_answer_is_held_until_the_next_one_and_goes_behind_or_before_it(
    new_loop: Any, kind: str, order: tuple[int, int]
) -> None:
    async def story(wire: Wire, raw: Raw) -> None:
        raw.send(sale(2))
        assert await raw.nothing()
        raw.send(sale(3))
        async with asyncio.timeout(HANGING_S):
            segment = await raw.reader.read(4096)
        kept = list(wire.host.pipeline.exchanges.kept)[1:]
        assert segment == b"".join(kept[place].reply for place in order)

    assert 3 == lived(new_loop, story, kind).booked()


def test_dribble_sends_byte_after_byte(new_loop: Any) -> None:
    async def story(wire: Wire, raw: Raw) -> None:
        raw.send(sale(2) + sale(3))
        pieces = []
        async with asyncio.timeout(HANGING_S):
            while sum(map(len, pieces)) < 60:
                pieces.append(await raw.reader.read(4096))
        rest = b"".join(pieces)
        while len(rest) < len(wire.plain_answer()) * 2:
            rest += await raw.reader.read(4096)
        assert 2 < len(pieces)  # at once it would be one or two; a slow machine may find many bytes in a piece
        assert rest == b"".join(exchange.reply for exchange in list(wire.host.pipeline.exchanges.kept)[1:])

    lived(new_loop, story, {"kind": "dribble", "ms": 1})


def one_answer(new_loop: Any, fault: Any) -> tuple[bytes, bytes]:
    """An answer with a fault in it, and as it was before."""
    answers: list[bytes] = []

    async def story(wire: Wire, raw: Raw) -> None:
        raw.send(sale(2))
        answers.extend([await raw.frame(), wire.plain_answer()])

    lived(new_loop, story, fault)
    return answers[0], answers[1]


def message_of(frame: bytes) -> Message:
    return LANGUAGE.decode(frame[MTI_AT:])


def changed(frame: bytes, **changes: str | None) -> dict[int, str]:
    """The elements of a frame with some of them changed, None for left out."""
    wanted = {int(name[1:]): value for name, value in changes.items()}
    return {number: value for number, value in {**message_of(frame).fields, **wanted}.items() if value is not None}


def test_corrupt_turns_one_byte_over_at_its_offset_or_by_the_seed(new_loop: Any) -> None:
    came, plain = one_answer(new_loop, {"kind": "corrupt", "offset": 20})
    assert came == plain[:20] + bytes((plain[20] ^ 0xFF,)) + plain[21:]
    by_seed = [one_answer(new_loop, "corrupt") for _ in range(2)]
    places = [[at for at in range(len(came)) if came[at] != plain[at]] for came, plain in by_seed]
    assert places[0] == places[1]
    assert (1, True) == (len(places[0]), places[0][0] >= LENGTH)


def test_bad_length_is_off_by_so_many(new_loop: Any) -> None:
    came, plain = one_answer(new_loop, {"kind": "bad_length", "by": -3})
    length = int.from_bytes(plain[:LENGTH], "big")
    assert came == (length - 3).to_bytes(LENGTH, "big") + plain[LENGTH:][: length - 3]


def test_wrong_tpdu_keeps_the_addresses_as_they_came(new_loop: Any) -> None:
    came, plain = one_answer(new_loop, "wrong_tpdu")
    assert (TPDU, plain[TPDU_AT + 5 :]) == (came[TPDU_AT : TPDU_AT + 5], came[TPDU_AT + 5 :])
    assert bytes.fromhex("6000010003") == plain[TPDU_AT : TPDU_AT + 5]


def test_wrong_stan_is_off_by_so_many(new_loop: Any) -> None:
    came, plain = one_answer(new_loop, {"kind": "wrong_stan", "by": -2})
    assert changed(plain, f11="000000") == message_of(came).fields


@pytest.mark.parametrize(("fault", "mti"), [("wrong_mti", "0810"), ({"kind": "wrong_mti", "mti": "0410"}, "0410")])
def test_wrong_mti_is_another_one(new_loop: Any, fault: Any, mti: str) -> None:
    came, plain = one_answer(new_loop, fault)
    assert (mti, message_of(plain).fields) == (message_of(came).mti, message_of(came).fields)


@pytest.mark.parametrize(
    ("fault", "left_out"), [("missing_field", "f39"), ({"kind": "missing_field", "field": 37}, "f37")]
)
def test_missing_field_leaves_it_out(new_loop: Any, fault: Any, left_out: str) -> None:
    came, plain = one_answer(new_loop, fault)
    assert changed(plain, **{left_out: None}) == message_of(came).fields


def test_bad_mac_is_put_in_where_there_was_none(new_loop: Any) -> None:
    came, plain = one_answer(new_loop, "bad_mac")
    assert changed(plain, f64="F" * 16) == message_of(came).fields


def test_a_reset_over_tls_is_one_and_a_half_close_ends_the_whole_connection(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    accepting, calling = authority.server("host"), authority.client()

    async def live() -> None:
        async with Wire(accepting) as wire:
            first, second = await wire.connect(calling), await wire.connect(calling)
            wire.rules.replace([{"when": {"nth": 1}, "fault": "half_close"}, {"when": {"nth": 2}, "fault": "reset"}])
            first.send(sale(2))
            assert await first.to_the_end() == wire.plain_answer()
            second.send(sale(3))
            with pytest.raises(OSError):  # noqa: PT011 - reset, or a TLS stream that was cut: which, OpenSSL decides
                await second.to_the_end()
            for raw in (first, second):
                raw.writer.transport.abort()

    with capture_logs() as logs, asyncio.Runner() as runner:
        runner.run(live())
    assert ["half_close"] == [line["fault"] for line in logs if line["event"] == "rule_failed"]


def test_every_kind_of_the_table_is_seen_in_this_file() -> None:
    text = Path(__file__).read_text("utf-8")
    assert 19 == len(fault_kinds())
    assert [] == [kind for kind in fault_kinds() if f'"{kind}"' not in text]
