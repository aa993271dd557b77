"""Living scenarios, against a host that says what the test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any

import pytest
from tests.unit.terminal.scenarios.stories import scenario
from tests.unit.terminal.scripted_host import ScriptedHost
from tests.unit.terminal.tcp_host import TcpHost, serving

from pos_terminal.addresses import Address
from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import Command
from pos_terminal.scenarios.live_terminal import LiveTerminal, Performed, Plan
from pos_terminal.scenarios.loading import Scenario
from pos_terminal.scenarios.results import Outcome
from pos_terminal.scenarios.running import Settings, live
from pos_terminal.scenarios.targets import RunClock, Target

VISA = TEST_CARDS["visa"].pan


@pytest.fixture
def tcp() -> Iterator[TcpHost]:
    with serving(ScriptedHost("unionpay")) as served:
        yield served


def lived(tcp: TcpHost, story: Scenario) -> Outcome:
    target = Target({"unionpay": Address("127.0.0.1", tcp.port)})
    outcome = asyncio.run(live(story, target, Settings(RunClock(datetime.now), Random(7), 2.0)))
    tcp.hear_all()
    return outcome


def passed(tcp: TcpHost, steps: str, more: str = "") -> None:
    outcome = lived(tcp, scenario(steps, more))
    assert "passed" == outcome.verdict, outcome.failure


def differences(tcp: TcpHost, steps: str, more: str = "") -> tuple[str, ...]:
    outcome = lived(tcp, scenario(steps, more))
    assert outcome.failure is not None
    return outcome.failure.differences


def sent(tcp: TcpHost) -> list[dict[int, str]]:
    return [request.fields for request in tcp.host.requests]


def test_a_purchase_without_expectations_is_to_be_approved(tcp: TcpHost) -> None:
    passed(tcp, "- purchase: {amount: '12.34', card: visa}")

    assert "000000001234" == sent(tcp)[0][4]


def test_a_decline_is_told_with_its_text_and_line(tcp: TcpHost) -> None:
    tcp.host.will("purchase", {39: "51"})
    outcome = lived(tcp, scenario("- echo:\n- purchase: {amount: '1.00'}\n  note: the first sale"))

    assert "story.yaml:5: purchase (the first sale): an approval was expected, 51 Not enough funds came" == str(
        outcome.failure
    )
    assert 1 == outcome.steps_done


def test_every_difference_of_a_step_is_told(tcp: TcpHost) -> None:
    found = differences(
        tcp, "- purchase: {amount: '1.00'}\n  expect: {response_code: '51', fields: {'38': null, '4': '000000000999'}}"
    )

    assert 3 == len(found)
    assert "response code 51 was expected, 00 Approved came" == found[0]
    assert found[1].startswith("DE38 (approval code) of the answer was to be absent, it is ")
    assert "DE4 (amount) of the answer was to be 000000000999, it is 000000000100" == found[2]


def test_a_card_number_is_masked_in_what_is_told(tcp: TcpHost) -> None:
    found = differences(
        tcp, f"- purchase: {{amount: '1.00', card: visa}}\n  expect: {{request: {{'2': '{VISA[:-1]}0', '35': null}}}}"
    )

    assert VISA not in " ".join(found)
    assert VISA[:-1] not in " ".join(found)


def test_elements_are_altered_and_left_out(tcp: TcpHost) -> None:
    passed(
        tcp,
        "- purchase: {amount: '1.00'}\n  alter: {set: {'4': '000000000777'}}\n"
        "  expect: {request: {'4': '000000000777'}, fields: {'4': '000000000777'}}",
    )

    assert "000000000777" == sent(tcp)[0][4]


def test_an_element_that_is_no_number_is_told(tcp: TcpHost) -> None:
    assert ("element 'amount': from 2 to 128",) == differences(
        tcp, "- purchase: {amount: '1.00'}\n  alter: {omit: [amount]}"
    )


def test_a_value_that_does_not_fit_its_element_is_told(tcp: TcpHost) -> None:
    [found] = differences(tcp, "- purchase: {amount: '1.00'}\n  alter: {set: {'11': 'XY'}}")

    assert "11" in found


def test_a_lost_answer_is_reversed_before_the_next_sale(tcp: TcpHost) -> None:
    passed(
        tcp,
        "- purchase: {amount: '1.00'}\n  accident: answer_lost\n"
        "- purchase: {amount: '2.00'}\n  expect: {exchanges: [reversal, purchase]}",
    )

    assert ["0200", "0400", "0200"] == [request.mti for request in tcp.host.requests]


@pytest.mark.parametrize("what", ["line_cut_before_sending", "power_cut_before_sending"])
def test_what_is_cut_before_it_is_sent_never_reaches_the_host(tcp: TcpHost, what: str) -> None:
    passed(tcp, f"- purchase: {{amount: '1.00'}}\n  accident: {what}\n- reversal:")

    assert ["0400"] == [request.mti for request in tcp.host.requests]


@pytest.mark.parametrize("what", ["line_cut_after_sending", "power_cut_after_sending"])
def test_what_is_cut_after_it_was_sent_reaches_the_host(tcp: TcpHost, what: str) -> None:
    passed(tcp, f"- purchase: {{amount: '1.00'}}\n  accident: {what}\n- reversal:\n  expect: {{exchanges: [reversal]}}")

    assert {"0200", "0400"} == {request.mti for request in tcp.host.requests}


def test_the_power_may_go_between_two_steps(tcp: TcpHost) -> None:
    passed(tcp, "- purchase: {amount: '1.00'}\n- power_cut:\n- purchase_void:")

    assert ["000001", "000002"] == [fields[11] for fields in sent(tcp)]


def test_a_message_sent_in_pieces_arrives_whole(tcp: TcpHost) -> None:
    passed(tcp, "- purchase: {amount: '1.00'}\n  accident: sent_in_pieces")

    assert 1 == len(tcp.host.requests)


def test_a_message_sent_twice_has_two_answers(tcp: TcpHost) -> None:
    passed(tcp, "- purchase: {amount: '1.00'}\n  accident: sent_twice\n  expect: {second_answer: {'39': '00'}}")

    assert 2 == len(tcp.host.requests)


def test_what_was_saved_is_used_later(tcp: TcpHost) -> None:
    passed(
        tcp,
        "- purchase: {amount: '1.00'}\n  save: {sold: request.11, rrn: response.37}\n"
        "- purchase_void: {stan: '${sold}'}\n  expect: {request: {'37': '${rrn}'}}",
    )


def test_what_cannot_be_saved_is_told(tcp: TcpHost) -> None:
    assert ("save: there is no response.48",) == differences(tcp, "- echo:\n  save: {nothing: response.48}")


def test_the_terminals_own_refusal_can_be_expected(tcp: TcpHost) -> None:
    passed(tcp, "- purchase_void: {stan: 12}\n  expect: {refused_by_terminal: no transaction 000012}")
    assert ("the terminal itself refuses: no transaction 000012 in the terminal's batch",) == differences(
        tcp, "- purchase_void: {stan: 12}"
    )
    assert ("the terminal was to refuse this itself, it did not",) == differences(
        tcp, "- echo:\n  expect: {refused_by_terminal: never}"
    )


def test_a_message_is_put_together_by_hand(tcp: TcpHost) -> None:
    passed(
        tcp,
        "- purchase: {amount: '1.00'}\n- message: {like: last_request, set: {'11': '000777'}}\n"
        "  expect: {response_code: '00', fields: {'11': '000777'}}",
    )

    assert ["000001", "000777"] == [fields[11] for fields in sent(tcp)]


def test_raw_bytes_are_sent_as_they_are(tcp: TcpHost) -> None:
    passed(tcp, "- raw: {hex: '0000'}\n  timeout_s: 0.05\n  expect: {answered: false}")
    assert ("hex: is not hexadecimal",) == differences(tcp, "- raw: {hex: 'XY'}")


def test_two_terminals_act_at_the_same_time(tcp: TcpHost) -> None:
    passed(
        tcp,
        "- together:\n    - [{terminal: here, purchase: {amount: '1.00'}}]\n    - [{terminal: there, echo: {}}]",
        "terminals: {here: {}, there: {}}\n",
    )

    assert 2 == len({fields[41] for fields in sent(tcp)})


def test_a_failure_in_a_branch_fails_the_scenario_at_its_line(tcp: TcpHost) -> None:
    tcp.host.will("echo", {39: "96"})
    outcome = lived(
        tcp,
        scenario(
            "- together:\n    - [{terminal: here, purchase: {amount: '1.00'}}]\n    - [{terminal: there, echo: {}}]",
            "terminals: {here: {}, there: {}}\n",
        ),
    )

    assert outcome.failure is not None
    assert (7, "echo") == (outcome.failure.line, outcome.failure.step)


def test_the_order_of_messages_is_told(tcp: TcpHost) -> None:
    assert ("messages expected: reversal, purchase; sent: purchase",) == differences(
        tcp, "- purchase: {amount: '1.00'}\n  expect: {exchanges: [reversal, purchase], approved: true}"
    )


def test_how_long_it_took_is_told(tcp: TcpHost) -> None:
    tcp.host.answer_delay_s = 0.03
    [found] = differences(tcp, "- echo:\n  expect: {approved: true, within_s: 0.01}")

    assert found.startswith("within 0.01 s was expected, it took ")


def test_a_host_that_is_not_there_is_told() -> None:
    target = Target({"unionpay": Address("127.0.0.1", 1)})
    outcome = asyncio.run(live(scenario("- echo:"), target, Settings(RunClock(datetime.now), Random(7), 1.0)))

    assert outcome.failure is not None
    assert "127.0.0.1:1: " in str(outcome.failure)


def test_the_same_seed_makes_the_same_terminals(tcp: TcpHost) -> None:
    passed(tcp, "- echo:")
    passed(tcp, "- echo:")

    [first, second] = sent(tcp)
    assert (first[41], first[42]) == (second[41], second[42])


def test_terminals_and_merchants_are_as_they_are_named(tcp: TcpHost) -> None:
    passed(tcp, "- echo:", "terminals: {till: {terminal_id: T0000042, merchant_id: '898000000000042', stan: 41}}\n")

    fields: dict[int, Any] = sent(tcp)[0]
    assert ("T0000042", "898000000000042") == (fields[41], fields[42])


def test_a_terminal_that_breaks_fails_its_scenario_without_telling_what_it_held(
    tcp: TcpHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(self: LiveTerminal, command: Command, plan: Plan) -> Performed:
        raise KeyError(VISA)

    monkeypatch.setattr(LiveTerminal, "perform", breaks)

    assert ("the terminal broke: KeyError",) == differences(tcp, "- echo:")
