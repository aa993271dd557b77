"""Client mode: the host connects out, answers there, and comes back when the line is lost."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.certificates import Authority
from tests.patience import HANGING_S
from tests.unit.host.pipeline.host_in_process import HostInProcess

from pos_host import concentrator
from pos_host.concentrator import LONGEST_PAUSE_S, ConcentratorLine, pause_s
from pos_host.tls import connecting_context
from pos_specs.framing import Frame, Framer, join_frame
from pos_specs.language import open_language
from pos_specs.message import Message

LANGUAGE = open_language("iso87-ascii")
FRAMING = LANGUAGE.dialect.framing
ECHO = join_frame(
    FRAMING, Frame(b"", b"", LANGUAGE.encode(Message("0800", {7: "0302120000", 11: "000001", 70: "301"})))
)

Logs = list[dict[str, object]]


def test_pauses_double_from_one_second_to_thirty() -> None:
    assert [1, 2, 4, 8, 16, 30, 30] == [pause_s(failures, 0.0) for failures in range(1, 8)]
    assert LONGEST_PAUSE_S == pause_s(10_000, 0.0)


def test_chance_takes_off_up_to_half_a_pause() -> None:
    assert [4, 3, 2] == [pause_s(3, chance) for chance in (0.0, 0.5, 1.0)]


@pytest.fixture
def logs() -> Iterator[Logs]:
    with capture_logs() as lines:
        yield lines  # type: ignore[misc]


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses a hundred times shorter."""
    monkeypatch.setattr(concentrator, "FIRST_PAUSE_S", 0.01)


class Concentrator:
    """Takes connections of the host at a port of its own; the last one is `reader` and `writer`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._connected: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(
            lambda reader, writer: self._connected.put_nowait((reader, writer)), "127.0.0.1", self.port, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(HANGING_S):  # wait_for of Python 3.11 may swallow a caller's own time-out
            return await self._connected.get()

    def close(self) -> None:
        assert self._server is not None
        self._server.close()


async def ask(line: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> str:
    """The message type of the answer to an echo sent to the host."""
    reader, writer = line
    writer.write(ECHO)
    data = await asyncio.wait_for(reader.read(4096), HANGING_S)
    (frame,) = Framer(FRAMING).receive_data(data)
    return LANGUAGE.decode(frame.body).mti


async def told(logs: Logs, *events: str) -> Logs:
    """The lines of the log about the line, once they are these events."""
    async with asyncio.timeout(HANGING_S):
        while [line["event"] for line in of_the_line(logs)] != list(events):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    return of_the_line(logs)


def of_the_line(logs: Logs) -> Logs:
    return [line for line in logs if line["part"] == "pos_host.concentrator"]


@pytest.fixture
async def a_line() -> AsyncIterator[Callable[..., ConcentratorLine]]:
    """Makes lines of one host, and ends them with the test."""
    host, lines = HostInProcess(), []

    def make(port: int, tls: ssl.SSLContext | None = None) -> ConcentratorLine:
        line = ConcentratorLine(host.pipeline, LANGUAGE, "127.0.0.1", port, lambda: 0.0, tls)
        lines.append(line)
        line.open()
        return line

    yield make
    for line in lines:
        line.stop_accepting()
        line.close()


async def test_the_host_answers_at_a_concentrator(a_line: Callable[..., ConcentratorLine], logs: Logs) -> None:
    there = Concentrator()
    await there.open()
    a_line(there.port)

    assert ["0810", "0810"] == [await ask(line) for line in [await there.connected()] * 2]

    (line,) = await told(logs, "connected")
    assert (f"127.0.0.1:{there.port}", "iso87-ascii") == (line["peer"], line["dialect"])
    there.close()


@pytest.mark.usefixtures("quickly")
async def test_a_concentrator_that_is_not_there_is_tried_again_and_told_of_once(
    a_line: Callable[..., ConcentratorLine], logs: Logs
) -> None:
    there = Concentrator()
    await there.open()
    there.close()
    a_line(there.port)
    await told(logs, "connection_refused")
    await asyncio.sleep(0.1)

    (refused,) = of_the_line(logs)
    assert "Connection refused" == refused["reason"]
    await there.open()
    assert "0810" == await ask(await there.connected())
    await told(logs, "connection_refused", "connected")
    there.close()


@pytest.mark.usefixtures("quickly")
async def test_a_lost_line_is_made_again(a_line: Callable[..., ConcentratorLine], logs: Logs) -> None:
    there = Concentrator()
    await there.open()
    host_line = a_line(there.port)
    _, writer = await there.connected()

    writer.close()

    assert "0810" == await ask(await there.connected())
    await told(logs, "connected", "connection_lost", "connected")
    assert 1 == len(host_line.connections)
    there.close()


@pytest.mark.parametrize(("steady_s", "failures"), [(30.0, [1, 2, 3, 4]), (0.0, [1, 1, 1, 1])])
async def test_pauses_begin_anew_only_after_a_connection_that_lasted(
    a_line: Callable[..., ConcentratorLine], monkeypatch: pytest.MonkeyPatch, steady_s: float, failures: list[int]
) -> None:
    """Of a line that is closed as soon as it is made."""
    paused_after: list[int] = []

    def no_pause(failures: int, _chance: float) -> float:
        paused_after.append(failures)
        return 0.0

    monkeypatch.setattr(concentrator, "STEADY_S", steady_s)
    monkeypatch.setattr(concentrator, "pause_s", no_pause)
    there = Concentrator()
    await there.open()
    a_line(there.port)

    for _ in range(len(failures) + 1):
        _, writer = await there.connected()
        writer.close()

    assert failures == paused_after[: len(failures)]
    there.close()


@pytest.mark.usefixtures("quickly")
async def test_bytes_that_are_no_frame_end_the_line_and_it_is_made_again(
    a_line: Callable[..., ConcentratorLine], logs: Logs
) -> None:
    there = Concentrator()
    await there.open()
    a_line(there.port)
    reader, writer = await there.connected()

    writer.write(b"what?")

    assert b"" == await asyncio.wait_for(reader.read(), HANGING_S)
    assert "0810" == await ask(await there.connected())
    assert ["framing: length is not four ASCII digits"] == [
        line["reason"] for line in logs if line["event"] == "connection_closed"
    ]
    there.close()


async def test_a_host_that_stops_connects_no_more(a_line: Callable[..., ConcentratorLine], quickly: None) -> None:
    there = Concentrator()
    await there.open()
    line = a_line(there.port)
    reader, _ = await there.connected()

    line.stop_accepting()
    line.pause()
    line.close()

    assert b"" == await asyncio.wait_for(reader.read(), HANGING_S)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(there._connected.get(), 0.1)
    there.close()


async def test_a_line_over_tls_trusts_who_is_certified_for_the_address(
    a_line: Callable[..., ConcentratorLine], tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    there = Concentrator(authority.server("concentrator"))
    await there.open()
    a_line(there.port, connecting_context(None, authority.ca))

    assert "0810" == await ask(await there.connected())
    there.close()


async def test_a_concentrator_that_somebody_else_certified_is_refused(
    a_line: Callable[..., ConcentratorLine], tmp_path: Path, logs: Logs
) -> None:
    there = Concentrator(Authority(tmp_path, "stranger").server("intruder"))
    await there.open()
    a_line(there.port, connecting_context(None, Authority(tmp_path).ca))

    (refused,) = await told(logs, "connection_refused")

    assert str(refused["reason"]).startswith("TLS: certificate refused: ")
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(there.connected(), 0.05)
        pytest.fail("the host spoke to somebody it does not trust")
    there.close()
