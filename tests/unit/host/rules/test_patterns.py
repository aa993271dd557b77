"""Regular expressions of rules: which are taken, and which would hold the host up."""

from __future__ import annotations

import pytest

from pos_host.rules.patterns import PatternError, compiled


@pytest.mark.parametrize(
    "text",
    [
        "(A+)+B",
        "(?:A*)*",
        "(A+){2,}",
        "((A+))+",
        "(A{1,}|B)*?C",
        "(?P<name>[0-9]+ ?)+$",
        r"\\(A+)+",
        "([]A]+)+",
        "((?>A+)B*)+",
        "(A{0,99}){99}",
        "(x(y(A+)z)w)+",
    ],
)
def test_a_repetition_of_a_repetition_is_refused(text: str) -> None:
    with pytest.raises(PatternError, match=r"^repeats a repetition"):
        compiled(text)


@pytest.mark.parametrize(
    "text",
    [
        "^22",
        ".*A.*B",
        "(A++)+B",
        "(?>A+)+B",
        "(?:[0-9]{2})+",
        "(A?B)*",
        r"\(A+\)+",
        "[(A+)]+",
        "[](+*]+",
        "(A{1,9}){1,9}",
        "(A+)(B+)",
        "(A+)?",
        "x{,}",
        "",
    ],
)
def test_others_are_taken(text: str) -> None:
    assert text == compiled(text).pattern


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("(", "is no regular expression: missing"),
        ("a{99999999999}", "it repeats more often than can be counted"),
        ("(" * 499 + ")" * 499, "its groups are nested too deep"),
    ],
)
def test_what_is_none_is_told_without_the_expression(text: str, told: str) -> None:
    with pytest.raises(PatternError, match=told):
        compiled(text)
