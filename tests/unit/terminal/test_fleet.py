"""A fleet that trades until it is stopped."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.patience import HANGING_S
from tests.unit.terminal.scripted_host import MERCHANT, NOW, ScriptedHost
from tests.unit.terminal.tcp_host import serving

from pos_terminal.addresses import Address
from pos_terminal.fleet import SETTLES_AFTER, FleetCounts, FleetSettings, trade


def settings_for(listeners: dict[str, Address], **changes: Any) -> FleetSettings:
    values: dict[str, Any] = {
        "listeners": listeners,
        "terminals": 2,
        "forget": 0,
        "merchant_id": MERCHANT,
        "prefix": "F",
        "currency": "156",
        "pace_s": 0.002,
        "timeout_s": HANGING_S,
        "seed": 7,
        "clock": lambda: NOW,
    }
    return FleetSettings(**values | changes)


async def trade_until(enough: Callable[[], bool], settings: FleetSettings, lines: list[str]) -> FleetCounts:
    stop = asyncio.Event()

    async def look() -> None:
        while not enough():  # noqa: ASYNC110 - what is enough has no event
            await asyncio.sleep(0.005)
        stop.set()

    looking = asyncio.create_task(look())
    async with asyncio.timeout(HANGING_S):
        counts = await trade(settings, stop, lines.append)
    await looking
    return counts


async def test_terminals_trade_and_settle_until_stopped() -> None:
    lines: list[str] = []
    with serving(ScriptedHost("unionpay")) as tcp:
        listeners = {"unionpay": Address("127.0.0.1", tcp.port)}
        counts = await trade_until(lambda: len(lines) >= 3, settings_for(listeners), lines)

    assert counts.approved["purchase"] > 20
    assert counts.settled == len(lines)
    assert 0 == counts.unanswered


async def test_those_that_forget_never_settle() -> None:
    host, lines = ScriptedHost("hypercom"), []
    with serving(host) as tcp:
        listeners = {"hypercom": Address("127.0.0.1", tcp.port)}
        most = 3 * SETTLES_AFTER[1]
        counts = await trade_until(lambda: len(host.requests) > most, settings_for(listeners, forget=2), lines)

    assert 0 == counts.settled
    assert "settlement" not in host.functions()


async def test_a_fleet_goes_on_with_the_memories_it_has_kept(tmp_path: Path) -> None:
    host = ScriptedHost("hypercom")
    with serving(host) as tcp:
        settings = settings_for({"hypercom": Address("127.0.0.1", tcp.port)}, forget=2, state=tmp_path)
        for most in (10, 20):
            await trade_until(lambda: len(host.requests) > most, settings, [])  # noqa: B023 - it ends within the turn

    own = [request.fields[11] for request in host.requests if request.fields[41] == "F0000001"]
    assert len(own) > 5
    assert len(own) == len(set(own))


async def test_a_host_that_is_away_is_waited_for() -> None:
    lines: list[str] = []
    with serving(ScriptedHost("hypercom")) as tcp:
        listeners = {"hypercom": Address("127.0.0.1", tcp.port)}
    counts = await trade_until(lambda: bool(lines), settings_for(listeners), lines)

    assert "Connection refused" in lines[0]
    assert not counts.approved
