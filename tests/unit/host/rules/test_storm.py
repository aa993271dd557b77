"""A storm of every fault over a fleet that trades in virtual time: the books come out right."""

from __future__ import annotations

import asyncio
from random import Random
from typing import cast

from structlog.testing import capture_logs
from tests.unit.host.pipeline.proofs import verify
from tests.unit.host.pipeline.terminals import MERCHANT, UNIONPAY_CARD
from tests.unit.host.testing.listeners import Noting

from pos_host.rules.fault_kinds import fault_kinds
from pos_host.settlement.policy import load_policy
from pos_host.testing.virtual_host import VirtualHost
from pos_host.testing.virtual_loop import run_virtually
from pos_host.testing.virtual_network import VirtualNetwork
from pos_specs.errors import MessageError
from pos_specs.framing import Frame, Framer, join_frame
from pos_specs.language import open_language
from pos_specs.message import Message

ADDRESS = ("host", 8583)
LANGUAGE = open_language("unionpay")
START_MS = 1_772_449_200_000
TERMINALS, SALES = 8, 20


def sale(terminal_id: str, stan: int, amount_minor: int) -> bytes:
    fields = {
        2: UNIONPAY_CARD,
        3: "000000",
        4: f"{amount_minor:012d}",
        11: f"{stan:06d}",
        22: "012",
        25: "00",
        41: terminal_id,
        42: MERCHANT,
        49: "156",
        60: "22000001000500",
    }
    frame = Frame(bytes(5), bytes.fromhex("603100311001"), LANGUAGE.encode(Message("0200", fields)))
    return join_frame(LANGUAGE.dialect.framing, Frame(b"\x60" + frame.tpdu[1:], frame.header, frame.body))


def approved_stans(heard: bytes) -> set[str]:
    """STANs that a terminal takes for approved: answers that can be read and say 00."""
    found = set()
    for frame in Framer(LANGUAGE.dialect.framing).receive_data(heard):
        try:
            fields = LANGUAGE.decode(frame.body).fields
        except MessageError:  # an answer that was corrupted
            continue
        if fields.get(39) == "00":
            found.add(fields.get(11, ""))
    return found


async def trade(network: VirtualNetwork, terminal_id: str, chance: Random) -> None:
    """Sales under new STANs; each is sent up to three times on connections of their own, as its answer is missing."""
    for stan in range(1, SALES + 1):
        data = sale(terminal_id, stan, chance.randrange(1, 90) * 100)
        for _ in range(3):
            client = cast(Noting, await network.connect(Noting, ADDRESS))
            client.transport.write(data)
            await asyncio.sleep(chance.choice((0.1, 1, 80)))
            if f"{stan:06d}" in approved_stans(client.bytes_heard):
                break
        client.transport.close()


async def live() -> tuple[VirtualHost, int]:
    network = VirtualNetwork()
    host = VirtualHost(network, {ADDRESS: LANGUAGE}, load_policy(None), start_ms=START_MS, commit_s=0.002)
    host.start()
    kinds = [*fault_kinds()]
    rules = [{"id": kind, "when": {"probability": 0.04}, "fault": kind} for kind in kinds]
    host.parts.rulebook.replace([*rules, {"when": {"every": 7}, "reply": {"response_code": "51"}}])
    await asyncio.gather(*(trade(network, f"T{number:07d}", Random(number)) for number in range(TERMINALS)))
    await asyncio.sleep(100)
    return host, sum(view["acted"] > 0 for view in host.parts.rulebook.views())


def test_no_storm_of_faults_damages_the_books() -> None:
    with capture_logs() as logs:
        host, acted = run_virtually(live())
    assert 0 == (report := verify(host.journal.all_rows, host.journal.entries))["differences"], report["details"]
    assert len(fault_kinds()) + 1 == acted
    assert [] == [line for line in logs if line.get("exc_info")]
    sales = [stored.entry for stored in host.journal.entries if stored.entry.kind == "purchase"]
    once = [(entry.terminal_no, entry.stan) for entry in sales]
    assert len(once) == len(set(once))
