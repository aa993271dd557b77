"""What stands between the answers of one connection and its socket once a fault holds, cuts or delays them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from math import inf
from typing import Any, NamedTuple

from pos_host.clock import Clock, ManualClock
from pos_host.logs import Logger
from pos_host.session import Session

log = Logger("pos_host.rules")


class Item(NamedTuple):
    """Bytes to write not before `due_s` of the outlet's time, how many answers are given with them, what follows."""

    due_s: float
    data: bytes
    answers: int
    then: Callable[[], None] | None


class Outlet:
    """The line in which the answers of a connection wait. Nothing overtakes what waits here, but late answers get in
    line only when they are due: until then they are in `late`, the soonest first. `held` is an answer that waits for
    the next one, and whether they go as one.

    The outlet's time is the loop's and, under a manual clock, as much more as that was moved: what waits for 40 seconds
    is due when a test moves the clock by 40 seconds, and a device at the other end is answered also if nobody does.
    """

    __slots__ = ("_clock", "_held", "_late", "_line", "_loop", "_number", "_session", "_timer")

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._clock = clock if isinstance(clock, ManualClock) else None
        if self._clock is not None:
            self._clock.at_move.add(self._go_on)
        self._line: deque[Item] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._late: list[tuple[float, int, bytes]] = []
        self._number = 0
        self._held: tuple[bytes, bool] | None = None

    def send(self, data: bytes) -> None:
        """An answer that nothing is done to; it lets go the one that was held."""
        self._with_held(data, self._put)

    def act(self, kind: str, values: Mapping[str, Any], data: bytes) -> None:
        """An answer with the fault `kind`, one of those that act at sending."""
        if kind in ("swap_replies", "coalesce"):
            self._hold(data, together=kind == "coalesce")
        elif kind == "no_reply":
            self._session.unanswered()
        elif kind == "late_reply":
            self._put_late(data, values["seconds"])
        elif kind in ("drop_before_commit", "drop_after_commit"):
            self._put(b"", then=self._session.drop)
        elif kind == "reset":
            self._put(b"", then=self._session.reset)
        else:
            self._with_held(data, self._cutting(kind, values))

    def drop(self) -> None:
        """The connection is gone: what waits for it is forgotten."""
        if self._clock is not None:
            self._clock.at_move.discard(self._go_on)
        if self._timer is not None:
            self._timer.cancel()
        self._late.clear()
        self._line.clear()
        self._timer = self._held = None

    def _cutting(self, kind: str, values: Mapping[str, Any]) -> Callable[[bytes], None]:
        """How an answer is put in line whose sending is what is wrong."""
        if kind == "delay":
            return lambda data: self._put(data, delay_s=values["seconds"])
        if kind == "dribble":
            return lambda data: self._dribble(data, values["ms"] / 1000)
        if kind == "duplicate_reply":
            return lambda data: self._put(data + data)
        if kind == "truncate":
            return lambda data: self._put(data[: -values["bytes"]], then=self._session.drop)
        return lambda data: self._put(data, then=self._half_close)

    def _hold(self, data: bytes, *, together: bool) -> None:
        """Keep an answer for the next one; one that comes while another is held is that next one."""
        if self._held is not None:
            self.send(data)
        else:
            self._held = data, together
            self._session.unanswered()  # nobody knows whether a next one comes: nothing waits for this one

    def _with_held(self, data: bytes, put: Callable[[bytes], None]) -> None:
        held, self._held = self._held, None
        if held is None:
            put(data)
        elif held[1]:
            put(held[0] + data)
        else:
            put(data)
            self._put(held[0], answers=0)

    def _put(
        self, data: bytes, *, delay_s: float = 0.0, answers: int = 1, then: Callable[[], None] | None = None
    ) -> None:
        now_s = self._now_s()
        due_s = self._behind_the_last(now_s + delay_s)
        item = Item(due_s, data, answers, then)
        if due_s <= now_s and not self._line:
            self._write(item)
            return
        self._line.append(item)
        self._wait()

    def _dribble(self, data: bytes, pause_s: float) -> None:
        self._put(data[:1], answers=0)
        for place in range(1, len(data)):
            begun_s = self._line[-1].due_s if self._line else self._now_s()
            item = Item(begun_s + pause_s, data[place : place + 1], int(place == len(data) - 1), None)
            self._line.append(item)
        self._wait()

    def _put_late(self, data: bytes, seconds: float) -> None:
        self._number += 1
        heappush(self._late, (self._now_s() + seconds, self._number, data))
        self._wait()

    def _now_s(self) -> float:
        moved_ms = 0 if self._clock is None else self._clock.moved_ms
        return self._loop.time() + moved_ms / 1000

    def _behind_the_last(self, due_s: float) -> float:
        """When something is due that would be at `due_s`, and overtakes nothing."""
        return max(due_s, self._line[-1].due_s) if self._line else due_s

    def _wait(self) -> None:
        """Have one timer, for what is due first."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        soonest_s = min(self._line[0].due_s if self._line else inf, self._late[0][0] if self._late else inf)
        if soonest_s < inf:
            self._timer = self._loop.call_later(soonest_s - self._now_s(), self._go_on)

    def _go_on(self) -> None:
        """Write what is due, one write a moment, and wait for the next."""
        now_s = self._now_s()
        while self._late and self._late[0][0] <= now_s:
            due_s, _, data = heappop(self._late)
            self._line.append(Item(self._behind_the_last(due_s), data, 1, None))
        while self._line and self._line[0].due_s <= now_s:
            self._write(self._line.popleft())
        self._flush()
        self._wait()

    def _write(self, item: Item) -> None:
        session = self._session
        session.collect(item.data, item.answers)
        if item.then is not None:
            self._flush()
            item.then()

    def _flush(self) -> None:
        try:
            self._session.flush()
        except (OSError, RuntimeError) as error:  # uvloop raises when the peer closed meanwhile
            log.info("answer_not_sent", peer=self._session.peer, reason=type(error).__name__)

    def _half_close(self) -> None:
        """Close the writing side; a transport that has none, as over TLS, is closed whole."""
        session = self._session
        transport = session.transport
        with contextlib.suppress(NotImplementedError, OSError, RuntimeError):
            if transport is not None and transport.can_write_eof():
                transport.write_eof()
                session.closed = True  # for answers: what is asked from now on is decided, and nobody hears of it
                return
        log.warning("rule_failed", fault="half_close", peer=session.peer, reason="this connection closes as a whole")
        session.drop()
