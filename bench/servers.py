"""The servers under measurement: each its own process, on the first processor where the machine has two."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
START_LIMIT_S = 30.0


class Server(NamedTuple):
    """A server's port, process, and how long it took from exec to accepting."""

    port: int
    pid: int
    start_s: float

    def cpu_s(self) -> float:
        """Processor time used so far, all threads, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self) -> int:
        """Memory of its own: proportional set size."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("the kernel tells no Pss")


@contextlib.contextmanager
def echo() -> Iterator[Server]:
    """The bare echo."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, str(HERE / "echo_server.py")], stdout=subprocess.PIPE, preexec_fn=_pin, text=True
    )
    assert process.stdout is not None
    port = int(process.stdout.readline())
    with _ended(process):
        yield Server(port, process.pid, time.perf_counter() - began)


@contextlib.contextmanager
def host(folder: Path, *options: str) -> Iterator[Server]:
    """A host on a fresh SQLite store in `folder`, UnionPay on a free port, with further options."""
    ready = folder / "ready.json"
    command = [
        sys.executable, "-m", "pos_host", "serve", "--listen", "127.0.0.1:0=unionpay",
        "--store", f"sqlite:///{folder / 'host.db'}", "--ready-file", str(ready), "--log-level", "error", *options,
    ]  # fmt: skip
    began = time.perf_counter()
    bytecode = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(command, preexec_fn=_pin, env=bytecode)
    while not ready.exists():
        if process.poll() is not None or time.perf_counter() - began > START_LIMIT_S:
            raise SystemExit("bench: the host did not start")
        time.sleep(0.002)
    start_s = time.perf_counter() - began
    with _ended(process):
        yield Server(json.loads(ready.read_text())["listeners"][0]["port"], process.pid, start_s)


def pin_driver() -> None:
    """Keep the driver off the server's processor."""
    if len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[1:])


def _pin() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(os.getppid()) | {0})})


@contextlib.contextmanager
def _ended(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
