from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_host.settlement.policy import PolicyError, load_policy
from pos_host.settlement.unsettled import (
    REASONS,
    SEVERITIES,
    BatchFacts,
    Flag,
    blocking_severities,
    continued,
    evaluate,
    is_climb,
    next_change_ms,
    read_reasons,
    unsettled_reasons,
)

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
POLICY = load_policy(None)


def at(text: str) -> int:
    return round(datetime.fromisoformat(f"{text}+08:00").timestamp() * 1000)


MORNING = at("2026-03-02T10:00:00")
CUTOFF = at("2026-03-02T23:00:00")


def batch(**changes: Any) -> BatchFacts:
    """An open batch with one purchase of this morning."""
    return BatchFacts(
        state="open",
        has_money=True,
        first_money_at_ms=MORNING,
        opened_at_ms=MORNING - HOUR,
        last_activity_at_ms=MORNING,
        last_seen_at_ms=MORNING,
        transactions=1,
        debit_amount_minor=1_000,
        undelivered_since_ms=None,
        upload_since_ms=None,
        disputed=False,
    )._replace(**changes)


def flag_at(now_ms: int, facts: BatchFacts, **policy: Any) -> Flag:
    flag = evaluate(facts, replace(POLICY, **policy), now_ms)
    assert flag is not None
    return flag


def test_a_batch_is_not_flagged_before_its_reminder() -> None:
    assert None is evaluate(batch(), POLICY, CUTOFF - 30 * MINUTE - 1)


def test_the_reminder_makes_a_batch_due() -> None:
    flag = flag_at(CUTOFF - 30 * MINUTE, batch())

    assert "due" == flag.severity
    assert CUTOFF - 30 * MINUTE == flag.since_ms
    assert CUTOFF == flag.due_at_ms
    assert ("past_cutoff",) == flag.reasons
    assert "settle the batch" == flag.clears


def test_money_that_came_after_the_reminder_is_due_at_once() -> None:
    facts = batch(first_money_at_ms=CUTOFF - MINUTE)

    assert None is evaluate(facts, POLICY, CUTOFF - MINUTE - 1)
    assert CUTOFF - MINUTE == flag_at(CUTOFF - MINUTE, facts).since_ms


def test_a_batch_becomes_overdue_at_the_cutoff_and_grace_and_not_before() -> None:
    assert "due" == flag_at(CUTOFF + HOUR - 1, batch()).severity
    assert "overdue" == flag_at(CUTOFF + HOUR, batch()).severity


def test_a_batch_is_forgotten_a_day_after_its_cutoff() -> None:
    assert "overdue" == flag_at(CUTOFF + DAY - 1, batch()).severity
    assert "forgotten" == flag_at(CUTOFF + DAY, batch()).severity


def test_the_flag_keeps_its_beginning_and_its_cutoff_while_it_climbs() -> None:
    flag = flag_at(CUTOFF + 3 * DAY, batch())

    assert CUTOFF - 30 * MINUTE == flag.since_ms
    assert CUTOFF == flag.due_at_ms


def test_money_taken_at_the_cutoff_belongs_to_the_next_one() -> None:
    assert CUTOFF + DAY - 30 * MINUTE == next_change_ms(batch(first_money_at_ms=CUTOFF), POLICY, CUTOFF)


@pytest.mark.parametrize("facts", [batch(has_money=False, disputed=True), batch(state="settled")])
def test_nothing_is_flagged_without_money_or_after_settlement(facts: BatchFacts) -> None:
    assert None is evaluate(facts, POLICY, CUTOFF + 9 * DAY)
    assert None is next_change_ms(facts, POLICY, MORNING)


def test_a_batch_whose_money_is_older_than_the_policy_allows_is_too_old() -> None:
    flag = flag_at(MORNING + 2 * HOUR, batch(), max_age_ms=2 * HOUR)

    assert ("overdue", ("too_old",)) == (flag.severity, flag.reasons)


def test_the_age_counts_from_the_opening_where_the_first_money_is_not_known() -> None:
    facts = batch(first_money_at_ms=None)

    assert ("too_old",) == flag_at(MORNING + HOUR, facts, max_age_ms=2 * HOUR).reasons


def test_an_amount_or_count_above_its_limit_is_due_at_once() -> None:
    facts = batch(debit_amount_minor=501, transactions=3)
    flag = flag_at(MORNING, facts, max_amount_minor=500, max_transactions=2)

    assert ("due", ("over_amount", "over_count")) == (flag.severity, flag.reasons)


def test_an_amount_or_count_at_its_limit_is_allowed() -> None:
    facts = batch(debit_amount_minor=500, transactions=2)

    assert None is evaluate(facts, replace(POLICY, max_amount_minor=500, max_transactions=2), MORNING)


def test_an_upload_that_stands_still_is_incomplete_and_its_dispute_open() -> None:
    facts = batch(state="uploading", upload_since_ms=MORNING, disputed=True)

    assert None is evaluate(facts, POLICY, MORNING + HOUR - 1)
    flag = flag_at(MORNING + HOUR, facts)
    assert ("overdue", ("out_of_balance", "upload_incomplete")) == (flag.severity, flag.reasons)
    assert "upload the batch to its end; resume the upload and end it" == flag.clears


def test_an_upload_that_goes_on_is_not_flagged() -> None:
    facts = batch(state="uploading", upload_since_ms=MORNING + 50 * MINUTE, disputed=True)

    assert None is evaluate(facts, POLICY, MORNING + 90 * MINUTE)


def test_an_answer_that_was_never_delivered_is_overdue_and_never_worse_by_itself() -> None:
    far = {"cutoff": datetime(2000, 1, 1, 9, 59).time(), "max_age_ms": None, "grace_ms": HOUR}
    facts = batch(undelivered_since_ms=MORNING)

    assert None is evaluate(facts, replace(POLICY, **far), MORNING + HOUR - 1)
    flag = flag_at(MORNING + 23 * HOUR, facts, **far, forgotten_after_ms=2 * HOUR)
    assert ("overdue", ("answer_undelivered",)) == (flag.severity, flag.reasons)


def test_a_silent_terminal_with_money_is_due_then_overdue() -> None:
    flag = flag_at(MORNING + 2 * HOUR, batch(), silent_after_ms=2 * HOUR)

    assert ("due", ("silent",)) == (flag.severity, flag.reasons)
    assert "overdue" == flag_at(MORNING + 3 * HOUR, batch(), silent_after_ms=2 * HOUR).severity


def test_several_reasons_make_the_worst_severity_and_the_earliest_beginning() -> None:
    facts = batch(undelivered_since_ms=MORNING)
    flag = flag_at(CUTOFF, facts)

    assert ("past_cutoff", "answer_undelivered") == flag.reasons
    assert ("overdue", MORNING + HOUR) == (flag.severity, flag.since_ms)


def test_a_new_or_worse_flag_is_a_climb_and_a_better_one_is_not() -> None:
    due, overdue = flag_at(CUTOFF, batch()), flag_at(CUTOFF + HOUR, batch())

    assert is_climb(None, due)
    assert is_climb(due, overdue)
    assert not is_climb(overdue, due)
    assert not is_climb(due, due)
    assert not is_climb(due, None)


def test_an_unbroken_flag_keeps_its_beginning_when_another_sale_moves_the_reason() -> None:
    before = flag_at(MORNING, batch(debit_amount_minor=501), max_amount_minor=500)
    later = batch(debit_amount_minor=502, last_activity_at_ms=MORNING + HOUR)
    after = flag_at(MORNING + HOUR, later, max_amount_minor=500)

    assert MORNING + HOUR == after.since_ms
    assert after._replace(since_ms=MORNING) == continued(before, after)
    assert after == continued(None, after)
    assert None is continued(before, None)


def test_the_shipped_table_has_every_reason_and_names_what_clears_it() -> None:
    table = unsettled_reasons()

    assert sorted(REASONS) == sorted(reason.name for reason in table)
    assert all(reason.clears for reason in table)


ROW = 'first = "due"\nworst = "overdue"\nclears = "something"\n'


@pytest.mark.parametrize(
    ("edit", "key"),
    [
        (lambda text: text.replace("[silent]", "[noisy]"), "noisy"),
        (lambda text: text.replace(f"[silent]\n{ROW}", ""), "silent"),
        (lambda text: text.replace('first = "due"', 'first = "bad"', 1), "past_cutoff.first"),
        (lambda text: text.replace('first = "due"', 'first = "forgotten"', 1), "past_cutoff.worst"),
        (lambda text: text.replace('"something"', '""', 1), "past_cutoff.clears"),
        (lambda text: text.replace('clears = "something"\n', "", 1), "past_cutoff"),
    ],
)
def test_a_wrong_table_is_refused_naming_file_and_key(tmp_path: Path, edit: Any, key: str) -> None:
    file = tmp_path / "reasons.toml"
    file.write_text(edit("".join(f"[{name}]\n{ROW}" for name in REASONS)))

    with pytest.raises(PolicyError) as refused:
        read_reasons(file)

    assert ("reasons.toml", key) == (refused.value.file, refused.value.key)


milliseconds = st.integers(0, 3 * DAY)
maybe = st.none() | milliseconds
policies = st.builds(
    lambda cutoff, zone, remind, grace, more, age, count, amount, silent: replace(
        POLICY,
        cutoff=cutoff,
        time_zone=ZoneInfo(zone),
        remind_before_ms=remind,
        grace_ms=grace,
        forgotten_after_ms=grace + more,
        max_age_ms=age,
        max_transactions=count,
        max_amount_minor=amount,
        silent_after_ms=silent,
    ),
    st.times().map(lambda cutoff: cutoff.replace(microsecond=0)),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Pacific/Apia"]),
    milliseconds,
    milliseconds,
    milliseconds,
    maybe,
    st.none() | st.integers(1, 5),
    st.none() | st.integers(1, 5),
    maybe,
)
facts_of_any_batch = st.builds(
    lambda state, money, first, active, seen, count, amount, lost, upload, disputed: BatchFacts(
        state=state,
        has_money=money,
        first_money_at_ms=None if first is None else MORNING + first,
        opened_at_ms=MORNING,
        last_activity_at_ms=MORNING + active,
        last_seen_at_ms=MORNING + seen,
        transactions=count,
        debit_amount_minor=amount,
        undelivered_since_ms=None if lost is None else MORNING + lost,
        upload_since_ms=None if upload is None else MORNING + upload,
        disputed=disputed,
    ),
    st.sampled_from(["open", "settling", "uploading", "settled"]),
    st.sampled_from([True, True, True, False]),
    maybe,
    milliseconds,
    milliseconds,
    st.integers(0, 9),
    st.integers(0, 9),
    maybe,
    maybe,
    st.booleans(),
)


@given(facts_of_any_batch, policies, milliseconds, st.lists(st.floats(0, 1), max_size=20))
def test_a_flag_changes_exactly_when_it_was_said_to(
    facts: BatchFacts, policy: Any, start: int, places: list[float]
) -> None:
    now_ms = MORNING + start
    for _ in range(40):
        flag = evaluate(facts, policy, now_ms)
        change_ms = next_change_ms(facts, policy, now_ms)
        end_ms = now_ms + 400 * DAY if change_ms is None else change_ms - 1
        between = [now_ms + round(place * (end_ms - now_ms)) for place in places]
        assert all(flag == evaluate(facts, policy, instant) for instant in [*between, end_ms])
        if change_ms is None:
            return
        assert now_ms < change_ms
        assert flag != evaluate(facts, policy, change_ms)
        now_ms = change_ms
    pytest.fail("a flag that never comes to rest")


@given(facts_of_any_batch, policies, st.lists(st.integers(0, 30 * DAY), min_size=2, max_size=30))
def test_a_severity_never_falls_while_nothing_happens(facts: BatchFacts, policy: Any, times: list[int]) -> None:
    flags = [evaluate(facts, policy, MORNING + since) for since in sorted(times)]
    ranks = [-1 if flag is None else SEVERITIES.index(flag.severity) for flag in flags]

    assert all(earlier <= later for earlier, later in pairwise(ranks))


@given(facts_of_any_batch, policies, milliseconds)
def test_a_flag_never_began_in_the_future(facts: BatchFacts, policy: Any, start: int) -> None:
    flag = evaluate(facts, policy, MORNING + start)

    assert flag is None or (flag.since_ms <= MORNING + start and flag.reasons)


@pytest.mark.parametrize(
    ("when", "expected"),
    [("never", ()), ("overdue", ("overdue", "forgotten")), ("forgotten", ("forgotten",))],
)
def test_sales_are_blocked_from_a_severity_on(when: str, expected: tuple[str, ...]) -> None:
    assert expected == blocking_severities(when)
