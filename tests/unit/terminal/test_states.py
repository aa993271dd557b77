"""The table of transitions: all of it is walked, and nothing beside it."""

import pytest
from tests.unit.terminal.scripted_host import Changes, ScriptedHost, a_terminal, carry_out, with_codes

from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import Command, Inquire, Manage, Purchase, Reverse, SellOffline, Settle
from pos_terminal.memory import Memory
from pos_terminal.states import RESTING_STATES, TABLE, Event, NotNow, State, next_state
from pos_terminal.transaction import CHIP

CUP = TEST_CARDS["unionpay"]
BUY = Purchase(CUP, 1000, "156")
CHIP_SALE = Purchase(CUP, 1000, "156", CHIP)
OFFLINE = SellOffline(CUP, 1000, "156", approval_code="123456")
SCRIPT = "72109F180400000001860784240000021122"
DISPUTED: Changes = {48: with_codes("0" * 62, "2", "2")}
IN, ECHO = Manage("sign_in"), Manage("echo")

Script = tuple[list[Command], dict[str, list[Changes]]]

CONVERSATIONS: dict[str, Script] = {
    "a quiet day": ([IN, BUY, Settle()], {}),
    "an upload in several messages": ([*[BUY] * 9, Settle()], {"settlement": [DISPUTED]}),
    "nothing to upload": ([Settle()], {"settlement": [DISPUTED]}),
    "a lost sign-in": ([IN], {"sign_in": [None]}),
    "a lost purchase": ([BUY, ECHO, Reverse()], {"purchase": [None], "reversal": [None]}),
    "a reversal after all": ([BUY, Reverse()], {"purchase": [None]}),
    "a lost settlement": ([Settle(), ECHO, Settle()], {"settlement": [None]}),
    "a refused settlement": ([Settle()], {"settlement": [{48: with_codes("0" * 62, "3", "3")}]}),
    "a lost record": (
        [BUY, Settle(), ECHO, Settle()],
        {"settlement": [DISPUTED], "batch_upload": [None]},
    ),
    "a refused record": ([BUY, Settle(), Settle()], {"settlement": [DISPUTED], "batch_upload": [{39: "96"}]}),
    "a lost end": ([Settle(), Settle()], {"batch_upload_end": [None]}),
    "a balance": ([Inquire(CUP, "156")], {}),
    "a lost balance": ([Inquire(CUP, "156")], {"balance": [None]}),
    "an offline sale": ([OFFLINE], {}),
    "a lost offline sale": ([OFFLINE, Settle()], {"offline_purchase": [None]}),
    "a script before a reversal": (
        [CHIP_SALE, Reverse("000001"), Reverse()],
        {"purchase": [{55: SCRIPT}], "script_result": [None]},
    ),
    "a refused end": ([Settle(), Settle()], {"batch_upload_end": [{39: "96"}]}),
}


def walk(dialect: str, script: Script) -> set[tuple[State, Event]]:
    """The transitions of one conversation."""
    walked: set[tuple[State, Event]] = set()
    terminal = a_terminal(dialect, watch=lambda state, event, to: walked.add((state, event)))
    host = ScriptedHost(dialect)
    commands, answers = script
    for function, changes in answers.items():
        host.will(function, *changes)
    for command in commands:
        carry_out(terminal, host, command)
        assert terminal.state in RESTING_STATES
    return walked


def test_every_transition_of_the_table_is_walked() -> None:
    walked = set().union(*(walk("unionpay", script) for script in CONVERSATIONS.values()))
    walked |= walk("hypercom", ([BUY, Settle()], {}))

    assert {(state, event) for state, row in TABLE.items() for event in row} == walked


def test_what_the_table_does_not_have_is_refused() -> None:
    memory = Memory("unionpay", "T0000001", "898000000000001")

    with pytest.raises(NotNow, match="begin_transaction is impossible in state uploading"):
        next_state(State.UPLOADING, Event.BEGIN_TRANSACTION, memory)


def test_every_state_but_the_placeholder_has_a_row() -> None:
    assert set(State) - {State.RESTING} == TABLE.keys()
    assert all(state is not State.RESTING for state in RESTING_STATES)


def test_an_answer_without_a_request_is_refused() -> None:
    with pytest.raises(NotNow, match="waits for no answer"):
        a_terminal("unionpay").no_answer()
