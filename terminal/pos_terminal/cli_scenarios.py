"""The verb of `pos-terminal` that lives scenarios."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pos_terminal.addresses import parse_address
from pos_terminal.cli_options import DialectOption, JsonOption, ReadyFileOption, UsageError, check_timeout, read_ready

if TYPE_CHECKING:
    from pos_terminal.scenarios.loading import Scenario
    from pos_terminal.scenarios.results import Outcome
    from pos_terminal.scenarios.running import Settings
    from pos_terminal.scenarios.targets import Target

DEFAULT_TIMEOUT_S = 5.0
"""The wait for one answer: generous for a host that answers in milliseconds, short for a job in CI."""

INTERRUPTED = 130
"""Exit code after Ctrl-C or SIGTERM: what a shell says of a command that Ctrl-C has ended."""

HostsOption = Annotated[
    list[str] | None,
    typer.Option("--host", metavar="ADDR:PORT[=DIALECT]", help="A host's listener; by default a private host."),
]


def add_scenario_verbs(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("run")(run)


def run(
    scenarios: Annotated[
        list[Path] | None,
        typer.Argument(help="Scenario files, and folders of them; those that ship by name (settlement/balanced)."),
    ] = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="All that ship, besides those named.")] = False,
    host: HostsOption = None,
    dialect: DialectOption = "unionpay",
    ready_file: ReadyFileOption = None,
    admin: Annotated[str | None, typer.Option("--admin", metavar="URL", help="The host's admin API.")] = None,
    token: Annotated[str | None, typer.Option("--token", help="The token for --admin.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="Only scenarios with this tag.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="Tell which there are, and live none.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of scenario files.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same terminal ids; 0: others.")] = 0,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds to wait for an answer.")] = DEFAULT_TIMEOUT_S,
    merchant_id: Annotated[str, typer.Option("--merchant-id", help="Instead of one made for each scenario.")] = "",
    terminal_id: Annotated[
        list[str] | None,
        typer.Option("--terminal-id", help="Instead of made ones; one for each of a scenario."),
    ] = None,
    junitxml: Annotated[Path | None, typer.Option("--junitxml", help="Write JUnit XML to this file.")] = None,
    summary: Annotated[Path | None, typer.Option("--summary", help="Write a Markdown summary to this file.")] = None,
    as_json: JsonOption = False,
) -> int:
    """Live scenario files against a host, or against private ones, and tell what came otherwise than expected."""
    if schema:
        from pos_terminal.scenarios.models import ScenarioSchema

        typer.echo(json.dumps(ScenarioSchema.model_json_schema(), indent=2))
        return 0
    check_timeout(timeout)
    found = _load(_named(scenarios or [], shipped), tag or [])
    if list_only:
        _list(found, as_json)
        return 0
    from pos_terminal.scenarios.running import Settings
    from pos_terminal.scenarios.targets import RunClock

    chance = Random(seed) if seed else Random()
    settings = Settings(RunClock(datetime.now), chance, timeout, merchant_id, terminal_id or [])
    where = _Where(host or [], dialect, ready_file, admin, token)
    outcomes = asyncio.run(_live(found, where, settings, _teller(as_json)))
    _report(outcomes, junitxml, summary, as_json)
    verdicts = {outcome.verdict for outcome in outcomes}
    if "interrupted" in verdicts or len(outcomes) < len(found):
        typer.echo(f"pos-terminal: interrupted: {len(found) - len(outcomes)} scenarios were not begun", err=True)
        return INTERRUPTED
    return 1 if "failed" in verdicts else 0


class _Where:
    """What the options say of the host."""

    def __init__(
        self, hosts: Sequence[str], dialect: str, ready_file: Path | None, admin: str | None, token: str | None
    ) -> None:
        self._named = hosts
        self._dialect = dialect
        self._ready = read_ready(ready_file)
        if (admin is None) != (token is None):
            raise UsageError("--admin and --token go together")
        if admin is not None and not admin.startswith(("http://", "https://")):
            raise UsageError(f"--admin {admin}: must be a URL such as http://127.0.0.1:8580")
        self._admin, self._token = admin, token

    async def target(self) -> Target | None:
        """The host, None for private ones; raises UsageError, AddressError, DialectError and ApiFailed."""
        from pos_specs.language import open_language
        from pos_terminal.scenarios.admin_api import AdminApi
        from pos_terminal.scenarios.private_hosts import has_manual_clock
        from pos_terminal.scenarios.targets import Target

        if not self._named and self._ready is None:
            if self._admin is not None:
                raise UsageError("--admin: needs --host or --ready-file, which say where the host listens")
            return None
        addresses = {} if self._ready is None else dict(self._ready.listeners)
        for text in self._named:
            address, _, named = text.partition("=")
            dialect = named or self._dialect
            open_language(dialect)  # a misspelled name would skip every scenario, and the run would pass
            addresses[dialect] = parse_address(address)
        base, token = self._admin, self._token
        if base is None and self._ready is not None:
            base, token = self._ready.http, self._ready.token
        if base is None or token is None:
            return Target(addresses)
        api = AdminApi(base, token)
        return Target(addresses, api, await has_manual_clock(api))


async def _live(
    scenarios: list[Scenario], where: _Where, settings: Settings, tell: Callable[[Outcome], None]
) -> list[Outcome]:
    from pos_terminal.scenarios.private_hosts import HostNotStarted
    from pos_terminal.scenarios.suite import live_all

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        return await live_all(scenarios, await where.target(), settings, tell, stop)
    except HostNotStarted as error:
        raise UsageError(str(error)) from None


def _named(paths: list[Path], shipped: bool) -> list[Path]:
    """The paths, and the folder of those that ship where it is wanted."""
    from pos_terminal.scenarios.shipped_scenarios import SHIPPED

    return [*paths, SHIPPED] if shipped else paths


def _load(paths: list[Path], tags: list[str]) -> list[Scenario]:
    from pos_specs.yaml_lines import DocumentError
    from pos_terminal.scenarios.loading import find_files, load_file
    from pos_terminal.scenarios.rules_check import by_the_installed_host
    from pos_terminal.scenarios.suite import chosen

    if not paths:
        raise UsageError("name scenario files, or a folder of them, or say --shipped")
    try:
        found = [scenario for file in find_files(paths) for scenario in load_file(file, by_the_installed_host)]
    except DocumentError as error:
        raise UsageError(str(error)) from None
    picked = chosen(found, tags)
    if not picked:
        raise UsageError(f"no scenario has the tag {' or '.join(tags)}")
    return picked


def _list(scenarios: list[Scenario], as_json: bool) -> None:
    for scenario in scenarios:
        document = {**_about(scenario), "description": scenario.description, "tags": list(scenario.tags)}
        tags = f" ({', '.join(scenario.tags)})" if scenario.tags else ""
        typer.echo(json.dumps(document, ensure_ascii=False) if as_json else f"{scenario.file}: {scenario.name}{tags}")


def _about(scenario: Scenario) -> dict[str, Any]:
    return {"file": scenario.file, "scenario": scenario.title, "row": scenario.row or None}


def _teller(as_json: bool) -> Callable[[Outcome], None]:
    on_github = os.environ.get("GITHUB_ACTIONS") == "true"

    def tell(outcome: Outcome) -> None:
        typer.echo(json.dumps(_document(outcome), ensure_ascii=False) if as_json else _line(outcome))
        if on_github and outcome.failure is not None:
            from pos_terminal.scenarios.annotations import github_error

            typer.echo(github_error(outcome.failure, outcome.scenario.name), err=as_json)

    return tell


def _document(outcome: Outcome) -> dict[str, Any]:
    failure = None if outcome.failure is None else outcome.failure._asdict()
    return {
        **_about(outcome.scenario),
        "verdict": outcome.verdict,
        "seconds": round(outcome.seconds, 3),
        "steps_done": outcome.steps_done,
        "failure": failure,
        "reason": outcome.reason or None,
    }


def _line(outcome: Outcome) -> str:
    """`passed  title (0.02 s)`, and below a failure each difference on a line."""
    line = f"{outcome.verdict:<7} {outcome.scenario.name}"
    if outcome.verdict == "skipped":
        return f"{line}: {outcome.reason}"
    line = f"{line} ({outcome.seconds:.2f} s)"
    if outcome.failure is None:
        return line
    place = f"        {outcome.failure.file}:{outcome.failure.line or 1}: {outcome.failure.step}"
    return "\n".join([line, place, *(f"          {difference}" for difference in outcome.failure.differences)])


def _report(outcomes: list[Outcome], junitxml: Path | None, summary: Path | None, as_json: bool) -> None:
    from pos_terminal.scenarios.junit_report import junit_xml
    from pos_terminal.scenarios.markdown_report import markdown_summary
    from pos_terminal.scenarios.results import counted

    counts = counted(outcomes)
    if as_json:
        typer.echo(json.dumps({"scenarios": len(outcomes), **counts}))
    else:
        typer.echo(f"{len(outcomes)} scenarios: {', '.join(f'{count} {name}' for name, count in counts.items())}")
    if junitxml is not None:
        _write(junitxml, junit_xml(outcomes))
    if summary is not None:
        _write(summary, markdown_summary(outcomes))
    step_summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if step_summary:
        _write(Path(step_summary), markdown_summary(outcomes), "a")


def _write(path: Path, text: str, mode: str = "w") -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or 'cannot be written'}") from None
