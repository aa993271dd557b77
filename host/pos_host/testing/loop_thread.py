"""An event loop in a thread of its own, so that a test that knows no asyncio can wait for what runs there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """A loop that runs from `start` to `stop`. Everything is given to it from other threads, which wait for the end."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pos-acquirer", daemon=True)

    def start(self) -> None:
        """Begin to run."""
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine gives, or the error it raises. Interrupted, as by Ctrl-C, the coroutine is cancelled."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("called on the loop that would have to do it")
        ended = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return ended.result()
        except BaseException:
            ended.cancel()
            raise

    def call(self, do: Callable[[], T]) -> T:
        """What a function gives that must be called on the loop."""

        async def on_loop() -> T:
            return do()

        return self.run(on_loop())

    def stop(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
