"""Client mode: the host connects out to a concentrator and answers what comes from there."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from pos_host.logs import Logger
from pos_host.os_errors import in_words
from pos_host.pipeline import Pipeline
from pos_host.server import Endpoint, TerminalConnection
from pos_specs.language import Language

log = Logger("pos_host.concentrator")

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
"""Pauses between attempts double from the first to the longest: a concentrator that starts is found soon, and one
that is down for the night is not asked without end."""

STEADY_S = 30.0
"""A connection that lasted so long was a good one: after it the pauses begin anew. One that is closed as soon as it
is made is no better than one refused."""

CONNECT_TIMEOUT_S = 10.0
"""Longer than any network that carries payments needs, TLS included."""


def pause_s(failures: int, chance: float) -> float:
    """Seconds to wait after so many failures in a row (from 1); `chance` from 0 to 1 takes off up to half of them,
    so that many hosts do not all come back at once.
    """
    longest = min(FIRST_PAUSE_S * (1 << min(failures - 1, 16)), LONGEST_PAUSE_S)
    return longest * (1 - chance / 2)


class ConcentratorLine(Endpoint):
    """A line to one concentrator, held open and opened again; `run` ends only when it is cancelled.

    `chance()` gives numbers from 0 to 1. Over TLS where `tls` is given, with `host` as the name to be certified.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        language: Language,
        host: str,
        port: int,
        chance: Callable[[], float],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(pipeline, language)
        self._host, self._port = host, port
        self._chance = chance
        self._tls = tls
        self._task: asyncio.Task[None] | None = None
        self._told = ""

    def open(self) -> None:
        """Begin to connect; where nobody answers it goes on trying."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"concentrator {self._host}:{self._port}")

    def stop_accepting(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            lost = await self._connect()
            if lost is not None:
                since = loop.time()
                await lost.wait()
                self._tell("warning", "connection_lost")
                if loop.time() - since >= STEADY_S:
                    failures = 0
            failures += 1
            await asyncio.sleep(pause_s(failures, self._chance()))

    async def _connect(self) -> asyncio.Event | None:
        """A connection, as the event of its end; None where there is none."""
        lost = asyncio.Event()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await asyncio.get_running_loop().create_connection(
                    lambda: ConcentratorConnection(self, lost), self._host, self._port, ssl=self._tls
                )
        except (OSError, TimeoutError) as error:
            self._tell("warning", "connection_refused", reason=why_not(error))
            return None
        self._tell("info", "connected")
        return lost

    def _tell(self, level: str, event: str, **more: str) -> None:
        """One line when something changes, and none while it stays so."""
        told = f"{event} {more}"
        if told != self._told:
            self._told = told
            peer = f"{self._host}:{self._port}"
            getattr(log, level)(event, peer=peer, dialect=self.language.name, **more)


class ConcentratorConnection(TerminalConnection):
    """A connection that tells of its end."""

    __slots__ = ("_lost",)

    def __init__(self, endpoint: ConcentratorLine, lost: asyncio.Event) -> None:
        super().__init__(endpoint)
        self._lost = lost

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._lost.set()


def why_not(error: OSError) -> str:
    """Why a connection was not made, in one line."""
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, ssl.SSLError):
        from pos_host.tls import why_refused

        return why_refused(error)
    return in_words(error)
