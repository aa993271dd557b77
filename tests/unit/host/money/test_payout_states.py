"""The table of a payout's transitions."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_host.money.payout_states import TABLE, PayoutEvent, PayoutNotNow, PayoutState, next_state, possible_events

PAGE = (Path(__file__).parents[4] / "docs" / "fees.md").read_text("utf-8")

WAYS = [(state, event, target) for state, row in TABLE.items() for event, target in row.items()]
NO_WAYS = [(state, event) for state in PayoutState for event in PayoutEvent if event not in TABLE[state]]


def test_every_state_has_a_row_and_is_reached() -> None:
    assert set(PayoutState) == set(TABLE)
    assert set(PayoutState) == {PayoutState.PENDING, *(target for *_, target in WAYS)}


@pytest.mark.parametrize(
    ("events", "end"),
    [
        ("make", "made"),
        ("hold release make", "made"),
        ("hold release hold give_back", "returned"),
        ("hold give_back", "returned"),
    ],
)
def test_a_payout_goes_the_ways_of_the_table(events: str, end: str) -> None:
    state = PayoutState.PENDING
    for event in events.split():
        state = next_state(state, PayoutEvent(event))

    assert PayoutState(end) is state


@pytest.mark.parametrize(("state", "event"), NO_WAYS)
def test_what_the_table_does_not_have_is_refused_with_what_is_possible(state: PayoutState, event: PayoutEvent) -> None:
    with pytest.raises(PayoutNotNow) as raised:
        next_state(state, event)

    possible = " or ".join(step.value for step in possible_events(state)) or "nothing"
    assert tuple(TABLE[state]) == raised.value.possible
    assert f"{event.value} is impossible for a payout that is {state.value}; possible is {possible}" == str(
        raised.value
    )


@given(st.lists(st.sampled_from(PayoutEvent), max_size=20))
def test_money_goes_out_once_and_never_while_it_is_held(events: list[PayoutEvent]) -> None:
    state, made = PayoutState.PENDING, 0
    for event in events:
        held = state is PayoutState.HELD
        try:
            state = next_state(state, event)
        except PayoutNotNow:
            continue
        made += state is PayoutState.MADE
        assert not (held and state is PayoutState.MADE)

    assert made <= 1


def test_the_page_has_the_table() -> None:
    written = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `(\w+)` \|$", PAGE, re.MULTILINE)

    assert [(state.value, event.value, target.value) for state, event, target in WAYS] == written
