"""Scenarios are honest: against a host with a defect the one that speaks of it fails, and says what was otherwise."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from tests.scenarios.stage import Stage, shipped

from pos_terminal.scenarios.models import HostNeeds

PATIENCE_S = 0.2
"""A defect does not go away: checks need not wait for that."""


class Defect(NamedTuple):
    """What is wrong with the host (a rule for everybody), and what the scenario must say about it."""

    scenario: str
    row: str
    rule: dict[str, Any]
    says: str


DEFECTS = {
    "declines_good_cards": Defect(
        "normal/purchase",
        "hypercom",
        {"when": {"function": "purchase"}, "reply": {"response_code": "05"}},
        "outcome approved (00) was expected, 05",
    ),
    "gives_no_approval_code": Defect(
        "normal/purchase",
        "unionpay",
        {"when": {"function": "purchase"}, "reply": {"omit": ["38"]}},
        "DE38 (approval code) of the answer was to match ., it is absent",
    ),
    "gives_no_balance": Defect(
        "normal/balance",
        "iso87-ascii",
        {"when": {"function": "balance"}, "reply": {"omit": ["54"]}},
        "DE54",
    ),
    "answers_a_repeat_with_another_rrn": Defect(
        "repeats/same_sale_again",
        "hypercom",
        {"when": {"function": "purchase", "nth": 2}, "reply": {"set": {"37": "999999999999"}}},
        "of the answer was to be",
    ),
    "swallows_the_second_of_two_frames": Defect(
        "wire/two_in_one_segment",
        "unionpay",
        {"when": {"function": "purchase", "nth": 2}, "fault": {"kind": "no_reply"}},
        "a second answer was expected, none came",
    ),
    "is_never_satisfied_with_totals": Defect(
        "settlement/balanced",
        "unionpay",
        {"when": {"function": "settlement"}, "reply": {"force_upload": True}},
        "the batch was to be balanced",
    ),
    "refuses_reversals": Defect(
        "lost_answers/answer_lost",
        "hypercom",
        {"when": {"function": "reversal"}, "reply": {"response_code": "12"}},
        "messages expected: reversal, purchase; sent: reversal",
    ),
    "hangs_up_on_sales": Defect(
        "wire/pieces",
        "iso87-ascii",
        {"when": {"function": "purchase"}, "fault": {"kind": "drop_before_commit"}},
        "the host hung up",
    ),
    "approves_on_the_wire_what_it_has_declined": Defect(
        "codes/test_cards",
        "unionpay, unionpay-lost-card",
        {"when": {"function": "purchase", "amount": "10.00", "nth": 2}, "reply": {"set": {"39": "00"}}},
        "outcome lost_card (41) was expected, 00 Approved came",
    ),
    "declines_in_its_books_what_it_approves": Defect(
        "normal/cash_advance",
        "hypercom",
        {"when": {"function": "cash_advance"}, "reply": {"response_code": "51", "set": {"39": "00"}}},
        "debit was to be 1 for 200.00, it is 0 for 0.00",
    ),
    "has_lost_its_network_functions": Defect(
        "normal/network",
        "unionpay",
        {"when": {"function": "echo"}, "reply": {"response_code": "96"}},
        "response code 00 was expected, 96",
    ),
    "voids_what_never_was": Defect(
        "codes/original_not_found",
        "unionpay",
        {"when": {"function": "purchase_void"}, "reply": {"set": {"39": "00"}}},
        "outcome original_not_found (25) was expected, 00",
    ),
    "gives_chips_no_answer": Defect(
        "normal/chip_purchase",
        "unionpay",
        {"when": {"function": "purchase"}, "reply": {"omit": ["55"]}},
        "DE55",
    ),
    "cuts_its_answers_short": Defect(
        "wire/pieces",
        "unionpay",
        {"when": {"function": "purchase"}, "fault": {"kind": "truncate"}},
        "no answer",
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_host_with_a_defect_fails_the_scenario_that_speaks_of_it(stage: Stage, name: str) -> None:
    defect = DEFECTS[name]
    scenario = shipped(defect.scenario, defect.row)
    stage.ask("POST", "/rules", {"id": "defect", **defect.rule})
    try:
        outcome = stage.live(scenario, patience_s=PATIENCE_S)
    finally:
        stage.ask("DELETE", "/rules/defect")

    assert "failed" == outcome.verdict
    assert outcome.failure is not None
    assert defect.says in str(outcome.failure)
    assert outcome.failure.line is not None


def test_a_host_that_checks_no_macs_fails_the_scenario_of_the_bad_mac(stage: Stage) -> None:
    outcome = stage.live(shipped("security/bad_mac", "hypercom"), stage.host(HostNeeds(mac="off")), PATIENCE_S)

    assert outcome.failure is not None
    assert "outcome mac_wrong (96) was expected, 00" in str(outcome.failure)


def test_a_host_that_serves_strangers_fails_the_scenario_of_the_unknown_terminal(stage: Stage) -> None:
    outcome = stage.live(shipped("security/unknown_terminal", "hypercom"), stage.host(), PATIENCE_S)

    assert outcome.failure is not None
    assert "outcome unknown_terminal (89), unknown_merchant (03) was expected, 00" in str(outcome.failure)


def test_the_scenario_passes_again_once_the_defect_is_gone(stage: Stage) -> None:
    assert "passed" == stage.live(shipped("normal/purchase", "hypercom")).verdict
