"""What falls due on the merchant's side: rows of the store that name a time, each acted on at that time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from pos_host.clock import Clock
from pos_host.logs import Logger

log = Logger("pos_host.agenda")

TRY_AGAIN_MS = 60_000
"""After something due failed: a full disk is not mended sooner, and each try is a line in the log."""


class DueSource(Protocol):
    """Somebody with rows that fall due."""

    def next_due_ms(self) -> int | None:
        """When the first of them is due, UTC milliseconds."""

    async def act_on_due(self, now_ms: int) -> None:
        """Do what is due by now, durably; afterwards nothing of it is due any more."""


class Agenda:
    """Acts on what `sources` have due, one after the other; the watch asks it to look as time passes."""

    def __init__(self, clock: Clock, sources: Iterable[DueSource] = ()) -> None:
        self._clock = clock
        self._sources = list(sources)
        self._not_before_ms: dict[DueSource, int] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, source: DueSource) -> None:
        """Have a source looked at as well."""
        self._sources.append(source)

    @property
    def busy(self) -> bool:
        """Whether something due is being done."""
        return self._task is not None and not self._task.done()

    def next_due_ms(self) -> int | None:
        """When something falls due next; of a source whose last try failed, when it is tried again."""
        due = (self._due_ms(source) for source in self._sources)
        return min((at_ms for at_ms in due if at_ms is not None), default=None)

    def look(self) -> bool:
        """Begin what is due by now, unless something still is under way; True if something was begun."""
        now_ms, due_ms = self._clock.now_ms(), self.next_due_ms()
        if self.busy or due_ms is None or due_ms > now_ms:
            return False
        self._task = asyncio.get_running_loop().create_task(self._act(now_ms), name="agenda")
        return True

    async def stop(self) -> None:
        """Wait for what is under way."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def abandon(self) -> None:
        """Drop what is under way: the host dies."""
        if self._task is not None:
            self._task.cancel()

    def _due_ms(self, source: DueSource) -> int | None:
        due_ms = source.next_due_ms()
        return None if due_ms is None else max(due_ms, self._not_before_ms.get(source, 0))

    async def _act(self, now_ms: int) -> None:
        for source in self._sources:
            due_ms = self._due_ms(source)
            if due_ms is None or due_ms > now_ms:
                continue
            try:
                await source.act_on_due(now_ms)
                self._not_before_ms.pop(source, None)
            except Exception as error:  # our mistake, or a commit that failed: tried again later
                log.error("due_failed", source=type(source).__name__, reason=type(error).__name__, exc_info=error)
                self._not_before_ms[source] = now_ms + TRY_AGAIN_MS
