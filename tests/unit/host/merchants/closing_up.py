"""Who closes terminals in tests, and the steps of it in one go."""

from __future__ import annotations

from typing import Any

from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import MERCHANT

from pos_host.merchants.actors import Actor
from pos_host.merchants.closing.closure_states import STEPS
from pos_host.merchants.closing.closures import Application, StepTaken
from pos_host.merchants.closing.endings import Endings
from pos_host.merchants.closing.terminal_states import Whom

OPERATOR, REVIEWER, OTHER_REVIEWER = (
    Actor("lin", "operator"),
    Actor("zhao", "reviewer"),
    Actor("qian", "reviewer"),
)
DAY_MS = 86_400_000


def endings(host: HostInProcess) -> Endings:
    return host.parts.endings


def terminal(host: HostInProcess, terminal_id: str = "T0000001") -> Whom:
    return Whom(MERCHANT, host.book(terminal_id))


async def apply(host: HostInProcess, whom: Whom, reason: str = "merchant_request", **more: str) -> dict[str, Any]:
    return await endings(host).closures.apply(OPERATOR, whom, Application(reason, whom.merchant_id, **more))


async def take(host: HostInProcess, whom: Whom, step: str, **more: Any) -> dict[str, Any]:
    return await endings(host).closures.take_step(OPERATOR, whom, step, StepTaken(**more))


async def close(host: HostInProcess, whom: Whom, reason: str = "merchant_request") -> dict[str, Any]:
    """Apply and take every step; the terminal must have nothing left open."""
    answer = await apply(host, whom, reason)
    for step in STEPS:
        answer = await take(host, whom, step)
    return answer


async def reopen(host: HostInProcess, whom: Whom) -> dict[str, Any]:
    await endings(host).reopenings.request(OPERATOR, whom, "it was closed by mistake")
    return await endings(host).reopenings.approve(REVIEWER, whom)


async def days_later(host: HostInProcess, days: int = 5) -> None:
    """Move the clock, and live through what falls due: payouts among it."""
    await host.watch.advance(host.clock, host.clock.now_ms() + days * DAY_MS)


def told(host: HostInProcess, *types: str) -> list[str]:
    """The types of the events among `types`, in order."""
    from pos_host.event_log import event_type

    seen = [event_type(stored.entry) for stored in host.memory.entries]
    return [name for name in seen if name in types]
