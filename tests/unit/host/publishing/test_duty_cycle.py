from hypothesis import given
from hypothesis import strategies as st

from pos_host.publishing.duty_cycle import LONGEST_REST_S, DutyCycle


def test_there_is_no_rest_while_nobody_is_busy() -> None:
    assert 0.0 == DutyCycle().rest_s(20, 0.010, busy=False)


def test_under_load_rest_is_nine_times_the_work() -> None:
    assert 0.09 == round(DutyCycle().rest_s(20, 0.010, busy=True), 9)


def test_nothing_sent_needs_no_rest() -> None:
    assert 0.0 == DutyCycle().rest_s(0, 0.010, busy=True)


def test_a_window_in_which_the_loop_did_other_work_counts_as_the_cheapest_of_late() -> None:
    duty = DutyCycle()
    duty.rest_s(20, 0.010, busy=False)

    assert 0.0901 > duty.rest_s(20, 0.050, busy=True)


def test_a_machine_that_became_slower_is_noticed_in_time() -> None:
    duty = DutyCycle()
    rests = [duty.rest_s(20, 0.010, busy=True), *(duty.rest_s(20, 0.020, busy=True) for _ in range(700))]

    assert 0.18 == round(rests[-1], 6)


@given(st.lists(st.tuples(st.integers(0, 100), st.floats(0, 10)), max_size=20))
def test_a_rest_never_ends_later_than_the_longest(windows: list[tuple[int, float]]) -> None:
    duty = DutyCycle()

    assert all(0 <= duty.rest_s(messages, cpu_s, busy=True) <= LONGEST_REST_S for messages, cpu_s in windows)
