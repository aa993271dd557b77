"""A host of its own for a certification, in memory, until all is seen, nobody speaks any more, or somebody asks."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pos_host.assembly import Assembly
from pos_host.certification.certification import Certification
from pos_host.certification.console import Console
from pos_host.certification.report import Run, report_of
from pos_host.certification.report_files import write_report
from pos_host.certification.suite import Suite
from pos_host.certification.verdicts import Judgement, exit_code
from pos_host.clock import SystemClock
from pos_host.options import NotDone, UsageError
from pos_host.os_errors import why_not_opened
from pos_host.ready_file import remove_ready_file, write_ready_file
from pos_host.security.guard import Guard
from pos_host.security.vault import KeyVault
from pos_host.server import Listener
from pos_host.settlement.policy import load_policy
from pos_host.storage.memory import MemoryJournal
from pos_host.transaction.request import CardReader
from pos_specs.errors import DialectError
from pos_specs.language import Language, open_language
from pos_specs.security.errors import KeyFileError
from pos_specs.security.key_file import load_key_file
from pos_specs.security.sealing import SEALING_KEY_BYTES

LOOK_EVERY_S = 0.2
"""How often it is looked whether to end: an operator notices no more."""

QUIET_S = 3.0
"""Once all is seen the host waits for so long a silence, so that terminals can end their day."""


class CertifyOptions(NamedTuple):
    """What `pos-host certify` is started with. `idle_s` of silence end it; `timeout_s` is how long the terminal waits
    for an answer."""

    suite: Suite
    host: str
    port: int
    report: Path
    ready_file: Path | None
    keys: Path | None
    seed: int
    idle_s: float
    timeout_s: float
    as_json: bool
    allow_not_seen: bool


async def certify(options: CertifyOptions) -> int:
    """Certify until the end, write the report, give the exit code; raises UsageError when it cannot start, NotDone
    when the report cannot be written."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    language, parts = _host(options)
    _check_folder(options.report)
    console = Console(options.suite, as_json=options.as_json)
    certification = Certification(
        options.suite, parts, timeout_s=options.timeout_s, seed=options.seed, tell=console.seen
    )
    began_at_ms = parts.clock.now_ms()
    listener = await _listen(options, parts, language, console, certification)
    ended_because = await _watch(certification, options.idle_s, stopping, loop.time)
    listener.stop_accepting()
    listener.pause()
    await parts.pipeline.drain()
    certification.stop()
    listener.close()
    remove_ready_file(options.ready_file)
    run = Run(began_at_ms, parts.clock.now_ms(), ended_because, options.seed, certification.messages)
    judgements = certification.judgements()
    console.ended(judgements, ended_because, _report(options, judgements, run))
    return exit_code(judgements, allow_not_seen=options.allow_not_seen)


async def _listen(
    options: CertifyOptions, parts: Assembly, language: Language, console: Console, certification: Certification
) -> Listener:
    """Terminals may come, and whoever waits for that is told; raises UsageError."""
    listener = Listener(parts.pipeline, language)
    try:
        host, port = await listener.open(options.host, options.port)
    except OSError as error:
        raise UsageError(f"--listen {options.host}:{options.port}: {why_not_opened(error)}") from None
    _write_ready(options, language, host, port)
    console.listening(language.name, host, port, certification.next_step)
    return listener


def _report(options: CertifyOptions, judgements: Sequence[Judgement], run: Run) -> list[Path]:
    try:
        return write_report(options.report, report_of(options.suite, judgements, run))
    except OSError as error:
        raise NotDone(f"--report {options.report}: {error.strerror or error}") from None


async def _watch(
    certification: Certification, idle_s: float, stopping: asyncio.Event, time_s: Callable[[], float]
) -> str:
    """Until there is a reason to end; gives it in words."""
    messages, last_s = certification.messages, time_s()
    while not stopping.is_set():
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                await stopping.wait()
        except TimeoutError:
            pass
        if certification.messages != messages:
            messages, last_s = certification.messages, time_s()
        silent_s = time_s() - last_s
        if certification.complete and silent_s >= min(QUIET_S, idle_s):
            return "everything was seen"
        if silent_s >= idle_s:
            return f"nothing came for {idle_s:g} s"
    return "it was asked to end"


def _host(options: CertifyOptions) -> tuple[Language, Assembly]:
    """The parts of a host that keeps nothing; raises UsageError."""
    try:
        language = open_language(options.suite.dialect)
        ring = load_key_file(options.keys)
    except DialectError as error:
        raise UsageError(str(error)) from None
    except KeyFileError as error:
        raise UsageError(f"--keys {error}") from None
    policy = load_policy(None)
    vault = KeyVault(ring, secrets.token_bytes(SEALING_KEY_BYTES), secrets.token_bytes)
    guard = Guard("verify", vault, own_keys=options.keys is not None)
    cards = CardReader(secrets.token_bytes(SEALING_KEY_BYTES))
    return language, Assembly(MemoryJournal(), SystemClock(policy), policy, cards, guard=guard)


def _check_folder(folder: Path) -> None:
    """That the report can be written is known before an operator has worked for an hour."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--report {folder}: {error.strerror or error}") from None
    if not os.access(folder, os.W_OK):
        raise UsageError(f"--report {folder}: cannot be written to")


def _write_ready(options: CertifyOptions, language: Language, host: str, port: int) -> None:
    if options.ready_file is None:
        return
    listeners = [{"dialect": language.name, "host": host, "port": port, "tls": False}]
    ready = {"pid": os.getpid(), "listeners": listeners, "http": None, "mqtt": None, "admin_token": None}
    try:
        write_ready_file(options.ready_file, ready)
    except OSError as error:
        raise UsageError(f"--ready-file {options.ready_file}: {error.strerror or error}") from None
