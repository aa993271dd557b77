"""A scenario lived step by step against a host, until its end or the first step that did not come out as it must."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from pydantic import ValidationError

from pos_specs.language import Language, open_language
from pos_specs.security.errors import SecurityError
from pos_terminal.batch_log import NotInLog
from pos_terminal.cards import CardError
from pos_terminal.client import NoConnection
from pos_terminal.exchange import Result
from pos_terminal.host_books import ApiFailed
from pos_terminal.memory import LAST_NUMBER, Memory
from pos_terminal.pin import PinError
from pos_terminal.pin_pad import PadError, PadSettings
from pos_terminal.requests import NoSuchFunction, RequestImpossible
from pos_terminal.scenarios.differences import differences
from pos_terminal.scenarios.host_steps import PATIENCE_S, HostSteps, value_at
from pos_terminal.scenarios.live_terminal import LiveTerminal, Performed, Plan
from pos_terminal.scenarios.loading import LoadedStep, Scenario
from pos_terminal.scenarios.models import HOST_STEPS, Step, TerminalSpec
from pos_terminal.scenarios.results import Outcome, StepFailed, failure_of
from pos_terminal.scenarios.step_commands import StepImpossible, command_of
from pos_terminal.scenarios.targets import RunClock, Target
from pos_terminal.scenarios.variables import UnknownVariable, filled
from pos_terminal.states import NotNow

MERCHANT_PREFIX = "8980"
"""What made merchant ids begin with; eleven digits of chance follow, so that runs do not meet in one host's books."""

FIRST_LETTERS = {"hypercom": "H", "iso87-ascii": "I"}

REFUSED = (NotNow, NotInLog, NoSuchFunction, PadError)
"""A terminal itself says no: what `refused_by_terminal` expects."""

WRONG = (
    ApiFailed,
    CardError,
    NoConnection,
    PinError,
    RequestImpossible,
    SecurityError,
    StepImpossible,
    UnknownVariable,
)
"""What keeps a step from being done at all; each says in words what it is."""


class Settings:
    """What all scenarios of a run share. `merchant_id` ("" for none) and `terminal_ids` take the place of made ones;
    `patience_s` is how long a check at the host may take to come true."""

    def __init__(
        self,
        clock: RunClock,
        chance: Random,
        timeout_s: float,
        merchant_id: str = "",
        terminal_ids: Sequence[str] = (),
        language_of: Callable[[str], Language] = open_language,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.clock = clock
        self.chance = chance
        self.timeout_s = timeout_s
        self.merchant_id = merchant_id
        self.terminal_ids = terminal_ids
        self.language_of = language_of
        self.patience_s = patience_s

    def why_not(self, scenario: Scenario) -> str:
        """Why a scenario cannot be lived with the terminals that were named, "" when it can."""
        nameless = sum(1 for spec in scenario.terminals.values() if spec.terminal_id is None)
        if not self.terminal_ids or nameless <= len(self.terminal_ids):
            return ""
        return f"needs {nameless} terminals, and --terminal-id names {len(self.terminal_ids)}"


async def live(scenario: Scenario, target: Target, settings: Settings) -> Outcome:
    """What comes of a scenario against a host that has what it needs. One that is cancelled is interrupted: its caller
    still wants to tell of it."""
    began = time.perf_counter()
    run = _Run(scenario, target, settings)
    try:
        await run.begin()
        await run.steps(scenario.steps)
    except StepFailed as error:
        failure = failure_of(scenario, error)
        return Outcome(scenario, "failed", time.perf_counter() - began, run.steps_done, failure)
    except asyncio.CancelledError:
        failure = failure_of(scenario, StepFailed(run.step, ["interrupted"]))
        return Outcome(scenario, "interrupted", time.perf_counter() - began, run.steps_done, failure)
    finally:
        await run.end()
    return Outcome(scenario, "passed", time.perf_counter() - began, run.steps_done)


class _Run:
    """One scenario under way."""

    def __init__(self, scenario: Scenario, target: Target, settings: Settings) -> None:
        self._scenario = scenario
        self._target = target
        self._settings = settings
        self._variables: dict[str, Any] = {}
        self._named = iter(settings.terminal_ids)
        self._first = next(iter(scenario.terminals))
        self._terminals = {name: self._terminal(name, spec) for name, spec in scenario.terminals.items()}
        merchants = [terminal.memory.merchant_id for terminal in self._terminals.values()]
        self._host = (
            None if target.api is None else HostSteps(target.api, settings.clock, merchants, settings.patience_s)
        )
        self.steps_done = 0
        self.step = scenario.steps[0]
        """The step under way; with branches the one that was begun last."""

    async def begin(self) -> None:
        """Note where the host's events stand."""
        if self._host is not None:
            try:
                await self._host.begin()
            except ApiFailed as error:
                raise StepFailed(self._scenario.steps[0], [str(error)]) from None

    async def end(self) -> None:
        """Hang up, and take back the rules that the scenario has made."""
        for terminal in self._terminals.values():
            terminal.hang_up()
        if self._host is not None:
            await self._host.end()

    async def steps(self, steps: list[LoadedStep]) -> None:
        """Each step after the other; raises StepFailed."""
        for step in steps:
            self.step = step
            await self._step(step)
            self.steps_done += 1

    async def _step(self, loaded: LoadedStep) -> None:
        name = loaded.raw.get("terminal") or self._first
        variables = self._variables_of(name)
        try:
            step = Step.model_validate(filled(loaded.raw, variables))
            if loaded.branches:
                await self._together(loaded.branches)
            elif loaded.verb in HOST_STEPS:
                found = await self._at_the_host(loaded, step, self._terminals[name])
                self._save(step, {"body": found})
            elif loaded.verb == "wait":
                await asyncio.sleep(step.wait.seconds if step.wait is not None else 0)
            else:
                await self._at_the_terminal(loaded, step, name)
        except WRONG as error:
            raise StepFailed(loaded, [str(error)]) from None
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(key) for key in first["loc"])
            raise StepFailed(loaded, [f"{place}: {first['msg']} (once its variables are filled in)"]) from None
        except StepFailed:
            raise
        except Exception as error:  # a terminal that breaks is a finding too, and the next scenario is still lived
            raise StepFailed(loaded, [f"the terminal broke: {type(error).__name__}"]) from error

    async def _together(self, branches: list[list[LoadedStep]]) -> None:
        """All branches at once; the first failure is told when all have ended."""
        ended = await asyncio.gather(*(self.steps(branch) for branch in branches), return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException):
                raise error

    # ------------------------------------------------------------ at the terminal

    async def _at_the_terminal(self, loaded: LoadedStep, step: Step, name: str) -> None:
        terminal = self._terminals[name]
        if loaded.verb == "hang_up":
            terminal.hang_up()
        elif loaded.verb == "power_cut":
            terminal.lose_power()
        elif loaded.verb == "reconnect":
            terminal.hang_up()
            await terminal.connect()
        else:
            await self._sends(loaded, step, terminal, self._scenario.terminals[name])

    async def _sends(self, loaded: LoadedStep, step: Step, terminal: LiveTerminal, spec: TerminalSpec) -> None:
        timeout_s = step.timeout_s or spec.timeout_s or self._settings.timeout_s
        refusal = None if step.expect is None else step.expect.refused_by_terminal
        try:
            came = await _performed(loaded.verb, step, terminal, timeout_s)
        except REFUSED as error:
            if refusal is None:
                raise StepFailed(loaded, [f"the terminal itself refuses: {error}"]) from None
            if re.search(refusal, str(error)) is None:
                raise StepFailed(loaded, [f"the terminal was to refuse with {refusal!r}, it says: {error}"]) from None
            return
        if refusal is not None:
            raise StepFailed(loaded, ["the terminal was to refuse this itself, it did not"])
        found = differences(terminal.language, step.expect, step.accident, came, loaded.verb)
        if found:
            raise StepFailed(loaded, found)
        last = came.last
        messages = {} if last is None else {"request": last.request, "response": last.response}
        self._save(step, {"language": terminal.language, **messages})

    async def _at_the_host(self, loaded: LoadedStep, step: Step, terminal: LiveTerminal) -> Any:
        if self._host is None:  # only where the scenario says that it can do without
            return None
        found, wrong = await self._host.do(loaded.verb, step, terminal)
        if wrong:
            raise StepFailed(loaded, wrong)
        return found

    # ------------------------------------------------------------ terminals and variables

    def _terminal(self, name: str, spec: TerminalSpec) -> LiveTerminal:
        settings = self._settings
        dialect = spec.dialect or ""
        language = settings.language_of(dialect)
        terminal_id = spec.terminal_id or self._terminal_id(dialect)
        merchant_id = spec.merchant_id or settings.merchant_id or self._variables.get("merchant_id") or self._merchant()
        self._variables.setdefault("merchant_id", merchant_id)
        known = {"terminal_id": terminal_id, "merchant_id": merchant_id, "dialect": dialect}
        self._variables.update({f"{name}.{part}": value for part, value in known.items()})
        stan = spec.stan
        if stan is None:  # somebody's host remembers what the same terminal sent in an earlier run
            stan = settings.chance.randrange(LAST_NUMBER) if settings.terminal_ids else 0
        memory = Memory(language.name, terminal_id, merchant_id, stan=stan)
        return LiveTerminal(language, memory, _pad(spec), self._target.addresses[dialect], settings.clock)

    def _terminal_id(self, dialect: str) -> str:
        """The next of those named, else one that no other scenario has."""
        if self._settings.terminal_ids:
            return next(self._named)
        return f"{FIRST_LETTERS.get(dialect, 'T')}{self._settings.chance.randrange(1, 10_000_000):07d}"

    def _merchant(self) -> str:
        return f"{MERCHANT_PREFIX}{self._settings.chance.randrange(10**11):011d}"

    def _variables_of(self, name: str) -> Mapping[str, Any]:
        own = {part: self._variables[f"{name}.{part}"] for part in ("terminal_id", "merchant_id", "dialect")}
        return {**self._variables, **own}

    def _save(self, step: Step, found: Mapping[str, Any]) -> None:
        for name, path in (step.save or {}).items():
            value = _saved(path, found)
            if value is None:
                raise StepImpossible(f"save: there is no {path}")
            self._variables[name] = value


async def _performed(verb: str, step: Step, terminal: LiveTerminal, timeout_s: float) -> Performed:
    given = getattr(step, verb)
    if verb == "message":
        return await terminal.send(given, timeout_s)
    if verb == "raw":
        return await terminal.send_raw(given, timeout_s)
    own = "" if verb in ("forward", "script_result") else verb
    command = command_of(verb, given, terminal.memory)
    came = await terminal.perform(command, Plan(own, step.alter, step.accident, timeout_s))
    if came.result is None:
        return came._replace(result=Result(answered=False, reason="the command has come to nothing"))
    return came


def _saved(path: str, found: Mapping[str, Any]) -> Any:
    """`response.37`, `request.60.batch_number` or `body.items.0.id`; None where there is nothing."""
    source, _, rest = path.partition(".")
    if source == "body":
        return value_at(found.get("body"), rest)
    message, language = found.get(source), found.get("language")
    return None if message is None or language is None else language.parts.getter(rest)(message)


def _pad(spec: TerminalSpec) -> PadSettings:
    keys = {
        name: bytes.fromhex(value)
        for name in ("tmk", "mac_key", "pin_key", "ksn")
        if (value := getattr(spec, name)) is not None
    }
    return PadSettings(scheme=spec.scheme, uses_mac=not spec.no_mac, **keys)
