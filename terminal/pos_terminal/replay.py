"""Plays a recording again against a host: sends what was sent, and compares what comes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

from pos_specs.errors import MessageError
from pos_specs.framing import Framer, join_frame
from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.recorded_exchanges import RecordedExchange, answers
from pos_terminal.addresses import Address
from pos_terminal.client import CONNECT_TIMEOUT_S, Line, NoConnection, why_not
from pos_terminal.pin import Pin
from pos_terminal.pin_pad import PadSettings
from pos_terminal.replay_allowances import Allowances
from pos_terminal.replay_comparison import ABSENT, Comparison, Difference
from pos_terminal.replay_stand_in import StandIn

LANES_AT_ONCE = 64
"""Lanes played at the same time where nothing is waited for: enough to keep a host busy, few enough for a laptop's
open files."""


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """How a recording is played. `speed` is how many times faster than recorded, None as fast as it goes.

    `address_of` gives the host's listener for a dialect; `timeout_s` bounds the wait for one answer.
    """

    address_of: Callable[[str], Address]
    timeout_s: float
    speed: float | None
    pad: PadSettings
    pin: Pin
    allowances: Allowances
    comparison: Comparison
    random: Callable[[int], bytes]
    tls: ssl.SSLContext | None = None


class Played(NamedTuple):
    """What became of one request. `verdict` is `same`, `differs`, `no_answer`, `not_answered_then` or `not_sent`."""

    step: RecordedExchange
    verdict: str
    differences: list[Difference]
    reason: str = ""

    @property
    def good(self) -> bool:
        """True for an answer as recorded, and where there was nothing to compare: an answer or a request that the
        recording has not. A request that it has and that cannot be made any more is none of these."""
        return self.verdict in ("same", "not_answered_then") or bool(
            self.verdict == "not_sent" and self.step.unreadable
        )

    def to_json(self) -> dict[str, Any]:
        """The document of one message."""
        step = self.step
        document: dict[str, Any] = {
            "number": step.number,
            "at_ms": step.at_ms,
            "connection": step.connection,
            "dialect": step.language.name,
            "mti": step.message.mti,
            "function": step.function,
            "terminal_id": step.terminal[2],
            "stan": step.message.fields.get(11),
            "verdict": self.verdict,
            "differences": [difference.to_json() for difference in self.differences],
        }
        return document | ({"reason": self.reason} if self.reason else {})


async def play(
    lanes: Iterable[list[RecordedExchange]], settings: ReplaySettings, tell: Callable[[Played], None]
) -> None:
    """Play all lanes, telling of each request as it is done; raises NoConnection where there is no host at all."""
    gate = asyncio.Semaphore(LANES_AT_ONCE)
    start_s = asyncio.get_running_loop().time()

    async def play_lane(lane: list[RecordedExchange]) -> None:
        async with AsyncExitStack() as stack:
            if settings.speed is None:
                await stack.enter_async_context(gate)
            player = _Lane(settings, start_s)
            stack.callback(player.close)
            for step in lane:
                tell(await player.play(step))

    try:
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(play_lane(lane))
    except* NoConnection as errors:
        raise errors.exceptions[0] from None


class _Lane:
    """The connections and stand-ins of one lane."""

    def __init__(self, settings: ReplaySettings, start_s: float) -> None:
        self._settings = settings
        self._start_s = start_s
        self._lines: dict[int, Line] = {}
        self._stand_ins: dict[tuple[str, str, str], StandIn] = {}

    def close(self) -> None:
        for line in self._lines.values():
            line.close()

    async def play(self, step: RecordedExchange) -> Played:
        """Send one request at its time, and wait for its answer where there was one."""
        if step.unreadable:
            return Played(step, "not_sent", [], step.unreadable)
        await self._wait_for(step.at_ms)
        stand_in = self._stand_in(step)
        request = stand_in.request(step)
        try:
            body = step.language.encode(request)
        except MessageError as error:
            return Played(step, "not_sent", [], str(error))
        line = await self._line(step)
        line.write(join_frame(step.language.dialect.framing, step.frame._replace(body=body)))
        if step.answer is None:
            return Played(step, "not_answered_then", [], stand_in.unprotected)
        answer = await self._answer(line, step)
        if answer is None:
            reason = line.ending or f"nothing within {self._settings.timeout_s:g} s"
            return Played(step, "no_answer", [], reason)
        wrong = stand_in.learn(step, request, answer)
        expected = stand_in.expected(step.answer)
        differences = self._settings.comparison.differences(
            step.language, expected, answer, step.hidden, same_card=step.same_card
        )
        if wrong:
            differences.append(Difference("mac" if "MAC" in wrong else "keys", wrong, ABSENT, "refused"))
        return Played(step, "differs" if differences else "same", differences, stand_in.unprotected)

    async def _wait_for(self, at_ms: int) -> None:
        if self._settings.speed is not None:
            due_s = self._start_s + at_ms / 1000 / self._settings.speed
            await asyncio.sleep(max(due_s - asyncio.get_running_loop().time(), 0))

    def _stand_in(self, step: RecordedExchange) -> StandIn:
        settings = self._settings
        known = self._stand_ins.get(step.terminal)
        if known is None:
            known = StandIn(step.language, settings.pad, settings.pin, settings.allowances, settings.random)
            self._stand_ins[step.terminal] = known
        return known

    async def _line(self, step: RecordedExchange) -> Line:
        """The recorded connection's line, a new one where it has none or has lost it."""
        line = self._lines.get(step.connection)
        if line is None or line.closed:
            line = self._lines[step.connection] = await self._connect(step.language)
        return line

    async def _connect(self, language: Language) -> Line:
        address, tls = self._settings.address_of(language.name), self._settings.tls
        framing = language.dialect.framing
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, line = await asyncio.get_running_loop().create_connection(
                    lambda: Line(Framer(framing), over_tls=tls is not None), address.host, address.port, ssl=tls
                )
        except (OSError, TimeoutError) as error:
            raise NoConnection(f"{address}: {why_not(error)}") from None
        return line

    async def _answer(self, line: Line, step: RecordedExchange) -> Message | None:
        """The answer to the request, what else comes being left aside; None when none comes."""
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                while (frame := await line.next_frame()) is not None:
                    try:
                        answer = step.language.decode(frame.body)
                    except MessageError:
                        continue
                    if answers(step.message, answer):
                        return answer
        except TimeoutError:
            pass
        return None
