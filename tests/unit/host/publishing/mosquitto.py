"""A real Mosquitto of a test's own, on loopback."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from tests.patience import HANGING_S

NOT_INSTALLED = "mosquitto is NOT INSTALLED: as root, apt-get install mosquitto mosquitto-clients"


def require_mosquitto() -> str:
    """The program's path; without it the test is skipped by name, or fails where POS_REQUIRE_ALL is set."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        if os.environ.get("POS_REQUIRE_ALL"):
            pytest.fail(NOT_INSTALLED)
        pytest.skip(NOT_INSTALLED)
    return program


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


class Mosquitto:
    """Starts and stops the broker; the port stays the same, what it retained does not outlive it."""

    def __init__(self, program: str) -> None:
        self.port = free_port()
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="pos-mosquitto-")
        self._home = Path(self._folder.name)

    async def start(self) -> str:
        config = self._home / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n")
        self._process = self._spawn(config)
        async with asyncio.timeout(HANGING_S):
            while not self._listens():
                if self._process.poll() is not None:
                    pytest.fail(f"mosquitto ended: {(self._home / 'log').read_text()}")
                await asyncio.sleep(0.01)
        return f"mqtt://127.0.0.1:{self.port}"

    def _spawn(self, config: Path) -> subprocess.Popen[bytes]:
        with (self._home / "log").open("ab") as log:
            return subprocess.Popen([self._program, "-c", config], stdout=log, stderr=log)

    async def stop(self) -> None:
        """As a crash: without a word to anybody."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            await asyncio.to_thread(process.wait)

    def remove(self) -> None:
        self._folder.cleanup()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
