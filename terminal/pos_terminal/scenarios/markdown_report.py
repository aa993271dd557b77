"""Outcomes as Markdown, for the summary of a CI job."""

from __future__ import annotations

from collections.abc import Sequence

from pos_terminal.scenarios.results import Outcome, counted


def markdown_summary(outcomes: Sequence[Outcome]) -> str:
    """A line of counts, the failures with what was expected and came, then what was skipped and why."""
    counts = ", ".join(f"{count} {name}" for name, count in counted(outcomes).items())
    lines = ["## Scenarios", "", f"{len(outcomes)} scenarios: {counts}", ""]
    failed = [outcome for outcome in outcomes if outcome.failure is not None]
    if failed:
        lines += ["| failed | where | what was otherwise |", "|---|---|---|"]
    for outcome in failed:
        if outcome.failure is not None:
            where = f"{outcome.failure.file}:{outcome.failure.line or 1} {outcome.failure.step}"
            lines.append(_row(outcome.scenario.name, where, "; ".join(outcome.failure.differences)))
    skipped = [outcome for outcome in outcomes if outcome.verdict == "skipped"]
    if skipped:
        lines += ["", "| skipped | why |", "|---|---|", *(_row(o.scenario.name, o.reason) for o in skipped)]
    return "\n".join(lines).rstrip() + "\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    """Text that neither ends its cell nor becomes markup."""
    for sign in ("\\", "|", "`", "<", "*", "_", "["):
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())
