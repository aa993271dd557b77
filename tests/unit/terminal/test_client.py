"""The line to the host, on real sockets."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from tests.loop_seconds import loop_seconds
from tests.patience import HANGING_S
from tests.unit.terminal.scripted_host import ScriptedHost, a_terminal
from tests.unit.terminal.tcp_host import TcpHost, serving

from pos_specs.frame_headers import SIGN_IN_AGAIN
from pos_specs.language import open_language
from pos_terminal.cards import TEST_CARDS
from pos_terminal.client import Client, NoConnection, frame_of
from pos_terminal.commands import Manage, Purchase, Reverse, Settle
from pos_terminal.exchange import Exchange
from pos_terminal.memory_file import MemoryFile

BUY = Purchase(TEST_CARDS["unionpay"], 1000, "156")


def client_for(tcp: TcpHost, **options: object) -> Client:
    timeout_s = options.pop("timeout_s", 2.0)
    return Client("127.0.0.1", tcp.port, tcp.host.language, timeout_s=timeout_s, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom", "iso87-ascii", "iso93-ascii", "base24-pos"])
async def test_a_command_goes_over_the_wire_and_back(dialect: str) -> None:
    told: list[Exchange] = []
    with serving(ScriptedHost(dialect)) as tcp:
        tcp.slices = True
        client = client_for(tcp)
        result = await client.perform(a_terminal(dialect), BUY, told.append)
        await client.close()

    assert result.approved
    assert ["purchase"] == [exchange.function for exchange in told]
    assert all((exchange.latency_ms or 0) > 0 for exchange in told)


async def test_a_header_that_asks_for_a_sign_in_gets_it_before_the_next_transaction() -> None:
    told: list[Exchange] = []
    with serving(ScriptedHost("unionpay")) as tcp:
        tcp.requirements = [SIGN_IN_AGAIN]
        client, terminal = client_for(tcp), a_terminal("unionpay")
        for _ in range(3):
            await client.perform(terminal, BUY, told.append)
        await client.close()

    assert ["purchase", "sign_in", "purchase", "purchase"] == [exchange.function for exchange in told]


async def test_a_settlement_goes_before_a_sign_in_that_a_header_asked_for() -> None:
    told: list[Exchange] = []
    with serving(ScriptedHost("unionpay")) as tcp:
        tcp.requirements = [SIGN_IN_AGAIN]
        client, terminal = client_for(tcp), a_terminal("unionpay")
        await client.perform(terminal, BUY)
        await client.perform(terminal, Settle(), told.append)
        await client.close()

    assert "settlement" == told[0].function


async def test_a_missing_answer_is_waited_for_no_longer_than_the_time_out() -> None:
    host = ScriptedHost("unionpay")
    host.will("purchase", None)
    with serving(host) as tcp:
        client = client_for(tcp, timeout_s=0.1)
        began = time.monotonic()
        async with loop_seconds() as loop_s:
            result = await client.perform(a_terminal("unionpay"), BUY)
            assert loop_s() < 1
        assert time.monotonic() - began >= 0.1
        await client.close()

    assert not result.answered


async def test_an_answer_to_something_else_does_not_end_the_wait() -> None:
    host = ScriptedHost("unionpay")
    host.will("purchase", {11: "999999"})
    with serving(host) as tcp:
        client = client_for(tcp, timeout_s=0.1)
        result = await client.perform(a_terminal("unionpay"), BUY)
        await client.close()

    assert not result.answered


async def test_a_lost_connection_counts_as_no_answer_at_once_and_is_made_anew() -> None:
    host = ScriptedHost("unionpay")
    terminal = a_terminal("unionpay")
    with serving(host) as tcp:
        tcp.hang_up_after = 1
        client = client_for(tcp)
        first = await client.perform(terminal, Manage("sign_in"))
        second = await client.perform(terminal, BUY)
        third = await client.perform(terminal, Reverse())
        await client.close()

    assert first.answered
    assert second.answered or third.answered
    assert tcp.connections >= 2


async def test_answers_can_be_lost_on_purpose() -> None:
    losses = iter([True, False, False])
    terminal = a_terminal("unionpay")
    with serving(ScriptedHost("unionpay")) as tcp:
        client = client_for(tcp, timeout_s=0.1, lose=lambda: next(losses))
        lost = await client.perform(terminal, BUY)
        client.timeout_s = HANGING_S
        found = await client.perform(terminal, BUY)
        await client.close()

    assert (False, True) == (lost.answered, found.approved)
    assert ["purchase", "reversal", "purchase"] == tcp.host.functions()


async def test_the_memory_is_kept_before_sending_and_after_the_answer(tmp_path: Path) -> None:
    file = MemoryFile(tmp_path / "memory.json")
    kept: list[tuple[int, bool]] = []

    def keep(memory: object) -> None:
        file.save(memory)  # type: ignore[arg-type]
        table = json.loads(file.path.read_text())
        kept.append((len(table["log"]), table["unfinished"] is not None))

    with serving(ScriptedHost("unionpay")) as tcp:
        client = client_for(tcp, keep=keep)
        await client.perform(a_terminal("unionpay"), BUY)
        await client.close()

    assert [(0, True), (1, False)] == kept


async def test_no_host_is_said_in_plain_words() -> None:
    with serving(ScriptedHost("unionpay")) as tcp:
        client = client_for(tcp)
    with pytest.raises(NoConnection, match=r"127\.0\.0\.1:\d+: Connection refused"):
        await client.knock()


async def test_bytes_that_are_no_frame_end_the_connection() -> None:
    host = ScriptedHost("unionpay")
    with serving(host) as tcp:
        tcp._send = lambda sock, data: sock.sendall(b"\xff\xff" + data)  # type: ignore[method-assign]
        client = client_for(tcp)
        result = await client.perform(a_terminal("unionpay"), BUY)
        await client.close()

    assert not result.answered
    assert "no answer to purchase: what came is no frame" in result.reason


async def test_a_host_that_hangs_up_instead_of_answering_is_said_to() -> None:
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    client = Client("127.0.0.1", server.sockets[0].getsockname()[1], open_language("unionpay"), timeout_s=60.0)
    async with asyncio.timeout(20.0):  # at once, not when the answer's time is over
        result = await client.perform(a_terminal("unionpay"), BUY)
    server.close()

    assert "no answer to purchase: the host hung up" == result.reason


def test_a_frame_has_what_the_dialects_framing_says() -> None:
    starts = {"unionpay": ("6000030000603100311000", 2), "hypercom": ("6000030000", 2), "iso87-ascii": ("30", 4)}
    for dialect, (start, length) in starts.items():
        terminal = a_terminal(dialect)
        terminal.begin(BUY)
        request = terminal.next_request()
        assert request is not None
        assert frame_of(terminal.language, request)[length:].hex().startswith(start)
