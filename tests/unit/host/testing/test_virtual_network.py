"""The network in memory: what TCP promises holds, and the weather does what it says."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.host.testing.listeners import ADDRESS, Noting, Serving, connected

from pos_host.testing.virtual_loop import run_virtually
from pos_host.testing.virtual_network import VirtualNetwork
from pos_host.testing.weather import Weather

MESSAGES = [b"message %03d;" % number for number in range(100)]
LONG_S = 1000.0


async def sent(weather: Weather, seed: int = 1) -> Noting:
    """The server's end after `MESSAGES` were sent and everything has arrived."""
    network = VirtualNetwork(weather, seed)
    serving = Serving(network)
    client = await connected(network)
    for message in MESSAGES:
        client.transport.write(message)
        await asyncio.sleep(0.01)
    await asyncio.sleep(LONG_S)
    return serving.accepted[0]


def test_in_calm_weather_every_message_arrives_once_and_whole() -> None:
    assert MESSAGES == [data for _, data in run_virtually(sent(Weather())).heard]


def test_whatever_the_delays_a_connection_keeps_the_order_of_its_bytes() -> None:
    weather = Weather(delay_s=(0.0, 2.0), split=0.8, stalled=0.2, stall_s=(1.0, 5.0))

    for seed in range(20):
        heard = run_virtually(sent(weather, seed)).heard
        assert b"".join(MESSAGES) == b"".join(data for _, data in heard)
        assert len(heard) > len(MESSAGES)


def test_the_same_seed_gives_the_same_weather() -> None:
    weather = Weather(delay_s=(0.0, 2.0), split=0.5, lost=0.1, copied=0.1)

    assert run_virtually(sent(weather, 7)).heard == run_virtually(sent(weather, 7)).heard
    assert run_virtually(sent(weather, 7)).heard != run_virtually(sent(weather, 8)).heard


def test_a_lost_message_is_missing_whole_and_the_connection_lives() -> None:
    server = run_virtually(sent(Weather(lost=0.3)))
    heard = [data for _, data in server.heard]

    assert 40 < len(heard) < 95
    assert [message for message in MESSAGES if message in heard] == heard
    assert [] == server.ended


def test_a_copied_message_arrives_twice() -> None:
    heard = [data for _, data in run_virtually(sent(Weather(copied=0.2, copy_after_s=(1.0, 60.0)))).heard]

    assert set(MESSAGES) == set(heard)
    assert 105 < len(heard) < 150
    assert {1, 2} == {heard.count(message) for message in MESSAGES}


def test_a_cut_ends_both_sides_and_loses_what_was_on_its_way() -> None:
    async def cut() -> tuple[Noting, Noting]:
        network = VirtualNetwork(Weather(delay_s=(1.0, 1.0)))
        serving = Serving(network)
        client = await connected(network)
        client.transport.write(b"on its way")
        client.transport.abort()
        client.transport.write(b"too late")
        await asyncio.sleep(LONG_S)
        return client, serving.accepted[0]

    for end in run_virtually(cut()):
        assert [] == end.heard
        assert [ConnectionResetError] == [type(error) for error in end.ended]


def test_some_messages_cut_the_connection_in_bad_weather() -> None:
    server = run_virtually(sent(Weather(cut=0.1)))

    assert [ConnectionResetError] == [type(error) for error in server.ended]
    assert len(server.heard) < len(MESSAGES)


def test_what_was_written_before_closing_still_arrives_and_then_the_end() -> None:
    async def close() -> tuple[Noting, Noting]:
        network = VirtualNetwork(Weather(delay_s=(5.0, 5.0)))
        serving = Serving(network, echo=True)
        client = await connected(network)
        client.transport.write(b"goodbye")
        client.transport.close()
        await asyncio.sleep(LONG_S)
        return client, serving.accepted[0]

    client, server = run_virtually(close())
    assert (b"goodbye", [None]) == (server.bytes_heard, server.ended)
    assert (b"", [None]) == (client.bytes_heard, client.ended)


def test_a_new_connection_overtakes_an_old_one_that_stalls() -> None:
    async def overtake() -> list[bytes]:
        network = VirtualNetwork(Weather(stalled=1.0, stall_s=(45.0, 45.0)))
        serving = Serving(network)
        first = await connected(network)
        first.transport.write(b"original")
        await asyncio.sleep(30)
        first.transport.close()
        network.fates.weather = Weather()
        second = await connected(network)
        second.transport.write(b"reversal")
        await asyncio.sleep(LONG_S)
        heard = sorted((at_s, data) for server in serving.accepted for at_s, data in server.heard)
        return [data for _, data in heard]

    assert [b"reversal", b"original"] == run_virtually(overtake())


def test_whoever_has_paused_reads_what_came_meanwhile_when_it_goes_on() -> None:
    async def pause() -> list[list[tuple[float, bytes]]]:
        network = VirtualNetwork()
        serving = Serving(network)
        client = await connected(network)
        server = serving.accepted[0]
        server.transport.pause_reading()
        client.transport.write(b"first")
        client.transport.write(b"second")
        await asyncio.sleep(10)
        before = list(server.heard)
        server.transport.resume_reading()
        return [before, server.heard]

    assert [[], [(10.001, b"first"), (10.001, b"second")]] == run_virtually(pause())


def test_nobody_answers_where_nobody_listens() -> None:
    async def knock() -> None:
        await connected(VirtualNetwork())

    with pytest.raises(ConnectionRefusedError):
        run_virtually(knock())


def test_an_address_is_taken_once() -> None:
    network = VirtualNetwork()
    Serving(network)

    with pytest.raises(OSError, match="host:8583 is taken"):
        Serving(network)


def test_a_killed_process_hears_nothing_more_and_its_peers_lose_their_connection() -> None:
    async def kill() -> tuple[Noting, Noting]:
        network = VirtualNetwork(Weather(delay_s=(1.0, 1.0)))
        serving = Serving(network)
        client = await connected(network)
        server = serving.accepted[0]
        server.transport.write(b"said before")
        client.transport.write(b"never heard")
        network.kill(ADDRESS)
        server.transport.write(b"never said")
        await asyncio.sleep(LONG_S)
        with pytest.raises(ConnectionRefusedError):
            await connected(network)
        return client, server

    client, server = run_virtually(kill())
    assert (b"said before", [None]) == (client.bytes_heard, client.ended)
    assert ([], []) == (server.heard, server.ended)


def test_after_a_kill_somebody_else_can_listen_there() -> None:
    async def restart() -> int:
        network = VirtualNetwork()
        Serving(network)
        await connected(network)
        network.kill(ADDRESS)
        again = Serving(network)
        await connected(network)
        return len(again.accepted)

    assert 1 == run_virtually(restart())
