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
