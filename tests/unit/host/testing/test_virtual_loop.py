"""Virtual time: waiting costs nothing, and what cannot happen in it says so."""

from __future__ import annotations

import asyncio
import time

import pytest

from pos_host.settlement.policy import load_policy
from pos_host.testing.virtual_clock import VirtualClock
from pos_host.testing.virtual_loop import NothingLeftToHappen, NoThreads, VirtualLoop, run_virtually

EVENING_MS = 1_772_461_800_000  # 2026-03-02 22:30:00 in Shanghai


async def moments(*delays_s: float) -> list[float]:
    """When sleepers of these delays woke up, in the order in which they did."""
    loop, woke = asyncio.get_running_loop(), []

    async def sleeper(delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        woke.append(round(loop.time(), 6))

    await asyncio.gather(*map(sleeper, delays_s))
    return woke


def test_two_days_of_waiting_pass_in_a_moment() -> None:
    began = time.monotonic()

    assert [172_800.0] == run_virtually(moments(172_800))
    assert time.monotonic() - began < 5


def test_sleepers_wake_in_the_order_of_their_time() -> None:
    assert [0.001, 1.5, 30.0, 30.000001] == run_virtually(moments(30.000001, 1.5, 30, 0.001))


def test_a_timeout_comes_at_its_own_time_and_not_before() -> None:
    async def wait() -> float:
        loop = asyncio.get_running_loop()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await loop.create_future()
        return loop.time()

    assert 30.0 == run_virtually(wait())


def test_a_program_that_would_hang_for_ever_says_so() -> None:
    async def wait_for_nobody() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(NothingLeftToHappen):
        run_virtually(wait_for_nobody())


def test_a_thread_is_refused_because_the_clock_would_jump_over_it() -> None:
    async def use_a_thread() -> None:
        await asyncio.to_thread(time.sleep, 0)

    with pytest.raises(NoThreads):
        run_virtually(use_a_thread())


def test_each_run_begins_at_zero() -> None:
    async def now() -> float:
        assert isinstance(asyncio.get_running_loop(), VirtualLoop)
        return asyncio.get_running_loop().time()

    assert [0.0, 0.0] == [run_virtually(now()), run_virtually(now())]


def test_the_hosts_clock_follows_the_loop() -> None:
    async def look() -> list[tuple[int, str, str]]:
        clock = VirtualClock(load_policy(None), EVENING_MS)
        looks = []
        for delay_s in (0, 0.25, 3600):
            await asyncio.sleep(delay_s)
            looks.append((clock.now_ms(), clock.now().time, clock.now().settlement_date))
        return looks

    assert [
        (EVENING_MS, "223000", "0302"),
        (EVENING_MS + 250, "223000", "0302"),
        (EVENING_MS + 3_600_250, "233000", "0303"),
    ] == run_virtually(look())
