"""Time as an event loop lives through it, for tests of how long something may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.patience import HANGING_S

TICK_S = 0.01


@asynccontextmanager
async def loop_seconds() -> AsyncIterator[Callable[[], float]]:
    """Gives how many seconds the loop has had since; a halt of the whole machine counts as one tick.

    Waiting too long in timers is seen as on a clock; being kept waiting by other processes is not.
    """
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(TICK_S)
            ticks += 1

    ticking = asyncio.create_task(tick(), name="loop-seconds")
    try:
        async with asyncio.timeout(HANGING_S):
            yield lambda: ticks * TICK_S
    finally:
        ticking.cancel()
