"""The terminal's states and the one table of its transitions.

What a terminal rests in follows from its memory alone, so that it is the same after an answer and after a
power cut: the target RESTING of the table stands for that.
"""

from __future__ import annotations

from enum import Enum

from pos_terminal.memory import Memory


class State(Enum):
    """What the terminal is doing. The first four are those it rests in, between commands."""

    IDLE = "idle"
    REVERSAL_PENDING = "reversal_pending"
    SETTLEMENT_PENDING = "settlement_pending"
    UPLOAD_PENDING = "upload_pending"
    RESTING = "resting"
    MANAGING = "managing"
    WAITING_ANSWER = "waiting_answer"
    INQUIRING = "inquiring"
    REVERSING = "reversing"
    FORWARDING = "forwarding"
    SETTLING = "settling"
    UPLOADING = "uploading"
    ENDING = "ending"


class Event(Enum):
    """What happens to a terminal: it sends something, or it learns something."""

    BEGIN_MANAGEMENT = "begin_management"
    BEGIN_TRANSACTION = "begin_transaction"
    BEGIN_INQUIRY = "begin_inquiry"
    BEGIN_REVERSAL = "begin_reversal"
    BEGIN_FORWARDING = "begin_forwarding"
    BEGIN_SETTLEMENT = "begin_settlement"
    BEGIN_UPLOAD = "begin_upload"
    BEGIN_ENDING = "begin_ending"
    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BALANCED = "balanced"
    SEND_BATCH = "send_batch"
    RECORD_TAKEN = "record_taken"
    ALL_TAKEN = "all_taken"
    CLOSED = "closed"
    REFUSED = "refused"


class NotNow(Exception):
    """The terminal cannot do this in its present state."""


TABLE: dict[State, dict[Event, State]] = {
    # nothing is open: everything may begin
    State.IDLE: {
        Event.BEGIN_MANAGEMENT: State.MANAGING,
        Event.BEGIN_TRANSACTION: State.WAITING_ANSWER,
        Event.BEGIN_INQUIRY: State.INQUIRING,
        Event.BEGIN_FORWARDING: State.FORWARDING,
        Event.BEGIN_SETTLEMENT: State.SETTLING,
    },
    # an answer never came: nothing online before its reversal, except signing in, testing the line and script notices
    State.REVERSAL_PENDING: {
        Event.BEGIN_MANAGEMENT: State.MANAGING,
        Event.BEGIN_FORWARDING: State.FORWARDING,
        Event.BEGIN_REVERSAL: State.REVERSING,
    },
    # the 0500 was not answered: no trading until the host has said what became of it
    State.SETTLEMENT_PENDING: {
        Event.BEGIN_MANAGEMENT: State.MANAGING,
        Event.BEGIN_SETTLEMENT: State.SETTLING,
    },
    # the upload was cut off: it goes on where it was
    State.UPLOAD_PENDING: {
        Event.BEGIN_MANAGEMENT: State.MANAGING,
        Event.BEGIN_UPLOAD: State.UPLOADING,
        Event.BEGIN_ENDING: State.ENDING,
    },
    # a sign-in, sign-off, echo, status or call for parameters is out
    State.MANAGING: {
        Event.ANSWERED: State.RESTING,
        Event.NO_ANSWER: State.RESTING,
    },
    # a sale, void, refund or pre-authorisation is out; its reversal is already in the memory
    State.WAITING_ANSWER: {
        Event.ANSWERED: State.RESTING,
        Event.NO_ANSWER: State.RESTING,
    },
    # a balance or a signature is out, which nobody need undo
    State.INQUIRING: {
        Event.ANSWERED: State.RESTING,
        Event.NO_ANSWER: State.RESTING,
    },
    # a stored advice or script notice is out
    State.FORWARDING: {
        Event.ANSWERED: State.RESTING,
        Event.NO_ANSWER: State.RESTING,
    },
    # a reversal (or the repeat of what cannot be reversed) is out
    State.REVERSING: {
        Event.ANSWERED: State.RESTING,
        Event.NO_ANSWER: State.RESTING,
    },
    # the 0500 is out
    State.SETTLING: {
        Event.BALANCED: State.ENDING,
        Event.SEND_BATCH: State.UPLOADING,
        Event.ALL_TAKEN: State.ENDING,
        Event.CLOSED: State.RESTING,
        Event.REFUSED: State.RESTING,
        Event.NO_ANSWER: State.RESTING,
    },
    # a 0320 with records is out
    State.UPLOADING: {
        Event.RECORD_TAKEN: State.UPLOADING,
        Event.ALL_TAKEN: State.ENDING,
        Event.REFUSED: State.RESTING,
        Event.NO_ANSWER: State.RESTING,
    },
    # the message that ends the upload is out
    State.ENDING: {
        Event.CLOSED: State.RESTING,
        Event.REFUSED: State.RESTING,
        Event.NO_ANSWER: State.RESTING,
    },
}

RESTING_STATES = frozenset({State.IDLE, State.REVERSAL_PENDING, State.SETTLEMENT_PENDING, State.UPLOAD_PENDING})


def resting_state(memory: Memory) -> State:
    """The state a terminal with this memory rests in."""
    if memory.settlement is not None:
        return State.SETTLEMENT_PENDING if memory.settlement.stage == "sent" else State.UPLOAD_PENDING
    return State.REVERSAL_PENDING if memory.unfinished is not None else State.IDLE


def next_state(state: State, event: Event, memory: Memory) -> State:
    """Where `event` leads from `state`; raises NotNow where the table has no way."""
    target = TABLE[state].get(event)
    if target is None:
        raise NotNow(f"{event.value} is impossible in state {state.value}")
    return resting_state(memory) if target is State.RESTING else target
