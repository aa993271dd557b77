"""Rules and MACs: what a rule changes is covered by the MAC, and only bad_mac spoils it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.unit.host.pipeline.terminals import UnionPayTerminal
from tests.unit.host.security.test_keys_and_macs import guarded, is_signed, sell, signed_in


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ({"reply": {"set": {"44": "by a rule"}}}, lambda fields: fields[44].rstrip() == "by a rule"),
        ({"reply": {"omit": [37]}}, lambda fields: 37 not in fields),
        ({"reply": {"response_code": "Z9"}}, lambda fields: fields[39] == "Z9"),
        ({"fault": "wrong_stan"}, lambda fields: fields[11] == "000003"),
        ({"fault": "missing_field"}, lambda fields: 39 not in fields),
        ({"fault": "wrong_mti"}, lambda fields: True),
    ],
)
async def test_the_mac_is_made_over_what_was_changed(
    rule: dict[str, Any], changed: Callable[[dict[int, str]], bool]
) -> None:
    terminal = UnionPayTerminal(host := guarded("require"))
    key = (await signed_in(terminal)).mac
    host.parts.rulebook.add(rule)
    sold = await sell(terminal, key)
    assert changed(sold.answer.fields)
    assert is_signed(terminal, sold.answer, key)


async def test_a_bad_mac_is_wrong_and_the_rest_of_the_answer_is_as_it_was() -> None:
    terminal = UnionPayTerminal(host := guarded("require"))
    key = (await signed_in(terminal)).mac
    host.parts.rulebook.add({"fault": "bad_mac"})
    sold = await sell(terminal, key)
    assert ("00", False) == (sold.code, is_signed(terminal, sold.answer, key))


async def test_a_mac_that_is_to_be_left_out_is_not_made_again() -> None:
    terminal = UnionPayTerminal(host := guarded("require"))
    key = (await signed_in(terminal)).mac
    host.parts.rulebook.add({"fault": {"kind": "missing_field", "field": 64}})
    with capture_logs() as logs:
        sold = await sell(terminal, key)
    assert 64 not in sold.answer.fields
    assert [] == [line for line in logs if line["event"] == "rule_failed"]
