"""Follows the exchanges for one reader, however slow it is: what it does not fetch in time is dropped and counted."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType

from pos_host.exchanges import Exchange, Exchanges

WAITING_MOST = 1000
"""Exchanges that wait for one reader: some megabytes of a reader that has stopped reading."""


class Follower:
    """The exchanges after a number, and those to come, from entering to leaving the context."""

    def __init__(self, exchanges: Exchanges, since: int) -> None:
        self._exchanges = exchanges
        self._since = since
        self._waiting: deque[Exchange] = deque(maxlen=WAITING_MOST)
        self._wake = asyncio.Event()
        self._ended = False
        self._dropped = 0

    def __enter__(self) -> Follower:
        self._waiting.extend(self._exchanges.since(self._since))
        self._exchanges.watchers.append(self._take)
        self._exchanges.on_end.append(self._end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exchanges.watchers.remove(self._take)
        self._exchanges.on_end.remove(self._end)

    async def next(self, within_s: float) -> tuple[Exchange | None, int] | None:
        """The next exchange and how many were dropped before it; no exchange where none came in time, and None once
        the host stops."""
        if not self._waiting and not self._ended:
            self._wake.clear()
            try:
                async with asyncio.timeout(within_s):
                    await self._wake.wait()
            except TimeoutError:
                return None, 0
        if not self._waiting:
            return None if self._ended else (None, 0)
        dropped, self._dropped = self._dropped, 0
        return self._waiting.popleft(), dropped

    def _take(self, exchange: Exchange) -> None:
        self._dropped += len(self._waiting) == WAITING_MOST
        self._waiting.append(exchange)
        self._wake.set()

    def _end(self) -> None:
        self._ended = True
        self._wake.set()
