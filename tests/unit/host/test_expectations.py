"""Expectations by themselves: what fits, what is counted, and how the nearest misses are told."""

from __future__ import annotations

from typing import Any

import pytest

from pos_host.exchanges import Exchanges
from pos_host.expectations.expectation import (
    EXPECTATIONS_MOST,
    NEAREST_KEPT,
    Count,
    Expectations,
    count_of,
    expected_of,
)
from pos_host.expectations.views import expectation_view, verdict
from pos_host.expectations.wanted import WantedError, differences, wanted_of
from pos_host.expectations.wording import explanation
from pos_host.testing.expecting import Expecting
from pos_specs.framing import Frame
from pos_specs.language import open_language
from pos_specs.message import Message

UNIONPAY = open_language("unionpay")
PAN, OTHER_PAN = "6212345678901234569", "6212349999999994569"
ICC = "9F2608C2C12B098F3DA6E3" + "5A0A6212345678901234569F"
FIELDS = {2: PAN, 3: "000000", 4: "000000001235", 11: "000007", 25: "00", 41: "T0000001", 52: "1122334455667788"}


def receive(
    exchanges: Exchanges, fields: dict[int, str] | None = None, function: str = "purchase", **facts: Any
) -> None:
    """An exchange without an answer; `facts` are its other columns."""
    message = Message("0200", FIELDS if fields is None else fields)
    known = {"merchant_id": "898000000000001", "terminal_id": "T0000001", "outcome": "approved", "reason": "", **facts}
    frame = Frame(b"", b"", b"")
    exchanges.add(0, "peer", UNIONPAY, frame, message, b"", function=function, **known)


@pytest.fixture
def exchanges() -> Exchanges:
    return Exchanges()


def differing(exchanges: Exchanges, *, clear: bool = True, **conditions: Any) -> list[str]:
    return [str(one) for one in differences(exchanges.kept[-1], wanted_of(conditions), clear=clear)]


def test_what_fits_has_no_differences(exchanges: Exchanges) -> None:
    receive(exchanges, rules=("lost",), fault="no_reply")

    assert [] == differing(exchanges)
    assert [] == differing(
        exchanges,
        function="purchase",
        amount="12.35",
        stan="7",
        card=PAN,
        mti="0200",
        rule="lost",
        fault="no_reply",
        dialect="unionpay",
        fields={"25": "00", "3.transaction_type": "00", "52": "*", "49": None},
    )


def test_every_element_that_differs_is_told(exchanges: Exchanges) -> None:
    receive(exchanges)

    assert [
        "function was purchase instead of refund",
        "DE4 was 000000001235 instead of 000000001234",
        "DE49 absent",
        "DE25 was there, 00, and should not be",
        "DE3.transaction_type was 00 instead of 20",
    ] == differing(
        exchanges,
        function="refund",
        amount_minor=1234,
        currency="CNY",
        fields={"25": None, "3.transaction_type": "20"},
    )


def test_no_difference_shows_a_card_or_a_pin_block(exchanges: Exchanges) -> None:
    receive(exchanges, {**FIELDS, 35: f"{PAN}=49122010000", 55: ICC})

    told = differing(
        exchanges,
        card=OTHER_PAN,
        fields={"2": OTHER_PAN, "35": f"{OTHER_PAN}=4912", "52": "8877665544332211", "55": "5A0A" + OTHER_PAN + "F"},
    )

    assert 5 == len(told)
    assert "card was 621234*********4569, the same only as far as it is shown" in told
    text = " ".join(told)
    for secret in (PAN, OTHER_PAN, FIELDS[52], PAN[:10], "8877665544332211"):
        assert secret not in text, secret


def test_no_repr_and_no_explanation_holds_a_card(exchanges: Exchanges) -> None:
    wanted, count = expected_of({"card": PAN, "terminal_id": OTHER_PAN, "fields": {"2": PAN, "35": f"{PAN}=4912"}})
    made = Expectations(exchanges).add(wanted, count)
    receive(exchanges, terminal_id="T1")

    for text in (repr(wanted), repr(exchanges.kept[-1]), repr(made.nearest), explanation(made)):
        assert PAN not in text
        assert OTHER_PAN not in text
    assert PAN not in str(expectation_view(made, 0.0))
    assert OTHER_PAN not in str(expectation_view(made, 0.0))


@pytest.mark.parametrize("number", ["378282246310005", "4222222222222", "4222-2222-2222-2"])
def test_a_short_card_number_is_told_nowhere_that_is_no_id(exchanges: Exchanges, number: str) -> None:
    fields = {"48": number, "60.batch_number": number, f"60.{number}": "1", "42": "378282246310099"}
    made = Expectations(exchanges).add(*expected_of({"stan": number, "rule": number, "fields": fields}))
    receive(exchanges)
    told = f"{expectation_view(made, 0.0)} {explanation(made)} {made.wanted!r}"
    assert number not in told
    assert "378282246310099" in told


@pytest.mark.parametrize("card", ["6212 3456 7890 1234 569", "6212", "621234*************4569", "x" * 16])
def test_a_card_that_could_be_in_no_message_is_refused(card: str) -> None:
    with pytest.raises(WantedError, match=r"^card: must be a card number without spaces"):
        expected_of({"card": card})


@pytest.mark.parametrize("place", ["9" * 5000, "60.", "1", "129", "²", "x"])
def test_what_is_no_place_of_an_element_is_refused(place: str) -> None:
    with pytest.raises(WantedError, match="is neither an element's number nor a part"):
        expected_of({"fields": {place: "1"}})


@pytest.mark.parametrize("number", [-1, True, "2", 1.0, None])
def test_how_often_something_is_expected_is_a_number(exchanges: Exchanges, number: Any) -> None:
    expected = Expecting(lambda do: do()).expect(Expectations(exchanges), {"function": "purchase"})
    for tell in (expected.times, expected.at_least):
        with pytest.raises(WantedError, match="count: must be a whole number"):
            tell(number)
    assert "expected at least once" in expected.explanation


def test_who_asks_from_outside_compares_what_is_shown(exchanges: Exchanges) -> None:
    receive(exchanges)

    assert [] == differing(exchanges, clear=False, card=PAN, fields={"2": "621234*********4569", "25": "00"})
    assert [] == differing(exchanges, clear=False, card="621234*********4569", fields={"2": OTHER_PAN, "52": "*"})
    assert differing(exchanges, clear=False, fields={"52": FIELDS[52]})  # right, and still not told
    assert differing(exchanges, card=OTHER_PAN)  # in this process the hidden digits count
    assert [] == differing(exchanges, card="621234*********4569")


def test_a_message_that_could_not_be_read_fits_nothing_that_has_elements(exchanges: Exchanges) -> None:
    exchanges.add(0, "peer", UNIONPAY, Frame(b"", b"", b"\x02"), None, b"", "", "", "", "format_error", "too short")

    assert ["message was too short instead of one that can be read"] == differing(exchanges, amount="1.00")
    assert [] == differing(exchanges, outcome="format_error")


def test_it_is_counted_from_the_mark_on_and_as_it_comes(exchanges: Exchanges) -> None:
    receive(exchanges)
    exchanges.forget()
    receive(exchanges)
    expectations = Expectations(exchanges)
    made = expectations.add(*expected_of({"function": "purchase", "count": 2}))
    early = expectations.add(*expected_of({"function": "purchase"}), since=2)

    assert (1, 0) == (made.matched, early.matched)
    receive(exchanges)
    assert (2, 1) == (made.matched, early.matched)
    assert made.is_met
    receive(exchanges)
    assert made.is_exceeded


def test_nothing_is_watched_without_expectations(exchanges: Exchanges) -> None:
    expectations = Expectations(exchanges)
    assert [] == exchanges.watchers
    expectations.add(*expected_of({}))
    expectations.add(*expected_of({}))
    assert 1 == len(exchanges.watchers)
    expectations.clear()
    assert [] == exchanges.watchers


def test_the_nearest_misses_are_kept_and_told(exchanges: Exchanges) -> None:
    made = Expectations(exchanges).add(*expected_of({"function": "purchase", "amount": "12.34", "stan": "9"}))
    receive(exchanges, function="refund")
    for _ in range(NEAREST_KEPT + 1):
        receive(exchanges)
    receive(exchanges, {**FIELDS, 11: "000009"})

    assert NEAREST_KEPT == len(made.nearest)
    assert 6 == made.nearest[0].exchange.number
    assert [
        "expected once: purchase (amount 12.34, stan 9); came 0 times",
        "  5 purchase came and did not match; nearest:",
        "    #6 purchase of T0000001, STAN 000009, approved: DE4 was 000000001235 instead of 000000001234",
    ] == explanation(made).splitlines()[:3]


def test_without_one_of_the_function_it_is_told_what_came(exchanges: Exchanges) -> None:
    made = Expectations(exchanges).add(*expected_of({"function": "reversal"}))
    receive(exchanges)
    receive(exchanges, function="sign_in")

    assert "  received: 1 purchase, 1 sign_in" == explanation(made).splitlines()[1]


def test_a_verdict_waits_for_what_may_still_come(exchanges: Exchanges) -> None:
    expectations = Expectations(exchanges)
    once, never = (expectations.add(*expected_of({"count": count})) for count in (1, 0))
    once.until_s = never.until_s = 10.0

    assert ("pending", "pending") == (verdict(once, 9.0), verdict(never, 9.0))
    assert ("missed", "met") == (verdict(once, 10.0), verdict(never, 10.0))
    receive(exchanges)
    assert ("met", "missed") == (verdict(once, 9.0), verdict(never, 9.0))
    assert "met" == expectation_view(once, 9.0)["verdict"]


@pytest.mark.parametrize(
    ("document", "count", "words"),
    [
        (None, Count(1, 1), "once"),
        (0, Count(0, 0), "never"),
        (3, Count(3, 3), "3 times"),
        ({"at_least": 2}, Count(2, None), "at least 2 times"),
        ({"at_least": 1}, Count(1, None), "at least once"),
        ({"at_most": 4}, Count(0, 4), "0 to 4 times"),
    ],
)
def test_a_count_is_a_number_or_a_range(document: Any, count: Count, words: str) -> None:
    assert count == count_of(document)
    assert words == count.in_words()


@pytest.mark.parametrize("document", [-1, True, "2", {}, {"at_least": 2, "at_most": 1}, {"exactly": 1}])
def test_another_count_is_refused(document: Any) -> None:
    with pytest.raises(WantedError, match=r"^count: "):
        count_of(document)


def test_one_expectation_too_many_is_refused(exchanges: Exchanges) -> None:
    expectations = Expectations(exchanges)
    for _ in range(EXPECTATIONS_MOST):
        expectations.add(*expected_of({"function": "echo"}))

    with pytest.raises(WantedError, match="reset the host between tests"):
        expectations.add(*expected_of({"function": "echo"}))
