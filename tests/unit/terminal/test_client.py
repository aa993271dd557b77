"""The line to the host, on real sockets."""

import json
import time
from pathlib import Path

import pytest
from tests.unit.terminal.scripted_host import ScriptedHost, a_terminal
from tests.unit.terminal.tcp_host import TcpHost, serving

from pos_terminal.cards import TEST_CARDS
from pos_terminal.client import Client, NoConnection, frame_of
from pos_terminal.commands import Manage, Purchase, Reverse
from pos_terminal.exchange import Exchange
from pos_terminal.memory_file import MemoryFile

BUY = Purchase(TEST_CARDS["unionpay"], 1000, "156")


def client_for(tcp: TcpHost, **options: object) -> Client:
    timeout_s = options.pop("timeout_s", 2.0)
    return Client("127.0.0.1", tcp.port, tcp.host.language, timeout_s=timeout_s, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom", "iso87-ascii"])
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


async def test_a_missing_answer_is_waited_for_no_longer_than_the_time_out() -> None:
    host = ScriptedHost("unionpay")
    host.will("purchase", None)
    with serving(host) as tcp:
        client = client_for(tcp, timeout_s=0.1)
        began = time.monotonic()
        result = await client.perform(a_terminal("unionpay"), BUY)
        took_s = time.monotonic() - began
        await client.close()

    assert not result.answered
    assert 0.1 <= took_s < 1.0


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


def test_a_frame_has_what_the_dialects_framing_says() -> None:
    starts = {"unionpay": ("6000030000603100311000", 2), "hypercom": ("6000030000", 2), "iso87-ascii": ("30", 4)}
    for dialect, (start, length) in starts.items():
        terminal = a_terminal(dialect)
        terminal.begin(BUY)
        request = terminal.next_request()
        assert request is not None
        assert frame_of(terminal.language, request)[length:].hex().startswith(start)
