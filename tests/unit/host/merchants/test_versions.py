"""Which version of an agreement holds for whom and when, against a reading of its own that looks at every version."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pos_host.merchants.versions import Scope, Version, Versions, version_of, version_row

KEYS = ("cutoff", "grace", "max_age")
SCOPES = [Scope(), *(Scope(mid) for mid in "AB"), *(Scope(mid, tid) for mid in "AB" for tid in "12")]
MOMENTS = [f"2026-03-{day:02d}T00:00:00.000Z" for day in range(1, 8)]


@st.composite
def histories(draw: st.DrawFn) -> list[Version]:
    made = st.tuples(
        st.sampled_from(SCOPES),
        st.sampled_from(["planned", "in_force", "replaced", "withdrawn"]),
        st.sampled_from(MOMENTS),
        st.dictionaries(st.sampled_from(KEYS), st.integers(0, 9)),
    )
    return [Version(number, *told) for number, told in enumerate(draw(st.lists(made, max_size=25)), 1)]


def read_plainly(history: list[Version], scope: Scope, moment: str) -> dict[str, Any]:
    """Key by key from the terminal upwards: of each scope only the version that began last is looked at."""
    values: dict[str, Any] = {}
    wider = [("", ""), (scope.merchant_id, ""), (scope.merchant_id, scope.terminal_id)]
    for key in KEYS:
        for merchant_id, terminal_id in reversed(wider):
            latest = None
            for version in history:
                if version.scope != (merchant_id, terminal_id) or version.state == "withdrawn":
                    continue
                if version.valid_from > moment:
                    continue
                if latest is None or version.valid_from >= latest.valid_from:
                    latest = version
            if latest is not None and key in latest.values:
                values[key] = latest.values[key]
                break
    return values


@given(histories(), st.sampled_from(SCOPES), st.sampled_from(MOMENTS))
def test_every_key_comes_from_the_nearest_scope_that_says_it(history: list[Version], scope: Scope, moment: str) -> None:
    merged: dict[str, Any] = {}
    for version in Versions(history).chain_at(scope, moment):
        merged |= version.values

    assert read_plainly(history, scope, moment) == merged


@given(histories(), st.sampled_from(SCOPES), st.integers(0, len(MOMENTS) - 1))
def test_nothing_changes_between_two_turns(history: list[Version], scope: Scope, first: int) -> None:
    versions = Versions(history)
    turns = versions.turns_after(scope, MOMENTS[first])

    for before, after in zip(MOMENTS[first:], MOMENTS[first + 1 :], strict=False):
        if after not in turns:
            assert versions.chain_at(scope, before) == versions.chain_at(scope, after)


@given(histories())
def test_a_version_is_the_same_after_the_store(history: list[Version]) -> None:
    assert history == [version_of(version_row("policy", version, 7)) for version in history]


def test_a_scope_covers_itself_and_what_lies_below() -> None:
    assert [Scope("A"), Scope("A", "1"), Scope("A", "2")] == [s for s in SCOPES if Scope("A").covers(s)]
    assert SCOPES == [scope for scope in SCOPES if Scope().covers(scope)]
    assert ["acquirer", "merchant", "terminal"] == [scope.level for scope in Scope("A", "1").chain()]
