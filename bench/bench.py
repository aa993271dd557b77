"""`make bench`: the host against a bare echo of the same frames, in turn, medians of the rounds.

200 UnionPay terminals in closed loop buy one after the other; each purchase is durable (SQLite, FULL) before
its answer. Absolute numbers belong to the machine and the hour, so what counts is the ratio to the echo of
the same run: by rate, and by the server's processor time per message. Writes var/bench.json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import servers

from pos_terminal.load import LoadReport, Target, run_load

TERMINALS = 200
OPEN_LOOP_RATE = 1_000
IDLE_CONNECTIONS = 2_000
BARE = ("--http", "off", "--mqtt", "off")
FULL = ("--http", "127.0.0.1:0", "--mqtt", "embedded")
Measured = dict[str, float]


def main() -> None:
    options = _options()
    servers.pin_driver()
    rounds: dict[str, list[Measured]] = {"echo": [], "host_sqlite": [], "host_full": [], "host_mac": []}
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        rounds["echo"].append(measure_echo(options.seconds))
        rounds["host_sqlite"].append(measure_host(options.seconds, *BARE))
        rounds["host_full"].append(measure_host(options.seconds, *FULL))
        rounds["host_mac"].append(measure_host(options.seconds, *BARE, mac=True))
    result: dict[str, Any] = {name: _medians(runs) for name, runs in rounds.items()}
    result |= _ratios(rounds)
    result |= measure_open_loop(options.seconds)
    result |= measure_idle_connections()
    result["start_s"] = measure_start(*BARE)
    result["start_full_s"] = measure_start(*FULL)
    show(result)
    Path("var").mkdir(exist_ok=True)
    Path("var/bench.json").write_text(json.dumps(result, indent=1) + "\n")


def measure_echo(seconds: float) -> Measured:
    """One round of the yardstick."""
    with servers.echo() as server:
        return _measure(server, seconds, echo=True)


def measure_host(seconds: float, *options: str, mac: bool = False) -> Measured:
    """One round of durable purchases; with `mac` each is checked and answered with one."""
    with tempfile.TemporaryDirectory() as folder, servers.host(Path(folder), *options) as server:
        return _measure(server, seconds, mac=mac)


def measure_open_loop(seconds: float) -> dict[str, Any]:
    """Share of a core at a steady thousand purchases a second; latency from the time each was due."""
    with tempfile.TemporaryDirectory() as folder, servers.host(Path(folder), *BARE) as server:
        row = _measure(server, seconds, rate=OPEN_LOOP_RATE)
    share = round(row["cpu_us"] * row["rate"] / 1e6, 3)
    return {"at_1000_per_s": {"core_share": share, **{name: row[name] for name in ("rate", "p50_ms", "p99_ms")}}}


def measure_idle_connections() -> dict[str, Any]:
    """Memory of the server per connection that says nothing."""
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.host(Path(folder), *BARE) as server,
        contextlib.ExitStack() as connections,
    ):
        time.sleep(1.5)  # what the host loads after it is ready is no connection's
        before = server.memory_bytes()
        for _ in range(IDLE_CONNECTIONS):
            connections.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        time.sleep(0.5)
        used = server.memory_bytes() - before
    return {"idle_connection_bytes": round(used / IDLE_CONNECTIONS)}


def measure_start(*options: str) -> float:
    """Seconds from exec to ready, the median of five."""
    times = []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as folder, servers.host(Path(folder), *options) as server:
            times.append(server.start_s)
    return round(statistics.median(times), 3)


def _measure(
    server: servers.Server, seconds: float, *, echo: bool = False, mac: bool = False, rate: float | None = None
) -> Measured:
    """One load: rate, latency, and the server's processor time from the first counted shot to the last."""
    cpu_s: list[float] = []
    report = run_load(
        [Target("127.0.0.1", server.port, "unionpay")],
        TERMINALS,
        seconds,
        rate,
        warm_up_s=1.0,
        echo=echo,
        mac=mac,
        began=lambda: cpu_s.append(server.cpu_s()),
        ended=lambda: cpu_s.append(server.cpu_s()),
    )
    _check(report)
    return {
        "rate": round(report.rate, 1),
        "cpu_us": round((cpu_s[1] - cpu_s[0]) / max(report.messages, 1) * 1e6, 2),
        "p50_ms": report.p50_ms,
        "p99_ms": report.p99_ms,
        "memory_mb": round(server.memory_bytes() / 1e6, 1),
        "driver_cpu_share": round(report.driver_cpu_share, 3),
    }


def _check(report: LoadReport) -> None:
    """A benchmark of refusals would be worth nothing."""
    if set(report.codes) - {"00", "echo"} or report.wrong or report.disconnected:
        raise SystemExit(f"bench: unexpected answers {dict(report.codes)}, {report.wrong} wrong")


def _medians(runs: list[Measured]) -> Measured:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def _ratios(rounds: dict[str, list[Measured]]) -> dict[str, float]:
    """Round by round against the echo beside it, then the median: by rate and by server CPU per message."""
    ratios = {}
    for name, short in (("host_sqlite", "sqlite"), ("host_full", "full"), ("host_mac", "mac")):
        pairs = list(zip(rounds[name], rounds["echo"], strict=True))
        ratios[f"ratio_{short}"] = round(statistics.median(h["rate"] / e["rate"] for h, e in pairs), 3)
        ratios[f"ratio_{short}_cpu"] = round(statistics.median(e["cpu_us"] / h["cpu_us"] for h, e in pairs), 3)
    return ratios


def show(result: dict[str, Any]) -> None:
    """The table, from the numbers that go to the file."""
    print(f"{TERMINALS} terminals in closed loop, medians; server on one core, no MAC where not said")
    print(f"{'':24}{'msg/s':>10}{'CPU µs':>9}{'p50 ms':>9}{'p99 ms':>9}{'driver':>8}")
    names = {
        "echo": "bare uvloop echo",
        "host_sqlite": "host, SQLite FULL",
        "host_full": "the same, API and MQTT on",
        "host_mac": "host, each with a MAC",
    }
    for key, name in names.items():
        row = result[key]
        note = "  rate is the driver's" if row["driver_cpu_share"] > 0.9 else ""
        print(
            f"{name:24}{row['rate']:>10,.0f}{row['cpu_us']:>9.1f}{row['p50_ms']:>9.2f}{row['p99_ms']:>9.2f}"
            f"{row['driver_cpu_share']:>8.0%}{note}"
        )
    for short, text in (("sqlite", "host, SQLite FULL"), ("full", "API and MQTT on"), ("mac", "each with a MAC")):
        by_cpu = result[f"ratio_{short}_cpu"]
        print(f"ratio to the echo, {text}: {result[f'ratio_{short}']:.3f} by rate, {by_cpu:.3f} by server CPU")
    steady = result["at_1000_per_s"]
    print(f"at 1,000/s: {steady['core_share']:.2f} of a core, p50 {steady['p50_ms']} ms, p99 {steady['p99_ms']} ms")
    print(f"idle connection: {result['idle_connection_bytes']} bytes")
    print(f"start to ready: {result['start_s']} s bare, {result['start_full_s']} s with everything")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the host against a bare echo.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    return parser.parse_args()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
