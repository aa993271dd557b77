"""A host in virtual time: it answers like the real one, dies, and comes back with what it had committed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

from tests.unit.host.testing.listeners import Noting

from pos_host.ledger.entry import FlagRow
from pos_host.settlement.policy import load_policy
from pos_host.testing.crashing_journal import CrashPoint
from pos_host.testing.virtual_host import VirtualHost
from pos_host.testing.virtual_loop import run_virtually
from pos_host.testing.virtual_network import VirtualNetwork
from pos_specs.framing import Frame, Framer, join_frame
from pos_specs.language import open_language
from pos_specs.message import Message

ADDRESS = ("host", 8585)
LANGUAGE = open_language("iso87-ascii")
START_MS = 1_772_449_200_000


class World:
    """A host, its network, and one terminal that sells."""

    def __init__(self) -> None:
        self.network = VirtualNetwork()
        self.host = VirtualHost(self.network, {ADDRESS: LANGUAGE}, load_policy(None), start_ms=START_MS)
        self.host.start()

    async def buy(self, stan: str) -> str | None:
        """The response code of a purchase on a connection of its own; None when none came in a minute."""
        client = cast(Noting, await self.network.connect(Noting, ADDRESS))
        fields = {
            3: "000000",
            4: "000000001000",
            7: "0302190000",
            11: stan,
            12: "190000",
            13: "0302",
            22: "012",
            25: "00",
            2: "4111111111111111",
            14: "3012",
            41: "T0000001",
            42: "898310000000001",
            49: "156",
        }
        body = LANGUAGE.encode(Message("0200", dict(sorted(fields.items()))))
        client.transport.write(join_frame(LANGUAGE.dialect.framing, Frame(b"", b"", body)))
        await asyncio.sleep(60)
        frames = Framer(LANGUAGE.dialect.framing).receive_data(client.bytes_heard)
        return LANGUAGE.decode(frames[0].body).fields[39] if frames else None

    def posted(self) -> list[str]:
        return [stored.entry.stan for stored in self.host.journal.entries if stored.entry.kind == "purchase"]


def lived(story: Callable[[World], Awaitable[None]]) -> World:
    async def live() -> World:
        world = World()
        await story(world)
        return world

    return run_virtually(live())


def test_a_purchase_is_approved_in_virtual_time() -> None:
    async def story(world: World) -> None:
        assert "00" == await world.buy("000001")

    assert ["000001"] == lived(story).posted()


def test_a_host_that_dies_before_the_commit_has_posted_nothing_and_said_nothing() -> None:
    async def story(world: World) -> None:
        assert "00" == await world.buy("000001")
        world.host.journal.crash_next = CrashPoint.BEFORE_COMMIT
        assert await world.buy("000002") is None
        assert not world.host.up

    assert ["000001"] == lived(story).posted()


def test_a_host_that_dies_after_the_commit_gives_the_stored_answer_when_it_is_asked_again() -> None:
    async def story(world: World) -> None:
        assert "00" == await world.buy("000001")
        world.host.journal.crash_next = CrashPoint.AFTER_COMMIT
        assert await world.buy("000002") is None
        world.host.start()
        assert "00" == await world.buy("000002")

    assert ["000001", "000002"] == lived(story).posted()


def test_a_failed_commit_is_answered_96() -> None:
    async def story(world: World) -> None:
        assert "00" == await world.buy("000001")
        world.host.journal.fail_next = 1
        assert "96" == await world.buy("000002")

    assert ["000001"] == lived(story).posted()


def test_the_watch_looks_while_time_passes() -> None:
    async def story(world: World) -> None:
        assert "00" == await world.buy("000001")
        await asyncio.sleep(12 * 3600)

    flags = lived(story).host.journal.table(FlagRow)
    assert {"overdue"} == {flag.severity for flag in flags.values()}
