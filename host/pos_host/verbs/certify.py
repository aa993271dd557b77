"""`pos-host certify`: a terminal held against the rules of its protocol, with a report."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from pos_host.options import UsageError, parse_address

DEFAULT_REPORT = Path("var/certification")
DEFAULT_IDLE_S, LONGEST_S = 600.0, 86_400.0
"""An operator who fetches another card is back in ten minutes; a day is longer than any certification."""

TERMINAL_WAITS_S = 60.0
"""How long terminals wait for an answer if nothing else is said: the usual setting in the field."""

MOST_SEED = 2**63 - 1
"""As in rule files."""


def certify_command(
    suite: Annotated[str, typer.Option("--suite", help="unionpay, hypercom, or a suite file of your own (TOML).")],
    listen: Annotated[
        str,
        typer.Option("--listen", metavar="ADDR:PORT", help="Where the terminal speaks to; port 0: a free one."),
    ] = "127.0.0.1:8583",
    report: Annotated[
        Path, typer.Option("--report", metavar="DIR", help="Where report.html, report.json and report.xml go.")
    ] = DEFAULT_REPORT,
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", help="Written once terminals may come, removed at the end.")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option("--keys", help="Key file (TOML); by default the published test keys.")
    ] = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout-s", help="How long the terminal waits for an answer, in seconds.")
    ] = TERMINAL_WAITS_S,
    idle_s: Annotated[float, typer.Option("--idle-s", help="End after so many seconds of silence.")] = DEFAULT_IDLE_S,
    seed: Annotated[int, typer.Option("--seed", min=0, max=MOST_SEED, help="The same seed plays the same.")] = 0,
    allow_not_seen: Annotated[
        bool, typer.Option("--allow-not-seen", help="Exit 0 although something was never seen.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per line.")] = False,
) -> None:
    """Hold a terminal against the rules of its protocol: play faults to it, watch it, write a report."""
    from pos_host.certification.serving import CertifyOptions, certify
    from pos_host.certification.suite import load_suite
    from pos_host.log_setup import set_up_logging
    from pos_host.logs import log_from
    from pos_host.rules.errors import RulesError

    for name, value in (("--timeout-s", timeout_s), ("--idle-s", idle_s)):
        if not 0 < value <= LONGEST_S:
            raise UsageError(f"{name} {value:g}: must be above 0 and at most {LONGEST_S:g}")
    host, port = parse_address(listen, f"--listen {listen}")
    try:
        loaded = load_suite(suite)
    except RulesError as error:
        raise UsageError(f"--suite {error}") from None
    options = CertifyOptions(
        loaded, host, port, report, ready_file, keys, seed, idle_s, timeout_s, as_json, allow_not_seen
    )
    log_from("error", lambda: set_up_logging("error", None))
    raise typer.Exit(asyncio.run(certify(options)))
