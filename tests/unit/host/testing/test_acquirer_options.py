"""The options of the marker pos_acquirer: every one that is wrong is told by its name."""

from __future__ import annotations

from typing import Any

import pytest

from pos_host.testing.acquirer_options import OptionError, read_options


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"dialect": 5}, "dialect: must be the name of a dialect"),
        ({"dialect": [5]}, "dialect: must be the name of a dialect"),
        ({"dialect": []}, "dialect: must be the name of a dialect"),
        ({"dialect": "nonsense"}, "dialect: nonsense: no such dialect"),
        ({"enrol": {}}, "enrol: is {}, must be one of"),
        ({"mac": None}, "mac: is None, must be one of"),
        ({"policy": 5}, "policy: must be the path of a policy file"),
        ({"policy": {"x": 1}}, "policy: x: is not known here"),
        ({"rules": 5}, "rules: must be a rule file"),
        ({"keys": 5}, "keys: must be the path"),
        ({"http": "no"}, "http: must be True or False"),
        ({"clock": 5}, "clock: 5 is not an ISO 8601 time"),
        ({"clock": "2026-03-02T12:00:00"}, "clock: the time needs an offset"),
        ({"clock": "0001-01-01T00:00:00+08:00"}, "clock: must be a time after 1970"),
        ({"clock": "9999-12-31T23:59:59-10:00"}, "clock: must be a time after 1970 and before 9000"),
        ({"scope": "session"}, "scope: is not the marker's"),
        ({"colour": 1}, "colour: is not known here"),
    ],
)
def test_an_option_that_is_wrong_is_told_by_its_name(given: dict[str, Any], told: str) -> None:
    with pytest.raises(OptionError) as refused:
        read_options(given)
    assert str(refused.value).startswith(told)


def test_a_dialect_that_is_named_twice_is_spoken_once() -> None:
    assert ("unionpay", "hypercom") == read_options({"dialect": ["unionpay", "hypercom", "unionpay"]}).dialects
