"""A host as a child process, for the demos: started, awaited, and stopped again."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

START_LIMIT_S = 30.0
STOP_LIMIT_S = 10.0


@contextlib.contextmanager
def running_host(ready_file: Path, *options: str) -> Iterator[dict[str, Any]]:
    """What the host wrote into its ready file, while it runs; ends the demo when it does not start."""
    command = [sys.executable, "-m", "pos_host", "serve", "--ready-file", str(ready_file), *options]
    ready_file.unlink(missing_ok=True)
    host = subprocess.Popen(command)
    try:
        began_s = time.monotonic()
        while not ready_file.exists():
            if host.poll() is not None:
                raise SystemExit(host.returncode)
            if time.monotonic() - began_s > START_LIMIT_S:
                raise SystemExit(f"the host was not ready within {START_LIMIT_S:.0f} s")
            time.sleep(0.05)
        yield json.loads(ready_file.read_text())
    finally:
        host.terminate()
        try:
            host.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            host.kill()
            host.wait()


def command(*words: str) -> int:
    """Show a command as a person would type it, run it, and give its exit code."""
    print(f"\n$ {' '.join(words)}", flush=True)
    module = {"pos-host": "pos_host", "pos-terminal": "pos_terminal"}[words[0]]
    return subprocess.run([sys.executable, "-m", module, *words[1:]], check=False).returncode
