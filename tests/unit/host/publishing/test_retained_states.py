import json
from collections import defaultdict
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.host.publishing.host_in_memory import StateBoardInMemory

from pos_host.publishing.ports import Message
from pos_host.publishing.retained_states import REST_S, RetainedStates
from pos_host.publishing.topics import Topics

BATCH, FLAG = "p/terminals/M1/T1/batch", "p/terminals/M1/T1/unsettled"


def states_of(board: StateBoardInMemory) -> RetainedStates:
    return RetainedStates(board, Topics("p"))


def test_a_change_is_told_at_once() -> None:
    board = StateBoardInMemory()
    board.set_batch("M1", "T1", number="000001")

    assert [Message(BATCH, b'{"number":"000001"}', retain=True)] == states_of(board).take(0.0, 100)


def test_the_next_change_waits_until_the_terminal_is_rested_and_only_the_last_state_is_told() -> None:
    board = StateBoardInMemory()
    states = states_of(board)
    board.set_batch("M1", "T1", count=1)
    states.take(0.0, 100)
    board.set_batch("M1", "T1", count=2)
    assert [] == states.take(0.1, 100)
    board.set_batch("M1", "T1", count=3)
    assert [] == states.take(0.2, 100)

    assert REST_S == states.next_s(0.2)
    assert [b'{"count":3}'] == [message.payload for message in states.take(REST_S, 100)]
    assert None is states.next_s(REST_S)


def test_what_did_not_change_is_not_told_again() -> None:
    board = StateBoardInMemory()
    states = states_of(board)
    board.set_batch("M1", "T1", number="000001")
    states.take(0.0, 100)
    board.set_flag("M1", "T1", {"severity": "due"})

    assert [FLAG] == [message.topic for message in states.take(1.0, 100)]


def test_a_flag_that_is_gone_clears_its_topic_once() -> None:
    board = StateBoardInMemory()
    states = states_of(board)
    board.set_flag("M1", "T1", {"severity": "due"})
    states.take(0.0, 100)
    board.set_flag("M1", "T1", None)
    assert [Message(FLAG, b"", retain=True)] == states.take(1.0, 100)
    board.set_flag("M1", "T1", None)

    assert [] == states.take(2.0, 100)


def test_a_restart_tells_everything_and_clears_what_may_be_left_from_long_ago() -> None:
    board = StateBoardInMemory()
    states = states_of(board)
    board.set_batch("M1", "T1", number="000001")
    states.take(0.0, 100)
    states.restart()

    assert [(BATCH, b'{"number":"000001"}'), (FLAG, b"")] == [message[:2] for message in states.take(0.0, 100)]
    assert [] == states.take(1.0, 100)


def test_a_large_fleet_is_told_window_by_window() -> None:
    board = StateBoardInMemory()
    for number in range(50):
        board.set_batch("M1", f"T{number}", number="000001")
    states = states_of(board)
    states.restart()
    windows = []
    while states.next_s(0.0) == 0.0:
        windows.append(len(states.take(0.0, 20)))

    assert [20] * 5 == windows


def test_a_fleet_in_which_nothing_changed_does_not_hold_the_loop() -> None:
    board = StateBoardInMemory()
    for number in range(50):
        board.set_batch("M1", f"T{number}", number="000001")
    states = states_of(board)
    states.take(0.0, 1000)
    board.changed = set(board.batches)

    assert [] == states.take(1.0, 20)
    assert 1.0 == states.next_s(1.0)


steps = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 200)), max_size=60)


@given(steps)
def test_every_topic_rests_and_ends_with_the_terminals_last_state(trace: list[tuple[int, int, int]]) -> None:
    board = StateBoardInMemory()
    states = states_of(board)
    now_ms = 0
    told: dict[str, list[tuple[int, bytes]]] = defaultdict(list)

    def take() -> None:
        for message in states.take(now_ms / 1000, 4):
            told[message.topic].append((now_ms, message.payload))

    for terminal, value, wait_ms in trace:
        board.set_batch("M1", f"T{terminal}", value=value)
        board.set_flag("M1", f"T{terminal}", {"value": value} if value else None)
        take()
        now_ms += wait_ms
    for _ in range(20):
        now_ms += 250
        take()

    for topic, messages in told.items():
        assert all(later - earlier >= 250 for (earlier, _), (later, _) in pairwise(messages)), topic
    for terminal in {terminal for terminal, _, _ in trace}:
        value = [value for changed, value, _ in trace if changed == terminal][-1]
        assert {"value": value} == json.loads(told[f"p/terminals/M1/T{terminal}/batch"][-1][1])
        flags = [payload for _, payload in told[f"p/terminals/M1/T{terminal}/unsettled"]]
        assert (json.dumps({"value": value}, separators=(",", ":")).encode() if value else b"") == (
            flags[-1] if flags else b""
        )
