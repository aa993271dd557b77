"""A whole host on real sockets inside a test's process: memory store, manual clock, free ports, no broker.

Unlike `app.Host` it touches nothing that belongs to the process: no signals, no garbage collector, no logging.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from hashlib import blake2b
from typing import Any

from pos_host.assembly import Assembly
from pos_host.clock import ManualClock
from pos_host.event_log import cloud_events_of
from pos_host.ledger.dialect_names import remember_dialect
from pos_host.merchant_events import merchant_events_of
from pos_host.merchants.accounts.number_vault import NumberVault
from pos_host.merchants.actors import ADMIN, Actor
from pos_host.office import Office
from pos_host.rules.errors import RulesError
from pos_host.rules.rule import read_rule_file
from pos_host.secrets_file import new_token
from pos_host.security.guard import Guard
from pos_host.security.vault import KeyVault
from pos_host.server import Listener
from pos_host.settlement.policy import shipped_policy
from pos_host.storage.memory import MemoryJournal
from pos_host.testing.acquirer_options import AcquirerOptions, OptionError
from pos_host.transaction.request import CardReader
from pos_specs.language import open_language
from pos_specs.security.errors import KeyFileError
from pos_specs.security.key_file import load_key_file
from pos_specs.security.sealing import SEALING_KEY_BYTES

LOOPBACK = "127.0.0.1"

PEERS_HEAR_S = 0.001
"""Terminals on this loop hear within it that their connection is closed, before the test goes on."""

_SEALING_KEY = blake2b(b"nothing outlives a test", digest_size=SEALING_KEY_BYTES).digest()
_CARD_KEY = b"a card key for tests"


class InProcessHost:
    """A host on the running loop, from `open` to `close`; raises OptionError for options that do not go."""

    def __init__(self, options: AcquirerOptions) -> None:
        self._options = options
        self._policy = options.policy or shipped_policy()
        self._listeners: dict[str, Listener] = {}
        self._watching: asyncio.Task[None] | None = None
        self._web: Any = None
        self._app: Any = None
        self.addresses: dict[str, tuple[str, int]] = {}
        self.url: str | None = None
        self.token = new_token()
        self._assemble()

    async def open(self) -> None:
        """Listen for every dialect, and for HTTP where that is wanted."""
        for name in self._options.dialects:
            language = open_language(name)
            listener = self._listeners[language.name] = Listener(self.parts.pipeline, language)
            self.addresses[language.name] = await listener.open(LOOPBACK, 0)
        if self._options.http:
            await self._open_http()
        self._watching = asyncio.create_task(self.parts.watch.run())

    async def close(self) -> None:
        """Stop listening and close every connection."""
        for listener in self._listeners.values():
            listener.stop_accepting()
        await self._end_work()
        self.parts.pipeline.exchanges.end()
        if self._web is not None:
            await self._web.stop()

    async def start_over(self) -> None:
        """Be as after `open`: the same addresses, and nothing that came since. Connections are closed."""
        await self._end_work()
        before = self.parts
        self._assemble()
        self.parts.follow(before)
        for listener in self._listeners.values():
            listener.pipeline = self.parts.pipeline
        if self._app is not None:
            self._app.state.office = self.office
        self._watching = asyncio.create_task(self.parts.watch.run())

    def _assemble(self) -> None:
        options = self._options
        for name in options.dialects:
            remember_dialect(open_language(name).dialect)
        self.clock = ManualClock(self._policy, options.start_ms)
        self.journal = MemoryJournal()
        self.parts = Assembly(
            self.journal,
            self.clock,
            self._policy,
            CardReader(_CARD_KEY),
            enrol=options.enrol,
            guard=self._guard(),
            vault=NumberVault(_SEALING_KEY, secrets.token_bytes),
        )
        self.parts.start_over = self.start_over
        if options.rules:
            self._add_rules()
        self.events_after = cloud_events_of(self.journal, self.parts.registry)
        events_of_merchant = merchant_events_of(self.journal, self.parts.registry)
        self.office: Office = self.parts.office(self.events_after, events_of_merchant)

    def _guard(self) -> Guard:
        try:
            ring = load_key_file(self._options.keys)
        except KeyFileError as error:
            raise OptionError(f"keys: {error}") from None
        vault = KeyVault(ring, _SEALING_KEY, secrets.token_bytes)
        return Guard(self._options.mac, vault, own_keys=self._options.keys is not None)

    def _add_rules(self) -> None:
        try:
            for rule in self._options.rules:
                for one in read_rule_file(rule).rules if isinstance(rule, str) else [rule]:
                    self.parts.rulebook.add(one)
        except RulesError as error:
            raise OptionError(f"rules: {error}") from None

    async def _end_work(self) -> None:
        """Answer what was read, and hang up; what falls due later is nobody's any more."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        await self.parts.pipeline.drain()
        await self.parts.agenda.stop()
        for listener in self._listeners.values():
            listener.close()
        await asyncio.sleep(PEERS_HEAR_S)

    async def _open_http(self) -> None:
        from pos_host.admin.api import make_app
        from pos_host.admin.web import Web

        self._app = make_app(self.office, self._actor_of, "test")
        self._web = Web()
        self.url = await self._web.start(self._app, LOOPBACK, 0)

    def _actor_of(self, token: str) -> Actor | None:
        return (
            ADMIN if secrets.compare_digest(token.encode(), self.token.encode()) else self.parts.users.actor_of(token)
        )
