"""A reader of the exchanges: gets all, in order, unless it is too slow; and never holds the host up."""

from __future__ import annotations

import asyncio

import pytest

from pos_host.exchange_follower import WAITING_MOST, Follower
from pos_host.exchanges import Exchanges
from pos_specs.framing import Frame
from pos_specs.language import open_language


def receive(exchanges: Exchanges, times: int = 1) -> None:
    for _ in range(times):
        language = open_language("unionpay")
        exchanges.add(0, "peer", language, Frame(b"", b"", b""), None, b"", "", "", "", "format_error", "")


@pytest.fixture
def exchanges() -> Exchanges:
    return Exchanges()


async def numbers(follower: Follower, count: int) -> list[int]:
    found = []
    for _ in range(count):
        following = await follower.next(1.0)
        assert following is not None
        assert following[0] is not None
        found.append(following[0].number)
    return found


async def test_it_gets_what_came_after_a_mark_and_what_comes(exchanges: Exchanges) -> None:
    receive(exchanges, 3)
    with Follower(exchanges, 1) as follower:
        waiting = asyncio.create_task(numbers(follower, 4))
        await asyncio.sleep(0)
        receive(exchanges, 2)
        assert [2, 3, 4, 5] == await waiting


async def test_what_comes_before_it_begins_to_read_is_not_lost(exchanges: Exchanges) -> None:
    """An answer over HTTP begins some turns of the loop after it was asked for."""
    receive(exchanges, 2)
    follower = Follower(exchanges, 1)
    receive(exchanges)
    with follower:
        receive(exchanges)
        assert [2, 3, 4] == await numbers(follower, 3)


async def test_nothing_in_time_is_nothing(exchanges: Exchanges) -> None:
    with Follower(exchanges, 0) as follower:
        assert (None, 0) == await follower.next(0.0)


async def test_who_is_too_slow_loses_the_oldest_and_is_told(exchanges: Exchanges) -> None:
    with Follower(exchanges, 0) as follower:
        receive(exchanges, WAITING_MOST + 7)
        following = await follower.next(1.0)
        assert following is not None
        assert following[0] is not None
        assert (8, 7) == (following[0].number, following[1])
        assert [9] == await numbers(follower, 1)


async def test_the_end_comes_at_once_behind_what_waits(exchanges: Exchanges) -> None:
    with Follower(exchanges, 0) as follower:
        receive(exchanges)
        waiting = asyncio.create_task(follower.next(1.0))
        await waiting
        ending = asyncio.create_task(follower.next(60.0))
        await asyncio.sleep(0)
        exchanges.end()
        assert await ending is None


def test_a_reader_that_leaves_is_told_no_more(exchanges: Exchanges) -> None:
    with Follower(exchanges, 0):
        assert 1 == len(exchanges.watchers)
    assert ([], []) == (exchanges.watchers, exchanges.on_end)


async def test_it_goes_on_when_the_host_starts_over(exchanges: Exchanges) -> None:
    receive(exchanges, 2)
    with Follower(exchanges, exchanges.count) as follower:
        clean = Exchanges()
        clean.succeed(exchanges)
        assert [] == clean.since(0)
        receive(clean)
        assert [3] == await numbers(follower, 1)
    assert [] == clean.watchers
