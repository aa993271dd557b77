"""Requests built from the function table."""

import pytest

from pos_specs.dialect import Condition, FunctionRule
from pos_specs.language import open_language
from pos_terminal.requests import NoSuchFunction, RequestImpossible, build_request, rule_of


def test_an_element_the_terminal_does_not_know_is_named() -> None:
    language = open_language("unionpay")
    rule = FunctionRule("purchase", ("0200",), Condition(), (4, 52), (), (), ())

    with pytest.raises(RequestImpossible, match="purchase in dialect unionpay demands element 52"):
        build_request(language, rule, {"4": "000000000001"}, {})


def test_of_alternatives_one_must_be_known() -> None:
    language = open_language("unionpay")
    rule = FunctionRule("purchase", ("0200",), Condition(), (4,), ((2, 35),), (), ())

    with pytest.raises(RequestImpossible, match="element 2 or 35"):
        build_request(language, rule, {"4": "000000000001"}, {})
    assert {4, 35} == build_request(language, rule, {"4": "000000000001", "35": "1D"}, {}).fields.keys()


def test_a_value_that_does_not_fit_its_element_is_named_and_not_shown() -> None:
    language = open_language("unionpay")
    rule = FunctionRule("purchase", ("0200",), Condition(), (4, 37), (), (), ())

    with pytest.raises(RequestImpossible, match=r"unionpay: element 37: .* expecting 12") as refused:
        build_request(language, rule, {"4": "000000000001", "37": "98765"}, {})
    assert "98765" not in str(refused.value)


def test_an_extra_without_a_value_is_not_sent_and_hides_no_value_that_is_offered() -> None:
    language = open_language("unionpay")
    rule = FunctionRule("purchase", ("0200",), Condition(), (4,), (), (), ())

    message = build_request(language, rule, {"4": "000000000001"}, {"4": "", "14": "", "38": "123456"})

    assert {4: "000000000001", 38: "123456"} == message.fields


def test_a_pattern_that_takes_any_digit_is_sent_as_zero() -> None:
    language = open_language("hypercom")
    rule = rule_of(language.dialect, "refund", {})

    message = build_request(
        language,
        rule,
        {
            "4": "0" * 12,
            "11": "000001",
            "22": "022",
            "24": "003",
            "25": "00",
            "35": "1D",
            "41": "T0000001",
            "42": "M" * 15,
        },
        {},
    )

    assert "200000" == message.fields[3]


def test_a_rule_is_found_by_what_it_must_admit() -> None:
    dialect = open_language("unionpay").dialect

    assert "batch_upload" == rule_of(dialect, "batch_upload", {"60.network_code": "205"}).name
    with pytest.raises(NoSuchFunction):
        rule_of(dialect, "batch_upload", {"60.network_code": "999"})
