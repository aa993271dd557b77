"""A payout's states and the one table of its transitions."""

from __future__ import annotations

from enum import Enum


class PayoutState(Enum):
    """Where a payout stands."""

    PENDING = "pending"
    HELD = "held"
    RELEASED = "released"
    MADE = "made"
    RETURNED = "returned"


class PayoutEvent(Enum):
    """What is done to a payout."""

    MAKE = "make"
    HOLD = "hold"
    RELEASE = "release"
    GIVE_BACK = "give_back"


class PayoutNotNow(Exception):
    """A payout in this state cannot take that step; `possible` are the ones it can."""

    def __init__(self, state: PayoutState, event: PayoutEvent, possible: tuple[PayoutEvent, ...]) -> None:
        steps = " or ".join(step.value for step in possible) or "nothing"
        super().__init__(f"{event.value} is impossible for a payout that is {state.value}; possible is {steps}")
        self.state = state
        self.event = event
        self.possible = possible


TABLE: dict[PayoutState, dict[PayoutEvent, PayoutState]] = {
    # worked out from a settled batch, waits for its day
    PayoutState.PENDING: {
        PayoutEvent.MAKE: PayoutState.MADE,
        PayoutEvent.HOLD: PayoutState.HELD,
    },
    # something is wrong with the account, the batch or the terminal
    PayoutState.HELD: {
        PayoutEvent.RELEASE: PayoutState.RELEASED,
        PayoutEvent.GIVE_BACK: PayoutState.RETURNED,
    },
    # free again and waiting to be made; it may be held anew
    PayoutState.RELEASED: {
        PayoutEvent.MAKE: PayoutState.MADE,
        PayoutEvent.HOLD: PayoutState.HELD,
    },
    # on the merchant's account: final
    PayoutState.MADE: {},
    # not paid to this merchant: final
    PayoutState.RETURNED: {},
}


def possible_events(state: PayoutState) -> tuple[PayoutEvent, ...]:
    """What can be done to a payout that stands there."""
    return tuple(TABLE[state])


def next_state(state: PayoutState, event: PayoutEvent) -> PayoutState:
    """Where `event` leads from `state`; raises PayoutNotNow where the table has no way."""
    target = TABLE[state].get(event)
    if target is None:
        raise PayoutNotNow(state, event, possible_events(state))
    return target
