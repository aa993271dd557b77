"""Hosts of a run's own: one process for each way in which scenarios need a host to be started."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from pos_terminal.addresses import AddressError, read_ready_file
from pos_terminal.host_books import ApiFailed
from pos_terminal.scenarios.admin_api import AdminApi
from pos_terminal.scenarios.models import HostNeeds
from pos_terminal.scenarios.targets import Target

START_TIMEOUT_S = 60.0
"""A host is ready within a second or two; on a crowded CI machine it takes longer."""

STOP_TIMEOUT_S = 10.0
"""A host ends within five seconds of SIGTERM; after this it is killed."""

POLL_S = 0.02
"""Between looks for the ready file."""

SHOWN_LINES = 3
"""Last lines of the log of a host that did not start: its reason is the last."""


class HostNotStarted(Exception):
    """A private host could not be started; the text says why."""


class PrivateHosts:
    """Starts hosts as they are asked for, and ends them all with the context."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="pos-terminal-run-")
        self._hosts: dict[tuple[str, str], Target] = {}
        self._processes: list[asyncio.subprocess.Process] = []

    async def __aenter__(self) -> PrivateHosts:
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.terminate()
        for process in self._processes:
            try:
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        self._folder.cleanup()

    async def host(self, needs: HostNeeds, dialects: Iterable[str]) -> Target:
        """The host that was started so, and speaks these dialects; raises HostNotStarted."""
        key = (needs.mac, needs.enrol)
        if key not in self._hosts:
            self._hosts[key] = await self._start(needs, list(dialects))
        return self._hosts[key]

    async def _start(self, needs: HostNeeds, dialects: list[str]) -> Target:
        folder = Path(self._folder.name) / f"{needs.mac}-{needs.enrol}"
        folder.mkdir()
        ready_file, log = folder / "ready.json", folder / "log"
        listen = [part for dialect in dialects for part in ("--listen", f"127.0.0.1:0={dialect}")]
        arguments = ["--store", "memory:", "--http", "127.0.0.1:0", "--mqtt", "off", "--clock", "manual"]
        started_with = ["--mac", needs.mac, "--enrol", needs.enrol, "--ready-file", str(ready_file)]
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "pos_host", "serve", *arguments, *started_with, *listen),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._processes.append(process)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while not ready_file.exists():
                    if process.returncode is not None:
                        raise HostNotStarted(f"the private host did not start: {_end_of(log)}")
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise HostNotStarted(f"the private host was not ready in {START_TIMEOUT_S:g} s: {_end_of(log)}") from None
        return _target(ready_file, dialects, needs)


def _target(ready_file: Path, dialects: list[str], needs: HostNeeds) -> Target:
    try:
        ready = read_ready_file(ready_file)
    except AddressError as error:
        raise HostNotStarted(str(error)) from None
    if ready.http is None or ready.token is None:
        raise HostNotStarted("the private host has no admin API")
    if len(ready.listeners) != len(dialects):
        raise HostNotStarted(f"two of the dialects have one name: {', '.join(dialects)}")
    # a dialect of somebody's own is asked for by its file, and the host calls it by its name
    addresses = dict(zip(dialects, ready.listeners.values(), strict=True))
    return Target(addresses, AdminApi(ready.http, ready.token), True, needs)


def _end_of(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return " ".join(" / ".join(lines[-SHOWN_LINES:]).split()) or "it said nothing"


async def has_manual_clock(api: AdminApi) -> bool:
    """Whether the clock of somebody's host stands still until it is moved; raises ApiFailed."""
    clock = await api.done("GET", "/clock")
    if not isinstance(clock, dict):
        raise ApiFailed("GET /clock: no sense in the answer")
    return clock.get("clock") == "manual"
