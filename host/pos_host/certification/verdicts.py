"""From findings to verdicts: passed, failed, not seen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from pos_host.certification.checks.check import Check, Finding
from pos_host.certification.suite import Suite, SuiteRule

PASSED, FAILED, NOT_SEEN = "passed", "failed", "not_seen"

MOST_SHOWN = 5
"""Findings that a rule's verdict is shown with: a fleet proves the same thing once a terminal."""


class Judgement(NamedTuple):
    """A rule, its verdict, why in words, and the findings that prove it."""

    rule: SuiteRule
    verdict: str
    reason: str
    findings: tuple[Finding, ...]


def judge(suite: Suite, checks: Mapping[str, Sequence[Check]], silent: Collection[str] = ()) -> list[Judgement]:
    """The verdict of every rule over the checks that were made of it, one for each terminal, in the suite's order.

    One failure fails a rule. Where a rule on which it rests has failed, its failures prove nothing of their own: it
    is not seen then, and the reason names that rule. `silent` are rules of which a step was played, and nothing came
    from the terminal since.
    """
    first = {rule.id: _judged(rule, checks.get(rule.id, ()), rule.id in silent) for rule in suite.rules}
    failed = {id_ for id_, judgement in first.items() if judgement.verdict == FAILED}
    return [_rested(judgement, failed) for judgement in first.values()]


def exit_code(judgements: Sequence[Judgement], *, allow_not_seen: bool) -> int:
    """0 when every rule has passed, 1 otherwise; what was not seen may be allowed, and is where a rule is optional."""
    return int(any(_unfit(judgement, allow_not_seen) for judgement in judgements))


def _unfit(judgement: Judgement, allow_not_seen: bool) -> bool:
    not_seen = judgement.verdict == NOT_SEEN and not allow_not_seen and not judgement.rule.optional
    return judgement.verdict == FAILED or not_seen


def _judged(rule: SuiteRule, checks: Sequence[Check], silent: bool) -> Judgement:
    findings = [finding for check in checks for finding in check.findings]
    for passed, verdict in ((False, FAILED), (True, PASSED)):
        found = tuple(finding for finding in findings if finding.passed is passed)
        if found:
            return Judgement(rule, verdict, found[0].reason, found[:MOST_SHOWN])
    reason = "it was played, and nothing came from the terminal after it" if silent else "nothing showed it"
    if rule.optional:
        reason += "; not every terminal can"
    return Judgement(rule, NOT_SEEN, reason, ())


def _rested(judgement: Judgement, failed: set[str]) -> Judgement:
    under = [id_ for id_ in judgement.rule.rests_on if id_ in failed]
    if judgement.verdict != FAILED or not under:
        return judgement
    reason = f"cannot be told: the rule {under[0]} has failed, which this one rests on"
    return Judgement(judgement.rule, NOT_SEEN, reason, ())
