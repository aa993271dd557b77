"""What the operator reads while a certification runs: lines for people, or JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from pos_host.certification.report import counts_of
from pos_host.certification.suite import Step, Suite
from pos_host.certification.verdicts import FAILED, PASSED, Judgement
from pos_host.exchanges import Exchange

WORDS = {PASSED: "passed", FAILED: "FAILED"}


class Console:
    """Tells of the listener, of each message and what was done to it, what to do next, and of the end."""

    def __init__(self, suite: Suite, *, as_json: bool) -> None:
        self._suite = suite
        self._as_json = as_json
        self._said: str | None = ""

    def listening(self, dialect: str, host: str, port: int, step: Step | None) -> None:
        """Terminals may come."""
        self._tell(
            {"event": "listening", "suite": self._suite.name, "dialect": dialect, "host": host, "port": port},
            f"{self._suite.title}: {len(self._suite.rules)} rules. Have the terminal speak {dialect} to {host}:{port}",
        )
        self._next(step)

    def seen(self, exchange: Exchange, step: Step | None) -> None:
        """A message was answered; `step` is what comes next."""
        stan = "" if exchange.request is None else exchange.request.fields.get(11, "")
        event = {
            "event": "message",
            "number": exchange.number,
            "terminal_id": exchange.terminal_id,
            "function": exchange.function,
            "stan": stan,
            "outcome": exchange.outcome,
            "played": list(exchange.rules),
            "fault": exchange.fault,
        }
        done = f" [played: {exchange.fault or ', '.join(exchange.rules)}]" if exchange.rules else ""
        self._tell(event, f"  {exchange.number} {exchange.function or 'not readable'} {stan}: {exchange.outcome}{done}")
        self._next(step)

    def ended(self, judgements: Sequence[Judgement], because: str, files: Sequence[Path]) -> None:
        """The verdicts, and where the report is."""
        for judgement in judgements:
            rule = judgement.rule
            verdict = {"event": "verdict", "rule": rule.id, "verdict": judgement.verdict, "reason": judgement.reason}
            line = f"{WORDS.get(judgement.verdict, 'not seen'):<9} {rule.id}: {rule.title}"
            self._tell(verdict, line if judgement.verdict == PASSED else f"{line}\n          {judgement.reason}")
        counts = counts_of(judgements)
        event = {"event": "ended", "because": because, **counts, "reports": [str(file) for file in files]}
        shown = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in counts.items())
        self._tell(event, f"Ended because {because}: {shown}. Report: {', '.join(map(str, files))}")

    def _next(self, step: Step | None) -> None:
        said = None if step is None else step.id
        if said == self._said:
            return
        self._said = said
        if step is None:
            self._tell({"event": "next", "step": None, "say": None}, "> Every step was shown. End the day as usual.")
        else:
            self._tell({"event": "next", "step": step.id, "say": step.say}, f"> {step.say}")

    def _tell(self, event: dict[str, Any], line: str) -> None:
        typer.echo(json.dumps(event, ensure_ascii=False) if self._as_json else line)
