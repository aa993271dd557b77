"""Answers that wait: in which order they go, and what becomes of them when the connection ends first."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import Logs
from tests.unit.host.pipeline.terminals import UnionPayTerminal

from pos_host.rules.rulebook import Rulebook

SOON_S = 0.03


async def feed(host: HostInProcess, terminal: UnionPayTerminal, count: int) -> list[str]:
    """The STANs of purchases that all arrive at once; every one of them is decided."""
    messages = [terminal.purchase_message(1000) for _ in range(count)]
    terminal.line.feed(b"".join(terminal.line.bytes_of(message) for message in messages))
    await host.quiet()
    return [message.fields[11] for message in messages]


def answered(terminal: UnionPayTerminal) -> list[str]:
    return [answer.fields[11] for answer in terminal.line.answers]


async def test_held_answers_go_in_pairs(host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal) -> None:
    rules.add({"fault": "swap_replies"})
    first, second, third, fourth = await feed(host, unionpay, 4)
    assert [second, first, fourth, third] == answered(unionpay)


async def test_what_was_delayed_goes_before_what_came_after_it(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.add({"when": {"nth": 1}, "fault": {"kind": "delay", "seconds": SOON_S}})
    rules.add({"when": {"nth": 2}, "fault": "swap_replies"})
    rules.add({"when": {"nth": 3}, "fault": "duplicate_reply"})
    first, second, third = await feed(host, unionpay, 3)
    assert [] == answered(unionpay)
    await unionpay.line.wait_for(4)
    assert [first, third, third, second] == answered(unionpay)


async def test_a_peer_that_breaks_the_framing_still_gets_the_answer_that_was_delayed(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.add({"fault": {"kind": "delay", "seconds": SOON_S}})
    (stan,) = await feed(host, unionpay, 1)
    unionpay.line.feed(b"\xff\xff\xff\xff")
    assert not unionpay.line.closed
    await unionpay.line.wait_for(1)
    await asyncio.sleep(0)
    assert ([stan], True) == (answered(unionpay), unionpay.line.closed)
    host.asked.pop()  # the bytes that were no frame are not asked again


@pytest.mark.parametrize("fault", [{"kind": "delay", "seconds": SOON_S}, {"kind": "late_reply", "seconds": SOON_S},
                                   {"kind": "dribble", "ms": 1}, "swap_replies"], ids=str)  # fmt: skip
async def test_an_answer_whose_connection_is_gone_is_forgotten(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal, logs: Logs, fault: object
) -> None:
    rules.add({"fault": fault})
    await feed(host, unionpay, 1)
    before = len(unionpay.line.writes)
    unionpay.line.hang_up()
    await asyncio.sleep(2 * SOON_S)
    assert before == len(unionpay.line.writes)
    assert [] == [line for line in logs if line["event"] in ("answer_not_sent", "rule_failed")]


async def test_a_connection_that_a_rule_dropped_reads_nothing_more(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.add({"when": {"nth": 2}, "fault": "drop_after_commit"})
    first, _, _ = await feed(host, unionpay, 3)
    assert ([first], True) == (answered(unionpay), unionpay.line.closed)


async def test_an_answer_that_nobody_can_get_is_noted_in_the_books(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.add({"when": {"nth": 1}, "fault": "drop_after_commit"})
    _, second = await feed(host, unionpay, 2)
    await host.durable()
    undelivered = [stored.entry.stan for stored in host.memory.entries if stored.entry.kind == "answer_undelivered"]
    assert [second] == undelivered


LONG_S = 3600
"""The longest that a fault waits: a test that had to wait for it would not end."""


async def test_a_delay_is_over_when_the_manual_clock_has_moved_as_far(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.add({"when": {"nth": 1}, "fault": {"kind": "delay", "seconds": LONG_S}})
    stans = await feed(host, unionpay, 2)
    await host.office.advance_clock("PT59M")
    assert [] == answered(unionpay)
    await host.office.advance_clock("PT1M")
    assert stans == answered(unionpay)


async def test_late_answers_get_in_line_in_the_order_in_which_the_clock_reaches_them(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.add({"when": {"nth": 1}, "fault": {"kind": "late_reply", "seconds": 1800}})
    rules.add({"when": {"nth": 2}, "fault": {"kind": "late_reply", "seconds": 600}})
    rules.add({"when": {"nth": 4}, "fault": {"kind": "delay", "seconds": 1200}})
    first, second, third, fourth = await feed(host, unionpay, 4)
    assert [third] == answered(unionpay)
    await host.office.advance_clock("PT1H")
    assert [third, fourth, second, first] == answered(unionpay)


async def test_a_dribble_is_over_when_the_clock_has_moved_past_its_last_byte(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.add({"fault": {"kind": "dribble", "ms": 60_000}})
    (stan,) = await feed(host, unionpay, 1)
    await host.office.advance_clock("PT10M")
    assert 1 < len(b"".join(unionpay.line.writes)) < 20
    await host.office.advance_clock("P1D")
    assert [stan] == answered(unionpay)


async def test_a_delay_is_over_by_itself_where_nobody_moves_the_manual_clock(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.add({"fault": {"kind": "late_reply", "seconds": SOON_S}})
    await feed(host, unionpay, 1)
    await unionpay.line.wait_for(1)


async def test_a_clock_that_moves_halfway_leaves_only_the_rest_to_wait_for(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    time_s = asyncio.get_running_loop().time
    rules.add({"fault": {"kind": "delay", "seconds": LONG_S}})
    began_s = time_s()
    await feed(host, unionpay, 1)
    await host.office.advance_clock("PT59M55S")
    assert [] == answered(unionpay)
    await unionpay.line.wait_for(1)
    assert pytest.approx(5.0, abs=0.01) == time_s() - began_s


async def test_a_connection_that_is_gone_waits_for_no_clock(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.add({"fault": {"kind": "delay", "seconds": LONG_S}})
    await feed(host, unionpay, 1)
    assert 1 == len(host.clock.at_move)
    unionpay.line.hang_up()
    await asyncio.sleep(0)
    assert set() == host.clock.at_move


async def test_a_connection_that_went_before_its_answer_was_made_waits_for_nothing(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    """Nobody tells it a second time that it is gone, so that what waited for it would be kept for ever."""
    rules.add({"fault": {"kind": "delay", "seconds": LONG_S}})
    unionpay.line.feed(unionpay.line.bytes_of(unionpay.purchase_message(1000)))
    unionpay.line.hang_up()
    await host.quiet()
    assert set() == host.clock.at_move
