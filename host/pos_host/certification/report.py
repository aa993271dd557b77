"""The report of a certification as one document, which its three forms (JSON, HTML, JUnit) are written from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pos_host.certification.evidence import shown_exchange
from pos_host.certification.suite import Suite
from pos_host.certification.verdicts import FAILED, NOT_SEEN, PASSED, Judgement
from pos_host.clock import iso_utc
from pos_host.exchanges import Exchange


class Run(NamedTuple):
    """When a certification began and ended, why it ended in words, and what its faults were drawn from."""

    began_at_ms: int
    ended_at_ms: int
    ended_because: str
    seed: int
    messages: int


def report_of(suite: Suite, judgements: Sequence[Judgement], run: Run) -> dict[str, Any]:
    """Plain values: suite, run, counts, every rule with verdict and findings, and each message that proves one, once.

    Nothing in it is card data: messages come masked (`evidence`).
    """
    proving: dict[int, Exchange] = {}
    for judgement in judgements:
        for finding in judgement.findings:
            proving.update({exchange.number: exchange for exchange in finding.evidence})
    return {
        "suite": suite.name,
        "title": suite.title,
        "dialect": suite.dialect,
        "began_at": iso_utc(run.began_at_ms),
        "ended_at": iso_utc(run.ended_at_ms),
        "ended_because": run.ended_because,
        "seed": run.seed,
        "messages_seen": run.messages,
        "counts": counts_of(judgements),
        "rules": [_rule(judgement) for judgement in judgements],
        "messages": [shown_exchange(proving[number]) for number in sorted(proving)],
    }


def counts_of(judgements: Sequence[Judgement]) -> dict[str, int]:
    """How many rules have which verdict."""
    return {
        verdict: sum(judgement.verdict == verdict for judgement in judgements) for verdict in (PASSED, FAILED, NOT_SEEN)
    }


def _rule(judgement: Judgement) -> dict[str, Any]:
    rule = judgement.rule
    return {
        "id": rule.id,
        "title": rule.title,
        "source": rule.source,
        "verdict": judgement.verdict,
        "reason": judgement.reason,
        "findings": [
            {"reason": finding.reason, "messages": [exchange.number for exchange in finding.evidence]}
            for finding in judgement.findings
        ],
    }
