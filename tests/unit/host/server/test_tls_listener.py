"""Listeners over TLS: who gets through, who is refused, and what is said of it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.certificates import Authority
from tests.patience import HANGING_S
from tests.unit.host.pipeline.host_in_process import HostInProcess

from pos_host.options import TlsOptions
from pos_host.server import Listener
from pos_host.tls import listening_context
from pos_specs.framing import Frame, Framer, join_frame
from pos_specs.language import open_language
from pos_specs.message import Message

LANGUAGE = open_language("iso87-ascii")
FRAMING = LANGUAGE.dialect.framing
ECHO = join_frame(
    FRAMING, Frame(b"", b"", LANGUAGE.encode(Message("0800", {7: "0302120000", 11: "000001", 70: "301"})))
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def logs() -> Iterator[list[dict[str, object]]]:
    with capture_logs() as lines:
        yield lines  # type: ignore[misc]


class TlsHost:
    """A listener of iso87-ascii over TLS."""

    def __init__(self, authority: Authority, *, mutual: bool) -> None:
        cert, key = authority.issue("host")
        context = listening_context(TlsOptions(cert, key, authority.ca if mutual else None))
        self.host = HostInProcess()
        self.listener = Listener(self.host.pipeline, LANGUAGE, context)
        self.port = 0

    async def open(self) -> TlsHost:
        _, self.port = await self.listener.open("127.0.0.1", 0)
        return self

    async def ask(self, context: ssl.SSLContext, *segments: bytes) -> list[str]:
        """Message types of the first answers to what is sent on a new connection; none where it is cut."""
        framer, answers, writer = Framer(FRAMING), [], None
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=context)
            for segment in segments:
                writer.write(segment)
                await writer.drain()
            while not answers and (data := await asyncio.wait_for(reader.read(4096), HANGING_S)):
                answers = [LANGUAGE.decode(frame.body).mti for frame in framer.receive_data(data)]
        if writer is not None:
            writer.close()
        return answers


@pytest.fixture
async def one_way(authority: Authority) -> AsyncIterator[TlsHost]:
    tls = await TlsHost(authority, mutual=False).open()
    yield tls
    tls.listener.stop_accepting()
    tls.listener.close()


@pytest.fixture
async def mutual(authority: Authority) -> AsyncIterator[TlsHost]:
    tls = await TlsHost(authority, mutual=True).open()
    yield tls
    tls.listener.stop_accepting()
    tls.listener.close()


async def refusals(logs: list[dict[str, object]], count: int = 1) -> list[object]:
    """The reasons of refused connections, once there are so many."""
    async with asyncio.timeout(HANGING_S):
        while len(found := [line["reason"] for line in logs if line["event"] == "connection_refused"]) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return found


async def test_a_terminal_is_answered_over_tls(one_way: TlsHost, authority: Authority) -> None:
    assert ["0810"] == await one_way.ask(authority.client(), ECHO)
    assert ["0810"] == await one_way.ask(authority.client(), ECHO[:7], ECHO[7:])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_each_version_from_1_2_on_is_spoken(
    one_way: TlsHost, authority: Authority, version: ssl.TLSVersion
) -> None:
    client = authority.client()
    client.minimum_version = client.maximum_version = version

    assert ["0810"] == await one_way.ask(client, ECHO)


async def test_tls_1_1_is_too_old(one_way: TlsHost, authority: Authority, logs: list[dict[str, object]]) -> None:
    client = authority.client()
    client.set_ciphers("DEFAULT:@SECLEVEL=0")
    client.options &= ~(ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1

    assert [] == await one_way.ask(client, ECHO)
    assert ["TLS: unsupported protocol"] == await refusals(logs)


async def test_a_client_with_a_certificate_of_the_authority_is_served(mutual: TlsHost, authority: Authority) -> None:
    assert ["0810"] == await mutual.ask(authority.client(authority.issue("terminal")), ECHO)


async def test_a_client_without_certificate_is_refused_and_the_reason_told(
    mutual: TlsHost, authority: Authority, logs: list[dict[str, object]]
) -> None:
    assert [] == await mutual.ask(authority.client(), ECHO)
    assert ["TLS: the peer showed no certificate"] == await refusals(logs)
    assert 0 == mutual.host.pipeline.messages


async def test_a_certificate_of_somebody_else_is_refused(
    mutual: TlsHost, authority: Authority, tmp_path: Path, logs: list[dict[str, object]]
) -> None:
    assert [] == await mutual.ask(authority.client(Authority(tmp_path, "stranger").issue("intruder")), ECHO)
    (reason,) = await refusals(logs)
    assert str(reason).startswith("TLS: certificate refused: ")
    assert 0 == mutual.host.pipeline.messages


async def test_a_client_that_speaks_no_tls_is_refused_and_the_reason_told(
    one_way: TlsHost, logs: list[dict[str, object]]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", one_way.port)
    writer.write(ECHO)

    await asyncio.wait_for(reader.read(), HANGING_S)
    writer.close()

    (reason,) = await refusals(logs)
    assert str(reason).startswith("TLS: ")
    assert 0 == one_way.host.pipeline.messages


async def test_a_client_that_hangs_up_in_the_handshake_leaves_nothing_behind(
    one_way: TlsHost, logs: list[dict[str, object]]
) -> None:
    for rude in (False, True):
        line = socket.create_connection(("127.0.0.1", one_way.port))
        if rude:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        await asyncio.sleep(0.02)
        line.close()

    assert 2 == len(await refusals(logs, 2))
    assert set() == one_way.listener.connections


async def test_a_client_that_never_shakes_hands_is_let_go_when_the_host_stops(
    one_way: TlsHost, logs: list[dict[str, object]]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", one_way.port)
    await asyncio.sleep(0.02)

    one_way.listener.stop_accepting()

    assert b"" == await asyncio.wait_for(reader.read(), HANGING_S)
    assert [] == logs
    writer.close()


async def test_what_comes_with_the_end_of_the_handshake_is_not_lost(one_way: TlsHost, authority: Authority) -> None:
    """TLS 1.3 lets a client send in the same breath: both pieces arrive in one segment."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = authority.client().wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    reader, writer = await asyncio.open_connection("127.0.0.1", one_way.port)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    writer.write(outgoing.read())
    while True:
        incoming.write(await asyncio.wait_for(reader.read(65536), HANGING_S))
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            continue
        break
    client.write(ECHO)
    writer.write(outgoing.read())

    answer = b""
    while not answer:
        incoming.write(await asyncio.wait_for(reader.read(65536), HANGING_S))
        try:
            answer = client.read(4096)
        except ssl.SSLWantReadError:
            continue
    assert b"0810" == answer[4:8]
    writer.close()
