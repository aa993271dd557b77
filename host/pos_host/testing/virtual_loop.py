"""An event loop on virtual time: where it would wait, the clock jumps, so an hour costs nothing."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

CLOCK_RESOLUTION_S = 1e-9
"""Timers this close count as due together; coarser, and short delays would lose their order."""


class NothingLeftToHappen(RuntimeError):
    """Everybody waits for somebody else: on a real clock the program would hang here for ever."""


class NoThreads(RuntimeError):
    """A thread was asked for. It would live in real time, and the virtual clock would jump over it."""


class JumpingSelector(selectors.SelectSelector):
    """A selector that never waits and never reports a file: it moves the loop's clock instead."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NothingLeftToHappen("no timer is set and nobody is ready")
        self.loop.now_s += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time is `now_s`. No sockets, no threads; timers of equal time come in any order."""

    def __init__(self) -> None:
        self.now_s = 0.0
        selector = JumpingSelector()
        super().__init__(selector)
        selector.loop = self
        self._clock_resolution = CLOCK_RESOLUTION_S

    def time(self) -> float:
        return self.now_s

    def run_in_executor(self, *arguments: Any) -> NoReturn:  # type: ignore[override]
        raise NoThreads("a thread was asked for in virtual time")


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on a virtual loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
