"""What came of scenarios."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

from pos_terminal.scenarios.loading import LoadedStep, Scenario

Verdict = Literal["passed", "failed", "skipped", "interrupted"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


class Failure(NamedTuple):
    """Where a scenario failed and how: a sentence for each difference, masked."""

    file: str
    line: int | None
    step: str
    differences: tuple[str, ...]

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.step}: {'; '.join(self.differences)}"


class StepFailed(Exception):
    """A step did not come out as it must."""

    def __init__(self, step: LoadedStep, differences: list[str]) -> None:
        super().__init__("; ".join(differences))
        self.step = step
        self.differences = differences


class Outcome(NamedTuple):
    """What came of one scenario; `reason` says why it was skipped, `failure` also where it was interrupted."""

    scenario: Scenario
    verdict: Verdict
    seconds: float
    steps_done: int = 0
    failure: Failure | None = None
    reason: str = ""


def counted(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """How many of each verdict; interruptions only where there was one."""
    verdicts = [outcome.verdict for outcome in outcomes]
    counts = {name: verdicts.count(name) for name in VERDICTS}
    return {name: count for name, count in counts.items() if count or name != "interrupted"}


def failure_of(scenario: Scenario, error: StepFailed) -> Failure:
    """The failure of a scenario at a step."""
    note = error.step.raw.get("note")
    step = error.step.verb if note is None else f"{error.step.verb} ({note})"
    return Failure(scenario.file, error.step.line, step, tuple(error.differences))
