"""How accounts and holders change, as data: limits, times, papers, costs of each step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from pos_host.merchants.accounts.documents import DOCUMENT_KINDS
from pos_host.settlement.durations import DurationError, duration_ms
from pos_specs.checked_table import CheckedTable
from pos_specs.dialect_file import Place, SourcedTable, read_file

CHANGES_MOST = 1000
TESTS_MOST = 100
"""More test purchases than anybody makes by hand."""

TIMES_MOST = 1000
COST_MOST_MINOR = 100_000_000

_CHANGE_STATES = ("submitted", "approved", "activated", "testing")
"""The states of an account change in which it is under way (account_changes.py)."""


@dataclass(frozen=True, slots=True)
class StepPromise:
    """What a step of a change takes: `expected` an ISO 8601 duration, the cost in minor units."""

    of: str
    name: str
    expected: str
    cost_minor: int


@dataclass(frozen=True, slots=True)
class ChangeRules:
    """What change_rules.toml says; durations in milliseconds."""

    currency: str
    limit_changes: int
    limit_within_ms: int
    payouts_held_in: tuple[str, ...]
    tests_needed: int
    roll_back_within_ms: int
    audit_after_ms: int
    hand_over_ms: int
    watch_ms: int
    compare_ms: int
    unlike_times: int
    documents_of_account_change: tuple[str, ...]
    documents_of_another: tuple[str, ...]
    documents_of_holder_change: tuple[str, ...]
    steps: tuple[StepPromise, ...]

    def promises(self, of: str) -> list[dict[str, object]]:
        """Time and cost of each step of a kind of change, as they are told."""
        return [
            {"step": s.name, "expected": s.expected, "cost_minor": s.cost_minor, "currency": self.currency}
            for s in self.steps
            if s.of == of
        ]


@lru_cache(1)
def shipped_change_rules() -> ChangeRules:
    """The rules of an acquirer that gave none; raises DialectError naming file, line and key."""
    file = read_file(resources.files("pos_host.merchants.accounts") / "change_rules.toml")
    top = CheckedTable(SourcedTable(file.table, {(): Place(file, ())}), (), file.table)
    names = ("limit", "payouts", "tests", "roll_back", "audit", "holder", "documents")
    limit, payouts, tests, roll_back, audit, holder, documents = (top.sub(name) for name in names)
    rules = ChangeRules(
        currency=top.matching("currency", "[0-9]{3}", "must be an ISO 4217 number"),
        limit_changes=limit.number("changes", 1, CHANGES_MOST),
        limit_within_ms=_duration(limit, "within"),
        payouts_held_in=_among(payouts, "held_in", _CHANGE_STATES),
        tests_needed=tests.number("needed", 0, TESTS_MOST),
        roll_back_within_ms=_duration(roll_back, "within"),
        audit_after_ms=_duration(audit, "after"),
        hand_over_ms=_duration(holder, "hand_over"),
        watch_ms=_duration(holder, "watch"),
        compare_ms=_duration(holder, "compare"),
        unlike_times=holder.number("unlike_times", 2, TIMES_MOST),
        documents_of_account_change=_among(documents, "account_change", DOCUMENT_KINDS),
        documents_of_another=_among(documents, "account_of_another", DOCUMENT_KINDS),
        documents_of_holder_change=_among(documents, "holder_change", DOCUMENT_KINDS),
        steps=tuple(_step(row) for row in top.tables("step")),
    )
    for part in (limit, payouts, tests, roll_back, audit, holder, documents, top):
        part.done("change_rules.toml")
    return rules


def _step(row: CheckedTable) -> StepPromise:
    _duration(row, "expected")
    of = row.choice("of", ("account_change", "holder_change"))
    step = StepPromise(of, row.text("name"), row.text("expected"), row.number("cost_minor", 0, COST_MOST_MINOR))
    row.done("a step")
    return step


def _duration(row: CheckedTable, key: str) -> int:
    try:
        return duration_ms(row.text(key))
    except DurationError as error:
        raise row.fail(key, str(error)) from None


def _among(row: CheckedTable, key: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    texts = row.texts(key)
    if unknown := [text for text in texts if text not in allowed]:
        raise row.fail(key, f"has {unknown[0]!r}, must be of {', '.join(allowed)}")
    return texts
