"""When rules act: everything that `when` can ask of a request and of the terminal's history."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.host.pipeline.host_in_process import START_MS, HostInProcess
from tests.unit.host.pipeline.terminals import VISA_CARD, UnionPayTerminal

from pos_host.rules.rulebook import Rulebook

ICC = "9F2608A1B2C3D4E5F60708950500000000009F360200019A03260302"


async def acted(rules: Rulebook, terminal: UnionPayTerminal, when: dict[str, Any], **sale: Any) -> bool:
    """Whether a rule with this condition acts on a purchase of 51.00."""
    id_ = rules.add({"when": when, "reply": {"response_code": "05"}})
    code = (await terminal.purchase(5100, **sale)).code
    rules.remove(id_)
    return code == "05"


@pytest.mark.parametrize(
    "when",
    [
        {},
        {"function": "purchase"},
        {"function": ["auth", "purchase"]},
        {"dialect": "unionpay"},
        {"dialect": ["hypercom", "unionpay"], "terminal_id": "T0000001", "merchant_id": ["898310000000001"]},
        {"amount": "51.00"},
        {"amount": "51"},
        {"amount": 51},
        {"amount": 51.0},
        {"amount": {"from": "51.00", "to": "51.00"}},
        {"amount": {"from": 50}},
        {"amount": {"to": "51.00"}},
        {"currency": "CNY"},
        {"currency": ["USD", "156"]},
        {"pan": "622848"},
        {"pan": ["4", "622848*******134"]},
        {"entry_mode": "05"},
        {"field": {"60": "^22", "61": None}},
        {"tag": {"9F26": "^A1B2", "9f36": "0001$", "9F10": None}},
        {"mti": "02x0"},
        {"between": ["20:00", "20:00:01"]},
        {"between": ["19:00", "02:00"]},
        {"probability": 1},
        {"every": 1},
    ],
    ids=str,
)
async def test_a_condition_that_is_true_lets_the_rule_act(
    rules: Rulebook, unionpay: UnionPayTerminal, when: dict[str, Any]
) -> None:
    ends = unionpay.purchase_message(1).fields[2]
    when = {**when, "pan": ["4", f"622848*******{ends[-3:]}"]} if isinstance(when.get("pan"), list) else when
    assert await acted(rules, unionpay, when, f22="051", f55=ICC)


@pytest.mark.parametrize(
    "when",
    [
        {"function": "auth"},
        {"dialect": "hypercom"},
        {"terminal_id": "T0000002"},
        {"merchant_id": "898310000000002"},
        {"amount": "51.01"},
        {"amount": {"from": "51.01"}},
        {"amount": {"to": "50.99"}},
        {"currency": "USD"},
        {"pan": "622849"},
        {"pan": "622848********9999"},
        {"entry_mode": "07"},
        {"field": {"60": "^23"}},
        {"field": {"60": None}},
        {"field": {"61": "."}},
        {"tag": {"9F26": "^B2"}},
        {"tag": {"9F10": "."}},
        {"tag": {"9F26": None}},
        {"mti": "01x0"},
        {"between": ["20:00:01", "23:00"]},
        {"between": ["21:00", "20:00"]},
        {"after": "purchase"},
        {"nth": 2},
        {"every": 2},
    ],
    ids=str,
)
async def test_a_condition_that_is_false_keeps_the_rule_still(
    rules: Rulebook, unionpay: UnionPayTerminal, when: dict[str, Any]
) -> None:
    assert not await acted(rules, unionpay, when, f22="051", f55=ICC)


async def test_a_card_that_was_only_read_from_its_track_is_known(rules: Rulebook, unionpay: UnionPayTerminal) -> None:
    assert await acted(rules, unionpay, {"pan": VISA_CARD[:6]}, f2=None, f35=f"{VISA_CARD}D30121010000000000000")


@pytest.mark.parametrize(("amount", "true"), [("51", True), ("5100", False), ({"from": "50.5", "to": "51.9"}, True),
                                              ({"from": "51.1", "to": "51.9"}, False)], ids=str)  # fmt: skip
async def test_amounts_are_in_the_currency_of_the_request(
    rules: Rulebook, unionpay: UnionPayTerminal, amount: Any, true: bool
) -> None:
    rules.add({"when": {"amount": amount}, "reply": {"response_code": "05"}})
    assert ("05" if true else "00") == (await unionpay.purchase(51, f49="392")).code  # yen, which have no minor unit


async def codes(terminal: UnionPayTerminal, count: int) -> str:
    return " ".join([(await terminal.purchase(1000)).code or "" for _ in range(count)])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"when": {"nth": 3}}, "00 00 05 00 00 00"),
        ({"when": {"nth": [1, 4]}}, "05 00 00 05 00 00"),
        ({"when": {"every": 3}}, "00 00 05 00 00 05"),
        ({"times": 2}, "05 05 00 00 00 00"),
        ({"when": {"every": 2}, "times": 1}, "00 05 00 00 00 00"),
        ({"enabled": False}, "00 00 00 00 00 00"),
    ],
    ids=str,
)
async def test_rules_count_the_requests_that_match(
    rules: Rulebook, unionpay: UnionPayTerminal, rule: dict[str, Any], expected: str
) -> None:
    rules.add({**rule, "reply": {"response_code": "05"}})
    assert expected == await codes(unionpay, 6)


async def test_each_terminal_is_counted_by_itself_and_a_repeat_counts_too(
    host: HostInProcess, rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.add({"when": {"nth": 2}, "reply": {"response_code": "05"}})
    other = UnionPayTerminal(host, "T0000002")
    first = await unionpay.purchase(1000)
    assert "00" == (await other.purchase(1000)).code
    assert "05" == (await unionpay.again(first)).code


async def test_only_requests_for_which_all_else_is_true_are_counted(
    rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.add({"when": {"amount": "20.00", "nth": 2}, "reply": {"response_code": "05"}})
    amounts = (2000, 1000, 2000, 2000)
    assert ["00", "00", "05", "00"] == [(await unionpay.purchase(amount)).code for amount in amounts]


async def test_after_means_the_request_just_before(rules: Rulebook, unionpay: UnionPayTerminal) -> None:
    rules.add({"when": {"function": "purchase", "after": ["auth", "sign_in"]}, "reply": {"response_code": "05"}})
    before = await codes(unionpay, 1)
    await unionpay.auth(1000)
    assert ("00", "05 00") == (before, await codes(unionpay, 2))


async def test_chance_is_drawn_by_the_seed_and_falls_the_same_again(
    rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rule = {"id": "now-and-then", "when": {"probability": 0.5}, "reply": {"response_code": "05"}}
    drawn = []
    for seed in (1, 1, 2):
        rules.seed = seed
        rules.replace([rule])
        drawn.append(await codes(unionpay, 20))
    assert drawn[0] == drawn[1] != drawn[2]
    assert 4 < drawn[0].count("05") < 16


async def test_the_first_rule_with_a_reply_and_the_first_with_a_fault_act(
    rules: Rulebook, unionpay: UnionPayTerminal
) -> None:
    rules.replace(
        [
            {"id": "code", "reply": {"response_code": "05"}},
            {"id": "fault", "fault": "wrong_stan"},
            {"id": "both", "reply": {"response_code": "51"}, "fault": "duplicate_reply", "times": 1},
        ]
    )
    sale = await unionpay.purchase(1000)
    assert ("05", True) == (sale.code, sale.answer.fields[11] != sale.stan)
    assert [1, 1, 0] == [view["acted"] for view in rules.views()]


async def test_hits_say_when_who_and_what(rules: Rulebook, unionpay: UnionPayTerminal) -> None:
    rules.add({"id": "stan", "reply": {"response_code": "05"}, "fault": "wrong_stan"})
    sale = await unionpay.purchase(1000)
    assert [(START_MS, "898310000000001", "T0000001", sale.stan, "purchase", True, "wrong_stan")] == rules.hits("stan")
    rules.start_over()
    assert [] == rules.hits("stan")


async def test_an_echo_of_no_terminal_is_ruled_too(host: HostInProcess, rules: Rulebook) -> None:
    line = host.connect("iso87-ascii")
    rules.add({"when": {"function": "echo"}, "reply": {"response_code": "91"}})
    assert "91" == (await line.ask("0800", {7: "0302120000", 11: "000001", 70: "301"})).fields[39]


def test_without_an_enabled_rule_the_line_asks_nobody(host: HostInProcess, rules: Rulebook) -> None:
    asked = []
    id_ = rules.add({"fault": "no_reply"})
    for change in (rules.disable, rules.enable, rules.remove):
        asked.append(host.pipeline.rulebook is rules)
        change(id_)
    assert ([True, False, True], None) == (asked, host.pipeline.rulebook)


async def test_enabling_a_rule_that_is_used_up_lets_it_begin_anew(rules: Rulebook, unionpay: UnionPayTerminal) -> None:
    id_ = rules.add({"reply": {"response_code": "05"}, "times": 1})
    before = await codes(unionpay, 2)
    rules.enable(id_)
    assert ("05 00", "05 00") == (before, await codes(unionpay, 2))
