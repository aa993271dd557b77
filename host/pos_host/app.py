"""The composition root: the only file that knows concrete adapters. Starts the host and stops it in order."""

from __future__ import annotations

import asyncio
import gc
import hmac
import importlib
import os
import random
import secrets
import signal
import time
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from pos_host import logs
from pos_host.assembly import Assembly
from pos_host.clock import Clock, ManualClock, SystemClock
from pos_host.journal import Journal
from pos_host.ledger.dialect_names import remember_dialect
from pos_host.ledger.posting import BooksDamaged
from pos_host.logs import Logger
from pos_host.merchants.accounts.number_vault import NumberVault
from pos_host.merchants.actors import ADMIN, Actor
from pos_host.message_rate import MessageRate
from pos_host.options import AUTO, ServeOptions, UsageError
from pos_host.os_errors import in_words, why_not_opened
from pos_host.ready_file import remove_ready_file, write_ready_file
from pos_host.secrets_file import read_or_make
from pos_host.security.guard import Guard
from pos_host.security.vault import KeyVault
from pos_host.server import Endpoint, Listener
from pos_host.settlement.policy import PolicyError, load_policy
from pos_host.storage.memory import MemoryJournal
from pos_host.storage.sqlite import SqliteJournal
from pos_host.storage.sqlite_file import StoreError
from pos_host.transaction.request import CardReader
from pos_specs.errors import DialectError
from pos_specs.language import Language, open_language, shipped_languages
from pos_specs.release import release
from pos_specs.security.errors import KeyFileError
from pos_specs.security.key_file import load_key_file
from pos_specs.security.sealing import SEALING_KEY_BYTES
from pos_specs.test_cards import shipped_test_cards

if TYPE_CHECKING:
    import ssl

    from pos_host.office import Office
    from pos_host.recording.host_recording import HostRecording
    from pos_host.rules.rule import RuleFile

log = Logger("pos_host")

COLLECT_AFTER = 50_000
"""Objects made before the collector looks. The books only grow and hold no cycles; at Python's 700 it walks
them for nothing and answers wait meanwhile."""


class Host:
    """A running host. `start` opens everything and tells where; `stop` closes it so that nothing is lost."""

    def __init__(self, options: ServeOptions) -> None:
        self._options = options
        self._rule_file: RuleFile | None = None
        self._endpoints: list[Endpoint] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._publisher: Any = None
        self._broker: Any = None
        self._web: Any = None
        self._app: Any = None
        self._mqtt_again = ""
        self._starting_over = asyncio.Lock()
        self._recording: HostRecording | None = None
        self._rate = MessageRate()

    async def start(self) -> dict[str, Any]:
        """Everything that accepts, as the ready file tells it; raises UsageError with one clear line."""
        options = self._options
        try:
            remove_ready_file(options.ready_file)
            for language in self._languages():
                remember_dialect(language.dialect)
            listening_tls, connecting_tls = self._tls()
            self.policy = load_policy(options.policy)
            self._rule_file = self._rules()
            self._open_books()
            self.token = read_or_make(options.store, "admin-token")
            self._record()
        except (DialectError, PolicyError, StoreError, BooksDamaged, OSError) as error:
            raise UsageError(str(error)) from None
        try:
            listeners = await self._listen(listening_tls)
            mqtt = await self._start_mqtt()
            http = await self._start_http()
            connections = self._connect(connecting_tls)
        except UsageError:
            await self.stop()
            raise
        self._begin_tasks()
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER, 20, 100)
        gc.enable()
        ready = {
            "pid": os.getpid(),
            "listeners": listeners,
            "connections": connections,
            "http": http,
            "mqtt": mqtt,
            "admin_token": self.token,
        }
        if options.ready_file is not None:
            try:
                write_ready_file(options.ready_file, ready)
            except OSError as error:
                await self.stop()
                raise UsageError(f"--ready-file {options.ready_file}: {in_words(error)}") from None
        return ready

    def _begin_tasks(self) -> None:
        self._tasks = [
            asyncio.create_task(self._measure_rate(), name="rate"),
            asyncio.create_task(self._watch_what_falls_due(), name="watch"),
        ]

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def start_over(self) -> None:
        """Be as after `start`, at the same addresses: for tests, and where the books are in memory alone. Connections
        of terminals are closed once what was read is answered."""
        async with self._starting_over:
            before = self.parts
            for endpoint in self._endpoints:
                endpoint.pause()
            await self._end_tasks()
            await self.pipeline.drain()
            self._open_books()
            self.parts.follow(before)
            for endpoint in self._endpoints:
                endpoint.pipeline = self.pipeline
                endpoint.close()
            await before.agenda.stop()
            if self._publisher is not None:
                await self._publisher.stop()
                await self._broker.stop()
                await self._start_mqtt()
            if self._app is not None:
                self._app.state.office = self._office()
            self._begin_tasks()

    @property
    def may_start_over(self) -> bool:
        """Not with books that are kept, a broker that keeps what was published, or a line that would stay closed."""
        options = self._options
        return options.store is None and not options.connect and options.mqtt.startswith(("off", "embedded"))

    async def stop(self) -> None:
        """Stop accepting and reading, answer what was read, then close terminals, web, publisher, broker."""
        for endpoint in self._endpoints:
            endpoint.stop_accepting()
            endpoint.pause()
        await self._end_tasks()
        await self.parts.agenda.stop()
        await self.pipeline.drain()
        self.pipeline.exchanges.end()
        if self._web is not None:
            await self._web.stop()
        if self._publisher is not None:
            await self._publisher.stop()
        await self.journal.close()
        self.pipeline.flush()
        for endpoint in self._endpoints:
            endpoint.close()
        if self._broker is not None:
            await self._broker.stop()
        if self._recording is not None:
            self._recording.close()
        remove_ready_file(self._options.ready_file)

    def _open_books(self) -> None:
        options = self._options
        self.clock: Clock = (
            SystemClock(self.policy)
            if options.manual_clock_ms is None
            else ManualClock(self.policy, options.manual_clock_ms)
        )
        self.journal: Journal = MemoryJournal() if options.store is None else SqliteJournal(options.store)
        cards = CardReader(read_or_make(options.store, "card-key").encode())
        self.parts = Assembly(
            self.journal,
            self.clock,
            self.policy,
            cards,
            enrol=options.enrol,
            guard=self._guard(),
            vault=NumberVault(self._sealing_key(), secrets.token_bytes),
            wire_only=True,
        )
        self.registry, self.pipeline, self.watch = self.parts.registry, self.parts.pipeline, self.parts.watch
        self.parts.start_over = self.start_over if self.may_start_over else None
        if self._rule_file is not None:
            self.parts.rulebook.seed = self._rule_file.seed or 0
            self.parts.rulebook.replace(self._rule_file.rules)
        if options.products is not None:
            from pos_host.money.charged_product import ChargedProducts
            from pos_host.money.products import read_products

            self.registry.charge_by(ChargedProducts(read_products(options.products)))

    def _rules(self) -> RuleFile | None:
        """The rules of all rule files, None without any; raises UsageError for one that does not load."""
        options = self._options
        if not options.rules:
            return None
        from pos_host.rules.errors import RulesError
        from pos_host.rules.rule import read_rule_files

        try:
            return read_rule_files(options.rules, options.seed)
        except RulesError as error:
            raise UsageError(f"--rules {error}") from None

    def _record(self) -> None:
        """Write what goes over the wire to a file; raises UsageError for one that cannot be made."""
        if self._options.record is None:
            return
        from pos_host.recording.host_recording import HostRecording
        from pos_host.recording.recorder import Recorder, open_recording

        out = open_recording(self._options.record)
        recorder = Recorder(out, secrets.token_bytes, "pos-host serve", self.clock.now_ms())

        def tell(error: OSError) -> None:
            log.error("recording_stopped", file=str(self._options.record), reason=in_words(error))
            self.pipeline.exchanges.watchers.remove(recording.exchange)
            self.pipeline.exchanges.tap = None

        recording = self._recording = HostRecording(recorder, lambda: self.clock.now_ms(), tell)
        self.pipeline.exchanges.watchers.append(recording.exchange)
        self.pipeline.exchanges.tap = recording.opened

    def _guard(self) -> Guard:
        """Who checks and makes MACs; raises UsageError for a key file that does not load."""
        options = self._options
        try:
            ring = load_key_file(options.keys)
        except KeyFileError as error:
            raise UsageError(f"--keys {error}") from None
        vault = KeyVault(ring, self._sealing_key(), secrets.token_bytes)
        return Guard(options.mac, vault, own_keys=options.keys is not None)

    def _sealing_key(self) -> bytes:
        """What secrets in the store are sealed under; it lies beside the store."""
        secret = read_or_make(self._options.store, "sealing-key").encode()
        return blake2b(secret, digest_size=SEALING_KEY_BYTES).digest()

    def _tls(self) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
        """What TLS needs on listeners and on connections out, None where it is not used; raises UsageError."""
        options = self._options
        out = any(option.tls for option in options.connect)
        if options.connect_ca is not None and not out:
            raise UsageError(f"--connect-ca {options.connect_ca}: needs a --connect tls://…")
        if options.tls is None and not out:
            return None, None
        from pos_host.tls import connecting_context, listening_context

        return (
            None if options.tls is None else listening_context(options.tls),
            connecting_context(options.tls, options.connect_ca) if out else None,
        )

    async def _listen(self, tls: ssl.SSLContext | None) -> list[dict[str, Any]]:
        told = []
        for option in self._options.listen:
            listener = self._listener(option.dialect, tls)
            self._endpoints.append(listener)
            try:
                host, port = await listener.open(option.host, option.port)
            except OSError as error:
                where = f"{option.host}:{option.port}={option.dialect}"
                raise UsageError(f"--listen {where}: {why_not_opened(error)}") from None
            name = AUTO if option.dialect == AUTO else listener.language.name
            told.append({"dialect": name, "host": host, "port": port, "tls": tls is not None})
        return told

    def _listener(self, dialect: str, tls: ssl.SSLContext | None) -> Listener:
        if dialect != AUTO:
            return Listener(self.pipeline, open_language(dialect), tls)
        from pos_host.auto_listener import AutoListener

        return AutoListener(self.pipeline, self._languages(), tls)

    def _languages(self) -> list[Language]:
        """Every dialect that may be spoken with this host; raises DialectError for one that does not load."""
        options = self._options
        names = [option.dialect for option in options.listen] + [option.dialect for option in options.connect]
        recognised = shipped_languages() if AUTO in names else []
        return [*recognised, *(open_language(name) for name in names if name != AUTO)]

    def _connect(self, tls: ssl.SSLContext | None) -> list[dict[str, Any]]:
        """Begin to connect out; last of all, since a concentrator sends as soon as it is connected."""
        told = []
        for option in self._options.connect:
            from pos_host.concentrator import ConcentratorLine

            language, context = open_language(option.dialect), tls if option.tls else None
            line = ConcentratorLine(self.pipeline, language, option.host, option.port, random.random, context)
            self._endpoints.append(line)
            line.open()
            told.append({"dialect": language.name, "host": option.host, "port": option.port, "tls": option.tls})
        return told

    async def _start_mqtt(self) -> str | None:
        """The broker's URL, or None when MQTT is off. Its libraries are imported in a thread, and only here."""
        options = self._options
        if options.mqtt == "off":
            return None
        starting = await asyncio.to_thread(importlib.import_module, "pos_host.mqtt_start")
        started = await starting.start(
            self._mqtt_again or options.mqtt,
            options.mqtt_prefix,
            journal=self.journal,
            registry=self.registry,
            busy=self._rate.busy,
            since_ms=self.clock.now_ms(),
        )
        self._broker, self._publisher, url, wake = started
        self._mqtt_again = f"embedded:{str(url).rpartition(':')[2]}" if self._broker is not None else ""
        self.pipeline.on_commit(wake)
        self.watch.remind = lambda book, command: self._publisher.send_command(
            book.merchant_id, book.terminal_id, command
        )
        return str(url)

    async def _start_http(self) -> str | None:
        """The API's URL, or None when it is off; FastAPI is imported in a thread, so terminals do not wait."""
        options = self._options
        if options.http is None:
            return None
        api = await asyncio.to_thread(importlib.import_module, "pos_host.admin.api")
        web = await asyncio.to_thread(importlib.import_module, "pos_host.admin.web")
        await asyncio.to_thread(importlib.import_module, "pos_host.merchant_events")
        self._web = web.Web()
        try:
            self._app = await asyncio.to_thread(api.make_app, self._office(), self._actor_of, release())
            url = await self._web.start(self._app, *options.http)
        except OSError as error:
            self._web = None
            host, port = options.http
            raise UsageError(f"--http {host}:{port}: {why_not_opened(error)}") from None
        return str(url)

    def _office(self) -> Office:
        from pos_host.event_log import cloud_events_of
        from pos_host.merchant_events import merchant_events_of

        journal, registry = self.journal, self.registry
        return self.parts.office(cloud_events_of(journal, registry), merchant_events_of(journal, registry))

    def _actor_of(self, token: str) -> Actor | None:
        """Whose token it is; the host's own is the admin's."""
        if hmac.compare_digest(token.encode(), self.token.encode()):
            return ADMIN
        return self.parts.users.actor_of(token)

    async def _watch_what_falls_due(self) -> None:
        """Load what the first purchase and the merchant's side need, in a thread, since nothing of it is needed to
        accept terminals; then watch for ever."""
        await asyncio.to_thread(_read_ahead)
        self.parts.complete()
        await self.watch.run()

    async def _measure_rate(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            self._rate.note(self.pipeline.messages, time.monotonic())


async def serve(options: ServeOptions) -> None:
    """Run a host until SIGTERM or Ctrl-C; raises UsageError when it cannot start.

    Logging is loaded once the host is ready, in a thread: see logs.py.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    host = Host(options)
    ready = await host.start()
    await asyncio.to_thread(logs.load)
    announce(ready, options)
    await stopping.wait()
    log.info("host_stopping")
    await host.stop()
    log.info("host_stopped")


def _read_ahead() -> None:
    """Read tables and modules once the host is ready: neither the start nor the first purchase waits for them."""
    from pos_host.money.products import shipped_products

    shipped_test_cards()
    shipped_products()
    importlib.import_module("pos_host.merchants.accounts.settlement_details")
    importlib.import_module("pos_host.merchants.forgotten.forgotten_settlements")


def announce(ready: dict[str, Any], options: ServeOptions) -> None:
    """One line for each thing that accepts."""
    for listener in ready["listeners"]:
        log.info("listening", **listener)
    for connection in ready["connections"]:
        log.info("connecting", **connection)
    if ready["mqtt"]:
        log.info("mqtt", url=ready["mqtt"], prefix=options.mqtt_prefix)
    if ready["http"]:
        where = "memory" if options.store is None else f"{options.store}.admin-token"
        log.info("http", url=ready["http"], openapi=f"{ready['http']}/openapi.json", admin_token_in=where)
    log.info("ready", store=str(options.store or "memory:"), enrol=options.enrol)


def run(options: ServeOptions) -> None:
    """Run on uvloop where it is installed, else on asyncio's own loop."""
    try:
        new_loop = importlib.import_module("uvloop").new_event_loop
    except ImportError:
        new_loop = None
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(serve(options))
