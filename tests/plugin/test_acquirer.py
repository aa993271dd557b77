"""What the fixtures offer, used as any project uses them: the plugin is installed here too."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.patience import HANGING_S

from pos_host.expectations.wanted import WantedError
from pos_host.logs import Logger
from pos_host.testing.acquirer import Acquirer

Events = Callable[..., list[dict[str, Any]]]

TESTS_AT_ONCE = 20
MOST_TURNS = 25
"""That a host may take, with a terminal that signs in and sells: ten times what it takes, in turns of work beside it,
which others on the machine hold up as they hold up the host."""


def test_a_terminal_trades_and_settles(pos_acquirer: Acquirer, pos_terminals: Any, pos_events: Events) -> None:
    terminal = pos_terminals("T0000001")

    assert terminal.sign_in().approved
    sale = terminal.purchase("12.34", pin="123456")
    assert ("00", "000002") == (sale.code, sale.stan)
    assert "55" == terminal.purchase("1.00", pin="000000").code
    assert terminal.auth("10.00").approved
    assert terminal.completion("9.00").approved
    assert terminal.purchase_void(sale.stan).approved
    assert "balanced" == terminal.settle().outcome

    assert "000002" == terminal.batch_number
    assert [] == pos_acquirer.verify()
    assert ["batch.settled"] == [event["type"] for event in pos_events("batch.settled")]


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom", "iso87-ascii", "iso93-ascii", "base24-pos"])
def test_every_dialect_is_spoken(request: pytest.FixtureRequest, dialect: str) -> None:
    request.node.add_marker(pytest.mark.pos_acquirer(dialect=dialect))
    terminals = request.getfixturevalue("pos_terminals")

    assert terminals("T0000001").purchase("12.34").approved


def test_received_gives_messages_by_what_they_are(pos_acquirer: Acquirer, pos_terminals: Any) -> None:
    one, two = pos_terminals("T0000001"), pos_terminals("T0000002")
    one.purchase("1.00", card="visa")
    two.purchase("2.00")
    two.echo()

    assert ["purchase", "purchase", "echo"] == [message.function for message in pos_acquirer.received()]
    assert ["T0000002"] == [message.terminal_id for message in pos_acquirer.received(amount="2.00")]
    assert ["000000000100"] == [message.fields[4] for message in pos_acquirer.received(card="411111******1111")]
    assert 2 == len(pos_acquirer.received(response_code="00", fields={"25": "*", "55": None}))
    assert [] == pos_acquirer.received(function="purchase", stan="77")

    pos_acquirer.forget_received()
    assert [] == pos_acquirer.received()


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ({"colour": "red"}, "colour: is not known here; there are function,"),
        ({"function": "sale"}, "function: must be one of sign_in,"),
        ({"amount": "12,34"}, "amount: '12,34' is no amount"),
        ({"amount_minor": "12"}, "amount_minor: must be a whole number"),
        ({"currency": "XYZ"}, "currency: 'XYZ' is no currency"),
        ({"fields": {"x": "1"}}, "fields: 'x' is neither an element's number"),
        ({"fields": {"129": "1"}}, "fields: '129' is neither"),
        ({"fields": {"4": 12}}, "fields.4: must be a text"),
    ],
)
def test_a_condition_that_says_nothing_is_refused(
    pos_acquirer: Acquirer, conditions: dict[str, Any], said: str
) -> None:
    with pytest.raises(WantedError, match=said.replace("(", r"\(")):
        pos_acquirer.expect(**conditions)


def test_an_expectation_counts_what_came_before_and_after_it(pos_acquirer: Acquirer, pos_terminals: Any) -> None:
    terminal = pos_terminals("T0000001")
    terminal.purchase("1.00")
    expected = pos_acquirer.expect(function="purchase").times(2)
    assert not expected.is_met
    terminal.purchase("1.00")

    assert expected.is_met
    pos_acquirer.expect(function="purchase").at_least(2)
    pos_acquirer.expect(function="purchase").at_most(2)
    pos_acquirer.expect(function="reversal").never()


def test_a_rule_acts_and_is_told_with_what_was_received(pos_acquirer: Acquirer, pos_terminals: Any) -> None:
    id_ = pos_acquirer.rules.add(when={"function": "purchase"}, reply={"response_code": "51"}, times=1)
    terminal = pos_terminals("T0000001")

    assert ["51", "00"] == [terminal.purchase("1.00").code, terminal.purchase("1.00").code]

    assert 1 == len(pos_acquirer.rules.hits(id_))
    assert [(id_,), ()] == [message.rules for message in pos_acquirer.received(function="purchase")]
    pos_acquirer.rules.clear()


def test_a_lost_answer_is_reversed_after_a_power_cut(pos_acquirer: Acquirer, pos_terminals: Any) -> None:
    terminal = pos_terminals("T0000001")
    terminal.sign_in()
    terminal.timeout_s = 0.02  # for an answer that never comes
    terminal.lose_answers()
    lost = terminal.purchase("12.34")
    assert not lost.answered
    assert terminal.owes_reversal

    terminal.power_cut()
    terminal.timeout_s = 2.0

    assert ["reversal", "purchase"] == terminal.purchase("1.00").functions
    assert {"count": 1, "amount_minor": 100} == pos_acquirer.terminal("T0000001")["batch"]["debit"]


@pytest.mark.pos_acquirer(clock="2026-05-01T22:00:00+08:00", policy={"cutoff": "22:30", "forgotten_after": "PT2H"})
def test_the_clock_is_moved_for_host_and_terminals(pos_acquirer: Acquirer, pos_terminals: Any) -> None:
    terminal = pos_terminals("T0000001")
    terminal.purchase("1.00")
    pos_acquirer.clock.advance(timedelta(hours=1))
    assert ["due"] == [item["unsettled"]["severity"] for item in pos_acquirer.unsettled()]
    pos_acquirer.clock.advance("PT2H")
    assert ["forgotten"] == [item["unsettled"]["severity"] for item in pos_acquirer.unsettled()]

    assert "2026-05-02T01:00:00" == pos_acquirer.clock.local.isoformat()
    terminal.settle()
    assert [] == pos_acquirer.unsettled()


@pytest.mark.pos_acquirer(rules=[{"id": "kept", "when": {"function": "echo"}, "reply": {"response_code": "91"}}])
class TestOneAcquirerForAll:
    """Both tests do the same, so that the second fails where the first one left something behind."""

    ports: set[int] = set()  # noqa: RUF012 - what the tests share is what they are about

    @pytest.mark.parametrize("time_", [1, 2])
    def test_each_test_finds_it_clean(
        self, pos_acquirer_session: Acquirer, pos_terminals: Any, pos_events: Events, time_: int
    ) -> None:
        acquirer = pos_acquirer_session
        self.ports.add(acquirer.port)
        assert ([], [], []) == (acquirer.received(), acquirer.terminals(), pos_events())
        acquirer.expect(function="purchase").once()
        added = acquirer.rules.add(id="added", when={"function": "purchase"}, fault={"kind": "no_reply"})
        terminal = pos_terminals("T0000001")
        assert terminal.echo().code == "91"
        terminal.timeout_s = 0.02  # for an answer that never comes
        terminal.purchase("1.00")
        acquirer.clock.advance("P3D")

        assert 1 == len(acquirer.rules.hits(added))
        assert 1 == len(acquirer.unsettled())
        assert 1 == len(self.ports)


def test_a_reset_closes_connections_and_keeps_the_address(pos_acquirer: Acquirer, pos_terminals: Any) -> None:
    terminal = pos_terminals("T0000001")
    terminal.purchase("1.00")

    pos_acquirer.reset()

    assert [] == pos_acquirer.terminals()
    assert terminal.purchase("2.00").approved
    assert 1 == len(pos_acquirer.received())


async def test_calls_work_inside_a_running_loop(pos_acquirer: Acquirer, pos_terminals: Any) -> None:
    assert pos_terminals("T0000001").purchase("1.00").approved

    sales = await asyncio.gather(*[asyncio.to_thread(pos_terminals(f"T{no}").purchase, "2.00") for no in range(4)])

    assert [True] * 4 == [sale.approved for sale in sales]
    assert 5 == len(pos_acquirer.received(function="purchase"))


@pytest.mark.pos_acquirer(http=True)
def test_the_api_of_the_acquirer_can_be_asked(pos_acquirer: Acquirer, pos_terminals: Any) -> None:
    pos_terminals("T0000001").purchase("1.00")
    asked = urllib.request.Request(f"{pos_acquirer.http}/api/v1/terminals")
    asked.add_header("Authorization", f"Bearer {pos_acquirer.token}")

    with urllib.request.urlopen(asked, timeout=HANGING_S) as answer:
        items = json.load(answer)["items"]

    assert ["T0000001"] == [item["terminal_id"] for item in items]


def test_a_host_and_its_terminal_cost_milliseconds(pos_loop: Any) -> None:
    """Without the first, which loads what all need."""
    from pos_host.testing.acquirer_options import read_options
    from pos_terminal.testing.terminal_factory import TerminalFactory

    def one_test() -> None:
        acquirer = Acquirer(pos_loop, read_options({}))
        terminals = TerminalFactory(acquirer.run, acquirer.addresses, lambda: acquirer.clock.local)
        assert terminals("T0000001").purchase("1.00").approved
        terminals.close()
        acquirer.close()

    async def compute() -> int:
        return sum(range(10_000))

    one_test()
    tests_s = beside_s = 0.0
    for _ in range(TESTS_AT_ONCE):
        began = time.perf_counter()
        for _ in range(10):
            pos_loop.run(compute())
        between = time.perf_counter()
        one_test()
        beside_s += between - began
        tests_s += time.perf_counter() - between

    assert tests_s < MOST_TURNS * beside_s


def test_the_host_logs_where_pytest_shows_it_and_masked(
    pos_acquirer: Acquirer, pos_terminals: Any, caplog: pytest.LogCaptureFixture
) -> None:
    pos_terminals("T0000001").purchase("1.00")
    with caplog.at_level("INFO", "pos_host"):
        pos_acquirer.clock.advance("P2D")
        pos_acquirer.call(lambda: Logger("pos_host.test").warning("spoken", card="6212345678901234569", number=3))

    lines = [record.getMessage() for record in caplog.records]
    assert any(line.startswith("terminal_unsettled terminal_id=T0000001") for line in lines)
    assert "spoken card=621234*********4569 number=3" in lines
