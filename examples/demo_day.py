"""`make demo`: twenty terminals live one business day, three forget to settle, and the host notices.

The clock is moved by hand, so the four hours to midnight take no time. Exit 0 when both sides' books agree.
"""

from __future__ import annotations

import json
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from demo_host import command, running_host

EIGHT_IN_THE_EVENING = "2026-03-02T20:00:00+08:00"


def main() -> int:
    """The day, hour by hour; the worst exit code of its commands."""
    with tempfile.TemporaryDirectory(prefix="pos-host-demo-") as folder:
        store, ready_file = f"sqlite:///{folder}/demo.db", Path(folder) / "ready.json"
        options = [
            "--listen", "127.0.0.1:0=unionpay", "--store", store, "--http", "127.0.0.1:0", "--mqtt", "embedded",
            "--clock", f"manual:{EIGHT_IN_THE_EVENING}", "--log-level", "error",
        ]  # fmt: skip
        with running_host(ready_file, *options) as ready:
            print("Eight in the evening: the shops sell, lose answers, settle; three forget to.")
            codes = [
                command(
                    "pos-terminal",
                    "day",
                    "--ready-file",
                    str(ready_file),
                    "--dialect",
                    "unionpay",
                    "--terminals",
                    "20",
                    "--transactions",
                    "30",
                    "--lose-replies",
                    "5",
                    "--disagree",
                    "2",
                    "--forget-settlement",
                    "3",
                    "--seed",
                    "7",
                )
            ]
            now = advance_clock(ready, "PT4H")
            print(f"\nFour hours later, at {now}: the cut-off and its hour of grace are over.")
            codes.append(command("pos-host", "unsettled", "--store", store))
            codes.append(command("pos-host", "verify", "--store", store))
    return max(codes)


def advance_clock(ready: dict[str, Any], duration: str) -> str:
    """Move the host's clock; answers the new time once everything due by then has happened."""
    request = urllib.request.Request(
        f"{ready['http']}/api/v1/clock",
        data=json.dumps({"advance": duration}).encode(),
        headers={"Authorization": f"Bearer {ready['admin_token']}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["now"])


if __name__ == "__main__":
    raise SystemExit(main())
