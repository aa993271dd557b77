"""`POST /reset` on a host as `pos-host serve` starts it: everything as at its start, at the same addresses."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.patience import HANGING_S

from pos_host.app import Host
from pos_host.options import ServeOptions, parse_connect, parse_listen
from pos_specs.framing import Frame, join_frame
from pos_specs.language import open_language
from pos_specs.message import Message

START_MS = 1_772_452_800_000
PURCHASE = {2: "4111111111111111", 3: "000000", 4: "000000000100", 11: "000001", 41: "T0000001", 42: "8" * 15}
RULES = """
rules:
  - id: given
    when: {function: purchase, amount: "7.00"}
    reply: {response_code: "51"}
"""


def options(**more: Any) -> ServeOptions:
    given: dict[str, Any] = {"store": None, "mqtt": "off", "manual_clock_ms": START_MS, **more}
    return ServeOptions((parse_listen("127.0.0.1:0=iso87-ascii"),), **given)


async def sell(address: tuple[str, int]) -> tuple[asyncio.StreamReader, bytes]:
    """A sale on a connection of its own that stays open, and the bytes of its answer."""
    language = open_language("iso87-ascii")
    reader, writer = await asyncio.open_connection(*address)
    framing = language.dialect.framing
    writer.write(join_frame(framing, Frame(b"", b"", language.encode(Message("0200", PURCHASE)))))
    async with asyncio.timeout(HANGING_S):
        answer = await reader.readexactly(int(await reader.readexactly(4)))
    return reader, answer


async def test_a_host_that_starts_over_has_nothing_of_before(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    host = Host(options(rules=(str(rules),)))
    (listener,) = (await host.start())["listeners"]
    address = (listener["host"], listener["port"])
    token = host.token
    reader, first = await sell(address)
    host.parts.rulebook.add({"id": "added", "when": {"function": "echo"}, "reply": {"response_code": "91"}})
    host.clock.move_to(START_MS + 1000)  # type: ignore[attr-defined]
    number = host.pipeline.exchanges.count
    assert host.parts.start_over is not None

    await host.parts.start_over()

    assert b"" == await reader.read()  # the host hung up
    assert [] == list(host.registry)
    assert START_MS == host.clock.now_ms()
    assert ["given"] == [view["id"] for view in host.parts.rulebook.views()]
    assert token == host.token
    assert (await sell(address))[1] == first
    assert [number + 1] == [exchange.number for exchange in host.pipeline.exchanges.since(0)]
    await host.stop()


async def test_two_at_once_are_one_after_the_other() -> None:
    host = Host(options())
    (listener,) = (await host.start())["listeners"]

    await asyncio.gather(host.start_over(), host.start_over())

    await sell((listener["host"], listener["port"]))
    await host.stop()


@pytest.mark.parametrize(
    "more",
    [
        {"store": "shop.db"},
        {"mqtt": "mqtt://broker.example"},
        {"connect": (parse_connect("127.0.0.1:9=iso87-ascii"),)},
    ],
)
def test_a_host_that_keeps_something_elsewhere_does_not_start_over(more: dict[str, Any], tmp_path: Path) -> None:
    if "store" in more:
        more = {"store": tmp_path / more["store"]}

    host = Host(options(**more))

    assert not host.may_start_over
    assert Host(options(mqtt="embedded")).may_start_over


@pytest.mark.parametrize("end", ["stop", "start_over"])
async def test_no_end_waits_for_an_answer_that_a_rule_delays_by_an_hour(end: str) -> None:
    host = Host(options())
    (listener,) = (await host.start())["listeners"]
    host.parts.rulebook.add({"fault": {"kind": "delay", "seconds": 3600}})
    selling = asyncio.create_task(sell((listener["host"], listener["port"])))
    sold = asyncio.Event()
    host.pipeline.exchanges.watchers.append(lambda exchange: sold.set())
    clock: Any = host.clock

    async with asyncio.timeout(HANGING_S):
        await sold.wait()
        await getattr(host, end)()
        with pytest.raises(asyncio.IncompleteReadError):
            await selling

    assert set() == clock.at_move
    if end == "start_over":
        await host.stop()
