"""What people see of the host's answers: amounts as they write them, everything else as it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pos_host.verbs.listing import cell, show_one

SIDE = {"count": 3, "amount_minor": 2434}


@pytest.mark.parametrize(
    ("item", "path", "shown"),
    [
        ({"currency": "156", "net_minor": 123456}, "net_minor", "1,234.56"),
        ({"currency": "JPY", "net_minor": 123456}, "net_minor", "123,456"),
        ({"currency": "414", "net_minor": -5}, "net_minor", "-0.005"),
        ({"currency": "156", "net_minor": None}, "net_minor", ""),
        ({"currency": "156", "debit": SIDE}, "debit", "3 for 24.34"),
        ({"batch": {"currency": "156", "debit": SIDE}}, "batch.debit", "3 for 24.34"),
        ({"batch": {"debit": SIDE}, "currency": "156"}, "batch.debit", "3 for 24.34"),
        ({"currency": "392", "totals": {"currency": "156", "paid_minor": 1}}, "totals", "currency=CNY, paid=0.01"),
        ({"currency": "156", "sales": [{"net_minor": 1}, {"net_minor": 2}]}, "sales", "net=0.01, net=0.02"),
        ({"net_minor": 500}, "net_minor", "500"),
        ({"values": {"min_amount_minor": 500}}, "values", "min_amount_minor=500"),
        ({"currency": "999999", "net_minor": 500}, "net_minor", "500"),
        ({"currency": "999999", "paid": {"net_minor": 500}}, "paid", "net_minor=500"),
        ({"currency": "999999"}, "currency", "999999"),
        ({"currency": "156"}, "currency", "CNY"),
        ({"currency": None, "net_minor": 500}, "net_minor", "500"),
        ({"currency": "156", "held_minor": True}, "held_minor", "yes"),
        ({"unsettled": None}, "unsettled.severity", ""),
    ],
)
def test_an_amount_is_shown_in_the_nearest_currency_and_as_it_is_without_one(
    item: dict[str, Any], path: str, shown: str
) -> None:
    assert shown == cell(item, path)


def test_one_thing_names_its_amounts_without_their_unit_where_they_are_in_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_one({"currency": "156", "fee_minor": 2500, "reason": None}, as_json=False)
    show_one({"fee_minor": 2500}, as_json=False)

    assert "currency  CNY\nfee       25.00\nfee minor  2500\n" == capsys.readouterr().out


def test_a_program_gets_minor_units(capsys: pytest.CaptureFixture[str]) -> None:
    item = {"currency": "156", "fee_minor": 2500, "debit": SIDE}
    show_one(item, as_json=True)

    assert item == json.loads(capsys.readouterr().out)


def test_what_stands_within_a_field_is_shown_further_in(capsys: pytest.CaptureFixture[str]) -> None:
    within = {"number": "****0004", "holder": None, "limits": {"currency": "156", "most_minor": 100}}
    history = [{"action": "apply", "by": "li.wei", "why": ""}, {"action": "approve", "by": "wang"}]
    show_one({"state": "approved", "account": within, "history": history, "notes": {}}, as_json=False)

    assert capsys.readouterr().out == (
        "state    approved\n"
        "account\n"
        "  number  ****0004\n"
        "  limits\n"
        "    currency  CNY\n"
        "    most      1.00\n"
        "history\n"
        "  - action=apply, by=li.wei\n"
        "  - action=approve, by=wang\n"
    )
