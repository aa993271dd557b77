"""A terminal is reminded to settle: by MQTT, and in UnionPay by the header of the next answers."""

from __future__ import annotations

import dataclasses
from datetime import time
from typing import Any

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import proven
from tests.unit.host.pipeline.terminals import HypercomTerminal, UnionPayTerminal, debit_credit

from pos_host.event_log import event_of
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Forbidden, Refused
from pos_host.settlement.policy import Policy, load_policy
from pos_specs.frame_headers import SIGN_IN_AGAIN

WANG = Actor("wang", "operator")
AUTOMATIC = dataclasses.replace(load_policy(None), auto_settle=time(23, 30))
QUIET = dataclasses.replace(AUTOMATIC, ask_sign_in=False)
TO_2331 = "PT3H31M"
"""From the test hosts' 20:00 to a minute after the settling time."""


def requirement(terminal: UnionPayTerminal) -> int:
    """What the header of the last answer asks for."""
    return terminal.line.frames[-1].header[2] & 0xF


async def remind(host: HostInProcess, terminal_id: str = "T0000001") -> dict[str, Any]:
    return await host.parts.forgotten.reminders.remind(WANG, host.book(terminal_id), "please")


async def test_a_reminder_is_sent_told_and_audited() -> None:
    host = HostInProcess()
    async with proven(host):
        sent: list[tuple[str, dict[str, Any]]] = []
        host.watch.remind = lambda book, command: sent.append((book.terminal_id, command))
        await UnionPayTerminal(host).purchase(12_34)

        answer = await remind(host)

        assert ("000001", "none") == (answer["batch_number"], answer["severity"])
        ((terminal_id, command),) = sent
        assert ("T0000001", "settle_now") == (terminal_id, command["command"])
        assert answer["expires_at"] == command["expires_at"]
        types = [event_of(stored, host.registry).type for stored in host.memory.entries]
        assert 1 == types.count("terminal.reminded")


async def test_who_may_only_look_reminds_nobody_and_an_empty_batch_is_not_reminded_of() -> None:
    host = HostInProcess()
    terminal = UnionPayTerminal(host)
    await terminal.sign_in()
    with pytest.raises(Refused, match="no batch with money"):
        await remind(host)
    await terminal.purchase(12_34)
    with pytest.raises(Forbidden):
        await host.parts.forgotten.reminders.remind(Actor("x", "viewer"), host.book("T0000001"))


async def test_the_header_asks_for_a_sign_in_until_it_comes() -> None:
    host = HostInProcess()
    async with proven(host):
        terminal = UnionPayTerminal(host)
        await terminal.purchase(1_00)
        assert 0 == requirement(terminal)
        await remind(host)

        for amount in (2_00, 3_00):
            await terminal.purchase(amount)
            assert SIGN_IN_AGAIN == requirement(terminal)
        await terminal.sign_in()
        assert 0 == requirement(terminal)
        await terminal.purchase(4_00)
        assert 0 == requirement(terminal)


async def test_a_settlement_makes_the_reminder_moot() -> None:
    host = HostInProcess()
    async with proven(host):
        terminal = UnionPayTerminal(host)
        await terminal.purchase(1_00)
        await remind(host)

        await terminal.settle(debit_credit((1, 1_00)))

        await terminal.echo()
        assert 0 == requirement(terminal)


async def test_a_terminal_that_does_not_know_of_the_hosts_settlement_is_asked_to_sign_in() -> None:
    host = HostInProcess(policy=AUTOMATIC)
    async with proven(host):
        terminal = UnionPayTerminal(host)
        await terminal.purchase(1_00)
        await host.office.advance_clock(TO_2331)

        refused = await terminal.purchase(2_00)
        assert ("77", SIGN_IN_AGAIN) == (refused.code, requirement(terminal))
        await terminal.sign_in()
        assert "000002" == terminal.batch
        assert "00" == (await terminal.purchase(3_00)).code
        assert 0 == requirement(terminal)


async def test_a_restart_still_asks() -> None:
    host = HostInProcess(policy=AUTOMATIC)
    await UnionPayTerminal(host).purchase(1_00)
    await host.office.advance_clock(TO_2331)

    again = host.twin()
    terminal = UnionPayTerminal(again)
    await terminal.echo()

    assert SIGN_IN_AGAIN == requirement(terminal)


async def test_a_late_settlement_of_its_own_tells_the_terminal_all_it_must_know() -> None:
    host = HostInProcess(policy=AUTOMATIC)
    async with proven(host):
        terminal = UnionPayTerminal(host)
        await terminal.purchase(1_00)
        await host.office.advance_clock(TO_2331)

        await terminal.settle(debit_credit((1, 1_00)))

        await terminal.echo()
        assert 0 == requirement(terminal)


@pytest.mark.parametrize(("policy", "kind"), [(QUIET, UnionPayTerminal), (AUTOMATIC, HypercomTerminal)])
async def test_a_policy_can_forbid_it_and_other_dialects_have_no_such_header(policy: Policy, kind: type) -> None:
    host = HostInProcess(policy=policy)
    async with proven(host):
        terminal = kind(host)
        await terminal.purchase(1_00)
        before = terminal.line.frames[-1].header
        await host.office.advance_clock(TO_2331)

        await terminal.purchase(2_00)

        assert before == terminal.line.frames[-1].header
