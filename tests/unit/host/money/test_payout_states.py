"""The life of a payout."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_host.ledger.merchant_rows import PAYOUTS_OPEN
from pos_host.merchants.lives import NotNow
from pos_host.money.payout_states import PAYOUT

ACTIONS = sorted({action for ways in PAYOUT.table.values() for action in ways})


def test_every_state_is_reached() -> None:
    assert set(PAYOUT.table) == {PAYOUT.initial, *(to for ways in PAYOUT.table.values() for to in ways.values())}


def test_the_states_kept_in_memory_are_those_that_have_not_ended() -> None:
    assert set(PAYOUTS_OPEN) == {state for state in PAYOUT.table if not PAYOUT.ended(state)}


@pytest.mark.parametrize(
    ("actions", "end"),
    [
        ("make", "made"),
        ("carry_over carry_over make", "made"),
        ("hold release make", "made"),
        ("hold release hold return", "returned"),
        ("hold return", "returned"),
        ("hold hold lift release make", "made"),
    ],
)
def test_a_payout_goes_the_ways_of_the_table(actions: str, end: str) -> None:
    state = PAYOUT.initial
    for action in actions.split():
        state = PAYOUT.after(state, action)

    assert end == state


@given(st.lists(st.sampled_from(ACTIONS), max_size=20))
def test_money_goes_out_once_and_never_while_it_is_held(actions: list[str]) -> None:
    state, made = PAYOUT.initial, 0
    for action in actions:
        held = state == "held"
        try:
            state = PAYOUT.after(state, action)
        except NotNow:
            continue
        made += state == "made"
        assert not (held and state == "made")

    assert made <= 1
