"""A whole host in virtual time: the real listeners, pipeline, handlers, books and watch, on a journal in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

from pos_host.assembly import Assembly
from pos_host.merchants.agenda import Agenda
from pos_host.server import Listener, TerminalConnection
from pos_host.settlement.policy import Policy
from pos_host.settlement.watch import Watch
from pos_host.testing.crashing_journal import CrashingJournal
from pos_host.testing.virtual_clock import VirtualClock
from pos_host.testing.virtual_network import Address, VirtualNetwork
from pos_host.transaction.request import CardReader
from pos_specs.language import Language

CARD_KEY = b"a card key for tests"
"""The same in every run: prints of cards are part of a journal's digest."""


class VirtualHost:
    """One host after the other on one journal. `crash` is kill -9; `start` finds what was committed, and until
    then `registry` is what the dead host knew."""

    def __init__(
        self,
        network: VirtualNetwork,
        listeners: Mapping[Address, Language],
        policy: Policy,
        *,
        start_ms: int,
        commit_s: float = 0.0,
        look_every_s: float = 60.0,
    ) -> None:
        self.journal = CrashingJournal(commit_s=commit_s, crashed=self._end)
        self.clock = VirtualClock(policy, start_ms)
        self.policy = policy
        self.crashes = 0
        self.up = False
        self._network = network
        self._listeners = dict(listeners)
        self._look_every_s = look_every_s
        self._watching: asyncio.Task[None] | None = None
        self._agenda: Agenda | None = None

    def start(self) -> None:
        """Recover the books and listen; raises BooksDamaged when the journal contradicts itself."""
        if self.journal.dead:
            self.journal = self.journal.successor()
        self.parts = parts = Assembly(self.journal, self.clock, self.policy, CardReader(CARD_KEY))
        self.registry, self.pipeline, self.watch = parts.registry, parts.pipeline, parts.watch
        self._agenda = parts.agenda
        for address, language in self._listeners.items():
            listener = Listener(self.pipeline, language)
            self._network.listen(address, partial(TerminalConnection, listener))
        self._watching = asyncio.create_task(self._look_again_and_again(self.watch))
        self.up = True

    def crash(self) -> None:
        """Die now: what waits for its commit is lost, and every connection ends."""
        self.journal.die()
        self._end()

    def _end(self) -> None:
        self.crashes += 1
        self.up = False
        if self._watching is not None:
            self._watching.cancel()
        if self._agenda is not None:
            self._agenda.abandon()
            self.parts.desk.abandon()
        for address in self._listeners:
            self._network.kill(address)

    async def _look_again_and_again(self, watch: Watch) -> None:
        while True:
            watch.look()
            await asyncio.sleep(self._look_every_s)
