"""Listeners where any dialect may be spoken: who is recognised, by what, and what is said of the others."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.certificates import Authority
from tests.patience import HANGING_S
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.vectors.collection import entries

from pos_host import auto_listener
from pos_host.auto_listener import AutoListener
from pos_host.decoding.first_frame import KEPT_BYTES, MOST_BYTES, FirstFrame
from pos_host.options import TlsOptions
from pos_host.tls import listening_context
from pos_specs.envelope import Framing
from pos_specs.framing import Frame, Framer, join_frame
from pos_specs.language import open_language, shipped_languages
from pos_specs.message import Message

TPDU = bytes.fromhex("6000030000")
SIGN_IN = Message("0800", {11: "000001", 41: "T0000001", 42: "M00000000000001", 60: "00000001003", 63: "01 "})
LOGON = Message("0800", {3: "920000", 11: "000001", 24: "003", 41: "T0000002", 42: "M00000000000001"})
ECHO = Message("0800", {7: "0302120000", 11: "000001", 70: "301"})
ECHO_1993 = Message("1804", {7: "0302120000", 11: "000001", 12: "260302120000", 24: "831"})
CARD_NUMBER = "4761739001010119"


def framed(dialect: str, message: Message, framing: Framing | None = None, header: bytes | None = None) -> bytes:
    """A whole frame, in the dialect's own framing unless another is given."""
    language = open_language(dialect)
    framing = framing or language.dialect.framing
    tpdu = b"" if framing.tpdu == "none" else TPDU
    header = framing.envelope.header.sent if header is None else header
    return join_frame(framing, Frame(tpdu, header, language.encode(message)))


def in_framing(dialect: str, **changes: Any) -> Framing:
    return replace(open_language(dialect).dialect.framing, **changes)


@pytest.fixture
def logs() -> Iterator[list[dict[str, Any]]]:
    with capture_logs() as lines:
        yield lines  # type: ignore[misc]


class AutoHost:
    """A host with one listener that recognises its peers."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.host = HostInProcess()
        self.listener = AutoListener(self.host.pipeline, shipped_languages(), tls)
        self.port = 0

    async def open(self) -> AutoHost:
        _, self.port = await self.listener.open("127.0.0.1", 0)
        return self

    async def ask(self, *segments: bytes, tls: ssl.SSLContext | None = None, pause_s: float = 0.0) -> bytes:
        """The first answer to what is sent on a new connection; nothing where the host hangs up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=tls)
        for segment in segments:
            writer.write(segment)
            await writer.drain()
            await asyncio.sleep(pause_s)
        with contextlib.suppress(ConnectionError):
            answer = await asyncio.wait_for(reader.read(4096), HANGING_S)
        writer.close()
        return answer


@pytest.fixture
async def auto() -> AsyncIterator[AutoHost]:
    auto = await AutoHost().open()
    yield auto
    auto.listener.stop_accepting()
    auto.listener.close()


def mti_of(dialect: str, answer: bytes, framing: Framing | None = None) -> str:
    """The message type of the one answer."""
    language = open_language(dialect)
    (frame,) = Framer(framing or language.dialect.framing).receive_data(answer)
    return language.decode(frame.body).mti


def told(logs: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [line for line in logs if line["event"] == event]


async def test_two_terminals_of_different_kinds_are_answered_on_one_port(
    auto: AutoHost, logs: list[dict[str, Any]]
) -> None:
    union, hypercom = await asyncio.gather(auto.ask(framed("unionpay", SIGN_IN)), auto.ask(framed("hypercom", LOGON)))

    assert ("0810", "0810") == (mti_of("unionpay", union), mti_of("hypercom", hypercom))
    assert {"unionpay", "hypercom"} == {line["dialect"] for line in told(logs, "recognised")}
    assert {"T0000001", "T0000002"} == {book.terminal_id for book in auto.host.registry}


@pytest.mark.parametrize(
    ("dialect", "message"),
    [
        ("unionpay", SIGN_IN),
        ("hypercom", LOGON),
        ("hypercom-ebcdic", LOGON),
        ("hypercom-99bill", LOGON),
        ("iso87-ascii", ECHO),
        ("iso87-binary", ECHO),
        ("iso93-ascii", ECHO_1993),
        ("base24-pos", ECHO),
        ("postilion", ECHO),
        ("termapp-a", ECHO_1993),
    ],
)
async def test_every_shipped_dialect_is_recognised_and_answered(
    auto: AutoHost, logs: list[dict[str, Any]], dialect: str, message: Message
) -> None:
    answer = await auto.ask(framed(dialect, message))

    assert f"{message.mti[:2]}1{message.mti[3]}" == mti_of(dialect, answer)
    (line,) = told(logs, "recognised")
    assert (dialect, f"MTI {message.mti}") == (line["dialect"], line["why"][:8])


@pytest.mark.parametrize(
    "changes",
    [
        {"length": "binary2", "counts": ("itself",)},
        {"length": "binary2-le"},
        {"length": "binary3"},
        {"length": "binary4"},
        {"length": "binary2-zeros"},
        {"length": "zeros-binary2"},
        {"length": "bcd2"},
        {"length": "ascii4"},
        {"length": "hex4"},
        {"length": "binary2", "counts": ("trailer",), "trailer": "etx"},
        {"length": "bcd2", "start": "stx", "trailer": "etx-lrc"},
        {"header": "hex:1002230000"},
    ],
    ids=str,
)
async def test_a_dialect_is_recognised_and_answered_in_a_framing_that_is_not_its_own(
    auto: AutoHost, logs: list[dict[str, Any]], changes: dict[str, Any]
) -> None:
    framing = in_framing("hypercom", **changes)

    answer = await auto.ask(framed("hypercom", LOGON, framing))

    assert "0810" == mti_of("hypercom", answer, framing)
    assert ["hypercom"] == [line["dialect"] for line in told(logs, "recognised")]


async def test_an_ascii_dialect_that_ends_its_frames_by_etx_alone_is_recognised(auto: AutoHost) -> None:
    framing = in_framing("iso87-ascii", length="none", trailer="etx")

    assert "0810" == mti_of("iso87-ascii", await auto.ask(framed("iso87-ascii", ECHO, framing)), framing)


async def test_a_frame_that_comes_byte_by_byte_is_waited_for(auto: AutoHost, logs: list[dict[str, Any]]) -> None:
    frame = framed("unionpay", SIGN_IN)

    answer = await auto.ask(*(frame[at : at + 1] for at in range(len(frame))))

    assert "0810" == mti_of("unionpay", answer)
    assert 1 == len(told(logs, "recognised"))


@pytest.mark.parametrize(
    ("dialect", "message", "keep_alive"), [("iso87-ascii", ECHO, b"0000"), ("hypercom", LOGON, b"\0\0")]
)
async def test_keep_alives_before_the_first_frame_are_passed_over(
    auto: AutoHost, dialect: str, message: Message, keep_alive: bytes
) -> None:
    answer = await auto.ask(keep_alive, framed(dialect, message), pause_s=0.02)

    assert "0810" == mti_of(dialect, answer)


async def test_frames_after_the_first_go_the_normal_way(auto: AutoHost, logs: list[dict[str, Any]]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", auto.port)
    framer = Framer(open_language("unionpay").dialect.framing)
    frame = framed("unionpay", SIGN_IN)

    answers = []
    for segment in (frame + frame[:20], frame[20:], frame):
        writer.write(segment)
    while len(answers) < 3:
        answers += framer.receive_data(await asyncio.wait_for(reader.read(4096), HANGING_S))
    writer.close()

    assert 3 == len(answers)
    assert 1 == len(told(logs, "recognised"))


async def test_what_fits_nothing_is_closed_in_time_with_an_explanation_and_without_the_card(
    auto: AutoHost, logs: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto_listener, "RECOGNISED_WITHIN_S", 0.05)
    name = "DE62 LLLVAR 0999 in a short frame"
    (entry,) = [entry for entry in entries("broken_frames") if entry["name"] == name]
    body = bytes.fromhex("6000030000" + entry["hex"])

    assert b"" == await auto.ask(len(body).to_bytes(2, "big") + body)

    (line,) = told(logs, "connection_closed")
    reason = line["reason"]
    assert reason.startswith("not recognised in time: first two bytes 00 51 match the length that follows; 60 00 03")
    assert "MTI 0200 in BCD" in reason
    assert "element 62 at byte 77 runs past the end: hypercom gives it a 2-byte BCD length, which says 999" in reason
    assert CARD_NUMBER not in str(logs)


@pytest.mark.parametrize(
    "data", [bytes.fromhex(CARD_NUMBER) * 3, CARD_NUMBER.encode() * 3, b"0" + CARD_NUMBER.encode() + b"D2212"]
)
async def test_a_card_number_that_comes_instead_of_a_frame_is_not_logged(
    auto: AutoHost, logs: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr(auto_listener, "RECOGNISED_WITHIN_S", 0.05)

    assert b"" == await auto.ask(data)

    assert 1 == len(told(logs, "connection_closed"))
    digits = str(logs).replace(" ", "")
    assert CARD_NUMBER[:8] not in digits
    assert CARD_NUMBER.encode().hex()[:16] not in digits


async def test_more_bytes_than_any_frame_has_are_not_kept(auto: AutoHost, logs: list[dict[str, Any]]) -> None:
    assert b"" == await auto.ask(b"\xff" * (KEPT_BYTES + 1))

    (line,) = told(logs, "connection_closed")
    assert line["reason"].startswith(f"not recognised in the first {KEPT_BYTES} bytes: ")
    assert set() == auto.listener.unknown


def test_the_longest_frame_is_recognised_although_it_comes_in_pieces() -> None:
    text = "x" * 999
    short = Message("0800", {**LOGON.fields, 48: text, 60: text, 61: text, 62: text})
    missing = MOST_BYTES - (len(framed("hypercom", short)) - 2) - 2
    frame = framed("hypercom", Message("0800", {**short.fields, 63: "x" * missing}))
    assert MOST_BYTES + 2 == len(frame)
    first = FirstFrame(shipped_languages())

    assert (None, False) == (first.receive_data(frame[:-1]), first.is_full)
    found = first.receive_data(frame[-1:])

    assert found is not None
    assert "hypercom" == found.language.name


async def test_a_peer_that_leaves_before_it_is_known_is_told_of(auto: AutoHost, logs: list[dict[str, Any]]) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", auto.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    writer.close()

    async with asyncio.timeout(HANGING_S):
        while not told(logs, "connection_closed"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    (line,) = told(logs, "connection_closed")
    assert "not recognised before the peer closed the connection: looks like an HTTP request" == line["reason"]


async def test_a_connection_that_says_nothing_may_stay(
    auto: AutoHost, logs: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto_listener, "RECOGNISED_WITHIN_S", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", auto.port)

    await asyncio.sleep(0.2)
    writer.write(framed("hypercom", LOGON))

    assert "0810" == mti_of("hypercom", await asyncio.wait_for(reader.read(4096), HANGING_S))
    writer.close()


async def test_a_stop_closes_connections_that_are_not_known_yet(auto: AutoHost) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", auto.port)
    writer.write(b"\x00")
    async with asyncio.timeout(HANGING_S):
        while not auto.listener.unknown:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    auto.listener.stop_accepting()
    auto.listener.pause()
    auto.listener.close()

    with contextlib.suppress(ConnectionResetError):
        assert b"" == await asyncio.wait_for(reader.read(), HANGING_S)
    assert reader.at_eof() or isinstance(reader.exception(), ConnectionResetError)
    writer.close()


async def test_peers_are_recognised_over_tls(tmp_path: Path, logs: list[dict[str, Any]]) -> None:
    authority = Authority(tmp_path)
    auto = await AutoHost(listening_context(TlsOptions(*authority.issue("host"), None))).open()

    answers = [
        await auto.ask(framed("unionpay", SIGN_IN), tls=authority.client()),
        await auto.ask(framed("iso87-ascii", ECHO)[:9], framed("iso87-ascii", ECHO)[9:], tls=authority.client()),
    ]
    auto.listener.stop_accepting()
    auto.listener.close()

    assert ["0810", "0810"] == [mti_of("unionpay", answers[0]), mti_of("iso87-ascii", answers[1])]
    assert ["unionpay", "iso87-ascii"] == [line["dialect"] for line in told(logs, "recognised")]
