"""Expectations as the API shows them, with a verdict and the nearest misses."""

from __future__ import annotations

from typing import Any

from pos_host.exchange_views import received_view
from pos_host.expectations.expectation import Expectation
from pos_host.expectations.wording import explanation


def expectation_view(expectation: Expectation, now_s: float) -> dict[str, Any]:
    """What is expected, and what became of it by `now_s` of the clock that `until_s` is told by."""
    return {
        "id": expectation.id,
        "expected": dict(expectation.wanted.given),
        "count": {"at_least": expectation.count.least, "at_most": expectation.count.most},
        "since": expectation.since,
        "verdict": verdict(expectation, now_s),
        "matched": expectation.matched,
        "explanation": explanation(expectation),
        "matches": [received_view(exchange) for exchange in expectation.matches],
        "nearest": [
            {
                "exchange": received_view(miss.exchange),
                "differences": [difference._asdict() for difference in miss.differences],
            }
            for miss in expectation.nearest
        ],
    }


def verdict(expectation: Expectation, now_s: float) -> str:
    """met, missed, or pending while it may still come to be met."""
    if expectation.is_settled(now_s):
        return "met" if expectation.is_met else "missed"
    return "pending"
