"""What falls due is done at its time, in order, under a clock that tests move."""

from __future__ import annotations

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess

from pos_host.merchants.agenda import TRY_AGAIN_MS


class Reminders:
    """Notes when it was asked to act; `fails` lets that many tries fail."""

    def __init__(self, *due_ms: int, fails: int = 0) -> None:
        self.due = list(due_ms)
        self.done: list[int] = []
        self.fails = fails

    def next_due_ms(self) -> int | None:
        return min(self.due, default=None)

    async def act_on_due(self, now_ms: int) -> None:
        if self.fails:
            self.fails -= 1
            raise OSError("disk full")
        self.done += [now_ms for at_ms in self.due if at_ms <= now_ms]
        self.due = [at_ms for at_ms in self.due if at_ms > now_ms]


@pytest.fixture
def host() -> HostInProcess:
    return HostInProcess()


async def advanced(host: HostInProcess, by_ms: int) -> None:
    await host.watch.advance(host.clock, host.clock.now_ms() + by_ms)


async def test_everything_due_happens_at_its_own_time_when_the_clock_is_moved_past_it(host: HostInProcess) -> None:
    start = host.clock.now_ms()
    first, second = Reminders(start + 1_000, start + 3_000), Reminders(start + 2_000)
    host.parts.agenda.add(first)
    host.parts.agenda.add(second)

    await advanced(host, 2_500)
    assert ([start + 1_000], [start + 2_000]) == (first.done, second.done)
    await advanced(host, 2_500)
    assert [start + 1_000, start + 3_000] == first.done


async def test_what_was_due_while_the_host_was_down_is_done_at_once(host: HostInProcess) -> None:
    late = Reminders(host.clock.now_ms() - 5)
    host.parts.agenda.add(late)

    await host.watch.settle()
    assert [host.clock.now_ms()] == late.done


async def test_what_failed_is_tried_again_a_minute_later_and_the_others_are_done(host: HostInProcess) -> None:
    start = host.clock.now_ms()
    failing, fine = Reminders(start + 1_000, fails=1), Reminders(start + 1_000)
    host.parts.agenda.add(failing)
    host.parts.agenda.add(fine)

    await advanced(host, 2_000)
    assert ([], [start + 1_000]) == (failing.done, fine.done)
    await advanced(host, TRY_AGAIN_MS)
    assert [start + 1_000 + TRY_AGAIN_MS] == failing.done
