"""What stands between the answers of one connection and its socket once a fault holds, cuts or delays them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pos_host.logs import Logger
from pos_host.session import Session

log = Logger("pos_host.rules")


class Item(NamedTuple):
    """Bytes to write not before `due_s` of the loop's time, how many answers are given with them, and what follows."""

    due_s: float
    data: bytes
    answers: int
    then: Callable[[], None] | None


class Outlet:
    """The line in which the answers of a connection wait. Nothing overtakes what waits here, but late answers do come
    later: `late` has their timers. `held` is an answer that waits for the next one, and whether they go as one."""

    __slots__ = ("_held", "_late", "_line", "_loop", "_session", "_timer")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._line: deque[Item] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._late: set[asyncio.TimerHandle] = set()
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
        for timer in (*self._late, *filter(None, [self._timer])):
            timer.cancel()
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
        now_s = self._loop.time()
        due_s = max(now_s + delay_s, self._line[-1].due_s if self._line else now_s)
        item = Item(due_s, data, answers, then)
        if due_s <= now_s and not self._line:
            self._write(item)
            return
        self._line.append(item)
        self._wait()

    def _dribble(self, data: bytes, pause_s: float) -> None:
        self._put(data[:1], answers=0)
        for place in range(1, len(data)):
            begun_s = self._line[-1].due_s if self._line else self._loop.time()
            item = Item(begun_s + pause_s, data[place : place + 1], int(place == len(data) - 1), None)
            self._line.append(item)
        self._wait()

    def _put_late(self, data: bytes, seconds: float) -> None:
        def send() -> None:
            self._late.discard(timer)
            self._put(data)
            self._flush()

        timer = self._loop.call_later(seconds, send)
        self._late.add(timer)

    def _wait(self) -> None:
        if self._timer is None and self._line:
            self._timer = self._loop.call_at(self._line[0].due_s, self._go_on)

    def _go_on(self) -> None:
        """Write what is due, one write a moment, and wait for the next."""
        self._timer = None
        now_s = self._loop.time()
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
