"""A host that a test starts and kills many times over one store, through the fork server."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from tests.patience import HANGING_S

FORK_SERVER = Path(__file__).with_name("fork_server.py")

"""A start takes some 50 ms; a machine that is busy with other tests may take long."""


class MortalHost:
    """The hosts of one store, one after the other; `option` is one of the fork server's."""

    def __init__(self, folder: Path, option: str | None = None) -> None:
        self.store = folder / "store.db"
        self.log = folder / "host.log"
        self._ready_file = folder / "ready.json"
        self._options = [] if option is None else [option]

    def __enter__(self) -> MortalHost:
        with self.log.open("w") as log:
            self._server = subprocess.Popen(
                [sys.executable, str(FORK_SERVER), *self._options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._server.poll() is None and self._ready_file.exists():
            self.kill()
        for pipe in (self._server.stdin, self._server.stdout):
            assert pipe is not None
            pipe.close()
        self._server.wait(HANGING_S)

    async def start(self) -> int:
        """Start a host; gives its port once it accepts."""
        self._ready_file.unlink(missing_ok=True)
        self._ask("start " + json.dumps({"store": str(self.store), "ready_file": str(self._ready_file)}))
        deadline = time.monotonic() + HANGING_S
        while not self._ready_file.exists():
            assert time.monotonic() < deadline, f"no ready file; the host said:\n{self.log.read_text()}"
            await asyncio.sleep(0.001)
        ready = json.loads(self._ready_file.read_text())
        return int(ready["listeners"][0]["port"])

    def kill(self) -> None:
        """kill -9; when this returns the host is gone and its store free."""
        assert -9 == self._ask("kill"), f"the host had ended by itself:\n{self.log.read_text()}"
        self._ready_file.unlink()

    def stop(self) -> None:
        """SIGTERM; the host must end in order."""
        assert 0 == self._ask("stop"), self.log.read_text()

    def _ask(self, line: str) -> int:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(line + "\n")
        self._server.stdin.flush()
        answer = self._server.stdout.readline()
        assert answer, f"the fork server has ended:\n{self.log.read_text()}"
        return int(answer)
