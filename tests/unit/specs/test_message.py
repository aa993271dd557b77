"""A message by itself."""

import pytest

from pos_specs.message import Message, is_request, reply_mti, request_mti


@pytest.mark.parametrize(
    ("request_", "answer"),
    [("0200", "0210"), ("0201", "0210"), ("0220", "0230"), ("0401", "0410"), ("0421", "0430"), ("0800", "0810")],
)
def test_the_answer_is_ten_more_also_to_a_repeat(request_: str, answer: str) -> None:
    assert answer == reply_mti(request_)


def test_an_answer_leads_back_to_its_request() -> None:
    assert ("0200", "0220") == (request_mti("0210"), request_mti("0230"))


@pytest.mark.parametrize(("mti", "expected"), [("0200", True), ("0421", True), ("0210", False), ("02x0", False)])
def test_an_even_third_digit_is_a_request(mti: str, expected: bool) -> None:
    assert expected == is_request(mti)


def test_messages_are_equal_by_content() -> None:
    assert Message("0200", {2: "1"}) == Message("0200", {2: "1"}, {})
    assert Message("0200", {2: "1"}) != Message("0200", {2: "1"}, {2: "F"})
    assert Message("0200", {2: "1"}) != "0200"


def test_a_repr_shows_no_values() -> None:
    assert "Message(0200, elements=[2, 4])" == repr(Message("0200", {4: "1", 2: "6222020000000000"}))
