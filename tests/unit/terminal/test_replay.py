"""A recording played again: in order, with today's keys and numbers, and compared element by element."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pos_host.app import Host
from pos_host.options import ServeOptions, parse_listen
from pos_specs.card_search import cards_in
from pos_specs.errors import DialectError
from pos_specs.framing import Frame, join_frame
from pos_specs.language import Language, open_language
from pos_specs.message import Message
from pos_specs.recorded_exchanges import exchanges_of
from pos_specs.recording import RecordedFrame, heading, line_of, read_recording
from pos_terminal.addresses import Address
from pos_terminal.cards import TEST_CARDS
from pos_terminal.cli import run
from pos_terminal.client import NoConnection
from pos_terminal.day import DaySettings, live_day
from pos_terminal.day_plan import plan_day
from pos_terminal.pin import Pin
from pos_terminal.pin_pad import PadSettings
from pos_terminal.replay import Played, ReplaySettings, play
from pos_terminal.replay_allowances import read_allowances, shipped_allowances
from pos_terminal.replay_comparison import ABSENT, HIDDEN, Comparison, Difference
from pos_terminal.replay_plan import plan_replay

MERCHANT = "898000000000001"
DIALECTS = ["unionpay", "hypercom", "iso87-ascii", "iso93-ascii", "base24-pos"]


@asynccontextmanager
async def a_host(dialect: str, record: Path | None = None, **options: Any) -> AsyncIterator[Address]:
    """A fresh host on a free port, with a memory store."""
    host = Host(ServeOptions((parse_listen(f"127.0.0.1:0={dialect}"),), None, record=record, **options))
    try:
        ready = await host.start()
        yield Address("127.0.0.1", ready["listeners"][0]["port"])
    finally:
        await host.stop()


async def record_a_day(dialect: str, path: Path, **changes: Any) -> None:
    """A small day with lost answers and a disputed batch, recorded by the host."""
    counts = {"terminals": 2, "transactions": 8, "disagree": 1, "forget": 0, "seed": 5, "prefix": "T"} | changes
    async with a_host(dialect, path) as address:
        settings = DaySettings(
            address, open_language(dialect), MERCHANT, "156", lose_percent=6.0, timeout_s=0.1, clock=datetime.now
        )
        await live_day(plan_day(**counts), settings, None)


def settings_for(address: Address, **changes: Any) -> ReplaySettings:
    values: dict[str, Any] = {
        "address_of": lambda dialect: address,
        "timeout_s": 2.0,
        "speed": None,
        "pad": PadSettings(),
        "pin": Pin("123456"),
        "allowances": shipped_allowances(),
        "comparison": Comparison(shipped_allowances()),
        "random": os.urandom,
    }
    return ReplaySettings(**values | changes)


async def played_again(frames: list[RecordedFrame], address: Address, **changes: Any) -> list[Played]:
    played: list[Played] = []
    await play(plan_replay(frames, open_language), settings_for(address, **changes), played.append)
    return played


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_recorded_day_is_answered_by_a_fresh_host_without_a_difference(dialect: str, tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    await record_a_day(dialect, path)
    frames = read_recording(path)

    recorded = [cards_in(one.language, one.message) for one in exchanges_of(frames, open_language)]
    assert set() == set().union(*recorded) & {card.pan for card in TEST_CARDS.values()}
    async with a_host(dialect) as address:
        played = await played_again(frames, address)

    assert sum(frame.direction == "to_host" for frame in frames) == len(played) > 16
    assert [] == [one.to_json() for one in played if one.verdict != "same"]


@pytest.mark.parametrize(("bdk", "same"), [("", True), ("00" * 16, False)], ids=["its own key", "another key"])
async def test_a_dukpt_device_signs_a_recorded_day_anew_with_the_key_it_is_given(
    bdk: str, same: bool, tmp_path: Path
) -> None:
    path, serial = tmp_path / "day.jsonl", bytes.fromhex("FFFF9876543210E00000")
    plan = plan_day(terminals=1, transactions=6, disagree=0, forget=0, seed=5, prefix="T")
    async with a_host("hypercom", path, mac="require") as address:
        settings = DaySettings(
            address, open_language("hypercom"), MERCHANT, "156", 0.0, 2.0, datetime.now, pad=PadSettings(ksn=serial)
        )
        await live_day(plan, settings, None)
    frames = read_recording(path)

    async with a_host("hypercom", mac="require") as address:
        played = await played_again(frames, address, pad=PadSettings(ksn=serial, bdk=bytes.fromhex(bdk)))

    purchases = [one for one in played if one.step.function == "purchase"]
    assert {"00"} == {one.step.answer.fields[39] for one in purchases if one.step.answer is not None}
    assert {"same" if same else "differs"} == {one.verdict for one in purchases}
    assert not same or {"same"} == {one.verdict for one in played}


async def test_another_day_before_it_changes_batch_numbers_which_are_carried_over(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    await record_a_day("unionpay", path, disagree=0)
    frames = read_recording(path)

    async with a_host("unionpay") as address:
        await played_again(frames, address)
        later = [shifted(frame, 20_000) for frame in frames]
        played = await played_again(later, address)

    assert [] == [one.to_json() for one in played if one.verdict != "same"]


def shifted(frame: RecordedFrame, by: int) -> RecordedFrame:
    """The frame with another STAN, so that it is no repeat."""
    language = open_language(frame.dialect)
    content = frame.frame[2:]
    tpdu, header, body = content[:5], content[5:11], content[11:]
    message = language.decode(body)
    message.fields[11] = f"{(int(message.fields[11]) + by) % 1_000_000:06d}"
    if 61 in message.fields:
        original = message.fields[61]
        message.fields[61] = f"{original[:6]}{(int(original[6:12]) + by) % 1_000_000:06d}{original[12:]}"
    return frame._replace(frame=join_frame(language.dialect.framing, Frame(tpdu, header, language.encode(message))))


async def test_what_a_host_answers_otherwise_is_told_by_element(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    await record_a_day("hypercom", path)
    frames = [with_code(frame, "05") if frame.function == "purchase" else frame for frame in read_recording(path)]

    async with a_host("hypercom") as address:
        played = await played_again(frames, address)

    differing = [one for one in played if one.verdict == "differs"]
    assert {"purchase"} == {one.step.function for one in differing}
    assert all(one.differences == [Difference("39", "response code", "05", "00")] for one in differing)


def with_code(frame: RecordedFrame, code: str) -> RecordedFrame:
    language = open_language(frame.dialect)
    if frame.direction == "to_host":
        return frame
    message = language.decode(frame.frame[7:])
    message.fields[39] = code
    data = join_frame(language.dialect.framing, Frame(frame.frame[2:7], b"", language.encode(message)))
    return frame._replace(frame=data)


async def test_a_host_that_is_not_there_is_told_as_such() -> None:
    frames = [a_frame(open_language("hypercom"), an_echo("000001"))]

    with pytest.raises(NoConnection, match=r"127\.0\.0\.1:1: Connection refused"):
        await played_again(frames, Address("127.0.0.1", 1))


def an_echo(stan: str, mti: str = "0800", **extra: str) -> Message:
    fields = {3: "990000", 11: stan, 24: "003", 41: "T0000001"} | {int(k[1:]): v for k, v in extra.items()}
    return Message(mti, dict(sorted(fields.items())))


def a_frame(language: Language, message: Message, at_ms: int = 0, connection: int = 1, **changes: Any) -> RecordedFrame:
    data = join_frame(language.dialect.framing, Frame(bytes.fromhex("6000030000"), b"", language.encode(message)))
    direction: Any = "to_host" if message.mti[2] == "0" else "to_terminal"
    return RecordedFrame(at_ms, connection, direction, language.name, "binary2", data, len(data))._replace(**changes)


HYPERCOM = open_language("hypercom")


def test_an_answer_belongs_to_the_request_of_its_type_and_stan() -> None:
    frames = [a_frame(HYPERCOM, an_echo(stan)) for stan in ("000001", "000002")]
    frames += [a_frame(HYPERCOM, an_echo(stan, "0810", f39=stan[-2:])) for stan in ("000002", "000003")]

    ((first, second),) = plan_replay(frames, open_language)

    assert (None, "02") == (first.answer, second.answer.fields[39] if second.answer else None)


def test_all_connections_of_a_terminal_are_one_lane() -> None:
    places = [(1, "T0000001"), (2, "T0000002"), (3, "T0000001"), (4, "T0000003"), (4, "T0000002")]
    frames = [a_frame(HYPERCOM, an_echo("000001", f41=name), connection=number) for number, name in places]

    lanes = plan_replay(frames, open_language)

    assert [[1, 3], [2, 4, 4]] == [[step.connection for step in lane] for lane in lanes]


def test_an_unreadable_frame_is_a_step_that_is_not_sent() -> None:
    frame = a_frame(HYPERCOM, an_echo("000001"), frame=b"", unreadable="element 4: not digits")

    ((step,),) = plan_replay([frame], open_language)

    assert "element 4: not digits" == step.unreadable


def test_what_the_recording_has_and_cannot_be_sent_is_no_success() -> None:
    frames = [a_frame(HYPERCOM, an_echo("000001")), a_frame(HYPERCOM, an_echo("000002"), frame=b"", unreadable="no")]
    ((kept, gone),) = plan_replay(frames, open_language)

    assert [False, True] == [Played(step, "not_sent", [], "why").good for step in (kept, gone)]


async def test_a_request_that_cannot_be_protected_goes_as_recorded_and_says_so() -> None:
    with_pin = Message("0200", {3: "000000", 11: "000001", 41: "T0000001", 42: MERCHANT, 52: "0" * 16})
    frames = [a_frame(HYPERCOM, with_pin), a_frame(HYPERCOM, an_echo("000002"))]

    async with answering(lambda data: b"") as (address, _):
        played = await played_again(frames, address)

    assert [True, False] == [one.reason.startswith("sent as recorded: there is no PIN key") for one in played]


class Answering(asyncio.Protocol):
    """A host that keeps what came and answers what `answer` makes of it."""

    def __init__(self, came: list[tuple[float, bytes]], answer: Callable[[bytes], bytes]) -> None:
        self._came, self._answer = came, answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._came.append((asyncio.get_running_loop().time(), data))
        self._transport.write(self._answer(data))


@asynccontextmanager
async def answering(answer: Callable[[bytes], bytes]) -> AsyncIterator[tuple[Address, list[tuple[float, bytes]]]]:
    came: list[tuple[float, bytes]] = []
    server = await asyncio.get_running_loop().create_server(lambda: Answering(came, answer), "127.0.0.1", 0)
    try:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1]), came
    finally:
        server.close()


async def test_the_recorded_timing_is_kept_in_proportion() -> None:
    frames = [a_frame(HYPERCOM, an_echo("000001")), a_frame(HYPERCOM, an_echo("000002"), at_ms=5000)]

    async with answering(lambda data: b"") as (address, came):
        began_s = asyncio.get_running_loop().time()
        played = await played_again(frames, address, speed=100.0)
        while len(came) < 2:  # noqa: ASYNC110 - what was sent is still on its way
            await asyncio.sleep(0.001)

    assert ["not_answered_then"] * 2 == [one.verdict for one in played]
    assert came[1][0] - began_s >= 0.05


async def test_an_answer_that_does_not_come_is_a_difference() -> None:
    frames = [a_frame(HYPERCOM, an_echo("000001")), a_frame(HYPERCOM, an_echo("000001", "0810", f39="00"))]

    async with answering(lambda data: b"") as (address, _):
        (played,) = await played_again(frames, address, timeout_s=0.02)

    assert ("no_answer", "nothing within 0.02 s", False) == (played.verdict, played.reason, played.good)


def test_times_and_the_hosts_numbers_may_differ_and_nothing_else() -> None:
    then = an_echo("000001", "0810", f12="101112", f13="0101", f37="000000000001", f38="111111", f39="00", f60="A")
    now = an_echo("000001", "0810", f12="131415", f13="0202", f37="000000000002", f38="222222", f39="00", f60="B")
    comparison = Comparison(shipped_allowances())

    assert [Difference("60", "private 60", "A", "B")] == comparison.differences(HYPERCOM, then, now)
    assert [] == Comparison(shipped_allowances(), frozenset({60})).differences(HYPERCOM, then, now)
    assert [] == comparison.differences(HYPERCOM, then, now, frozenset({60}))


def test_a_missing_element_and_a_secret_one_are_told_without_their_content() -> None:
    then = an_echo("000001", "0810", f39="00", f48="ABCD")
    now = an_echo("000001", "0810", f48="EFGH")

    found = Comparison(shipped_allowances()).differences(HYPERCOM, then, now)

    assert [("39", "00", ABSENT), ("48", HIDDEN, HIDDEN)] == [(d.element, d.recorded, d.answered) for d in found]


def test_what_is_said_of_the_card_may_differ_where_its_number_was_replaced() -> None:
    then, now = an_echo("000001", "0810", f54="1"), an_echo("000001", "0810", f54="2")
    comparison = Comparison(shipped_allowances())

    assert 1 == len(comparison.differences(HYPERCOM, then, now))
    assert [] == comparison.differences(HYPERCOM, then, now, same_card=False)


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"differs": "rrn", "of_the_card": []}, "differs: must be a list of names"),
        ({"differs": [], "of_the_card": [], "more": 1}, "more: is not known"),
        ({"differs": [], "of_the_card": [], "carried": [{"from": "rrn"}]}, "carried[0]: must have from, learn and to"),
    ],
)
def test_a_wrong_list_of_allowances_names_its_key(table: dict[str, Any], complaint: str) -> None:
    with pytest.raises(DialectError) as raised:
        read_allowances(table)
    assert complaint in str(raised.value)


def written(path: Path, frames: list[RecordedFrame]) -> Path:
    path.write_text("\n".join([heading("a test", ""), *map(line_of, frames)]))
    return path


async def test_the_verb_ends_with_1_and_a_sum_where_answers_differ(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request, answer = an_echo("000001"), an_echo("000001", "0810", f39="00")
    path = written(tmp_path / "r.jsonl", [a_frame(HYPERCOM, request), a_frame(HYPERCOM, answer)])
    refusal = a_frame(HYPERCOM, an_echo("000001", "0810", f39="05")).frame

    async with answering(lambda data: refusal) as (address, _):
        code = await asyncio.to_thread(run, ["replay", str(path), "--host", str(address), "--json"])

    message, total = map(json.loads, capsys.readouterr().out.splitlines())
    assert (1, "differs", "000001") == (code, message["verdict"], message["stan"])
    assert ["39"] == [difference["element"] for difference in message["differences"]]
    assert {"requests": 1, "differs": 1, "differences": 1}.items() <= total.items()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--speed", "slow"], "--speed slow: must be original, max or a number"),
        (["--ignore", "200"], "--ignore 200: elements have numbers from 2 to 128"),
        (["--dialect", "nonsense"], "nonsense"),
    ],
)
def test_bad_usage_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    path = written(tmp_path / "r.jsonl", [a_frame(HYPERCOM, an_echo("000001"))])

    assert 2 == run(["replay", str(path), "--host", "127.0.0.1:1", *arguments])
    assert complaint in capsys.readouterr().err


def test_a_recording_of_nothing_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(["replay", str(written(tmp_path / "r.jsonl", [])), "--host", "127.0.0.1:1"])
    assert "holds no request" in capsys.readouterr().err


async def test_a_recording_that_cannot_be_written_stops_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    host = Host(ServeOptions((parse_listen("127.0.0.1:0=hypercom"),), None, record=path))
    ready = await host.start()
    try:
        assert host._recording is not None
        host._recording._recorder._out = FullDisk()  # type: ignore[assignment]
        address = Address("127.0.0.1", ready["listeners"][0]["port"])
        echo = a_frame(HYPERCOM, an_echo("000001"))
        answer = a_frame(HYPERCOM, an_echo("000001", "0810", f39="00"))
        played = [one for _ in range(2) for one in await played_again([echo, answer], address)]
    finally:
        await host.stop()

    assert [True, True] == [one.verdict in ("same", "differs") for one in played]
    assert [] == host.pipeline.exchanges.watchers


class FullDisk:
    """A file on a disk without room."""

    def write(self, text: str) -> None:
        raise OSError(28, "No space left on device")

    def close(self) -> None:
        pass
