"""`make run`: a host on its embedded defaults, and a small fleet that trades with it in every dialect.

The demo's policy ends the business day a minute from now, and one terminal never settles: its flag climbs
from due to overdue to forgotten within four minutes. Ctrl-C stops everything.
"""

from __future__ import annotations

import contextlib
import datetime
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from demo_host import running_host

FOLDER = Path("var/demo")
TIME_ZONE = "Asia/Shanghai"
TERMINALS = 6


def main() -> None:
    """Run until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, lambda number, frame: signal.raise_signal(signal.SIGINT))
    FOLDER.mkdir(parents=True, exist_ok=True)
    ready_file = FOLDER / "ready.json"
    with contextlib.suppress(KeyboardInterrupt), running_host(ready_file, "--policy", str(write_policy())) as ready:
        tell(ready)
        fleet = [
            sys.executable, "-m", "pos_terminal", "fleet", "--ready-file", str(ready_file),
            "--terminals", str(TERMINALS), "--forget", "1", "--state", str(FOLDER / "terminals"),
        ]  # fmt: skip
        subprocess.run(fleet, check=False)


def write_policy() -> Path:
    """A policy whose cut-off is a minute from now, with short waits after it."""
    cutoff = datetime.datetime.now(ZoneInfo(TIME_ZONE)) + datetime.timedelta(minutes=1)
    path = FOLDER / "policy.toml"
    path.write_text(
        f'cutoff = "{cutoff:%H:%M:%S}"\ntime_zone = "{TIME_ZONE}"\n'
        'remind_before = "PT30S"\ngrace = "PT1M"\nforgotten_after = "PT3M"\n'
    )
    return path


def tell(ready: dict[str, Any]) -> None:
    """Where everything is, and what to try next."""
    print("\npos-host is running; Ctrl-C stops it.")
    for listener in ready["listeners"]:
        print(f"  {listener['dialect']:12} {listener['host']}:{listener['port']}")
    print(f"  {'HTTP API':12} {ready['http']}/api/v1, described at {ready['http']}/openapi.json")
    print(f"  {'MQTT':12} {ready['mqtt']}, topics under pos-host/v1/")
    print(f"  {'token':12} var/pos-host.db.admin-token")
    print("Try in another terminal, after a minute:")
    print("  .venv/bin/pos-host unsettled")
    first = ready["listeners"][0]
    where = f"--dialect {first['dialect']} --host {first['host']}:{first['port']}"
    print(f"  .venv/bin/pos-terminal purchase {where} --amount 12.34 --receipt\n")


if __name__ == "__main__":
    main()
