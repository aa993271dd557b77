"""Does our own terminal do the right thing when the host declines, keeps silent or breaks off?"""

import pytest
from my_terminal import CARD, MyTerminal

pytestmark = pytest.mark.pos_acquirer(dialect="iso87-ascii")


@pytest.fixture
def terminal(pos_acquirer):
    return MyTerminal(pos_acquirer.host, pos_acquirer.port, "SHOP0001", timeout_s=1.0)


def test_a_sale_is_approved_and_shown(terminal, pos_acquirer):
    pos_acquirer.expect(function="purchase", amount="12.34", currency="CNY", card=CARD).once()

    assert terminal.sell(1234) == "00"

    assert terminal.display == "APPROVED"
    assert pos_acquirer.verify() == []


def test_a_decline_is_shown_with_its_code(terminal, pos_acquirer):
    pos_acquirer.rules.add(when={"function": "purchase", "amount": "51.00"}, reply={"response_code": "51"})

    assert terminal.sell(5100) == "51"

    assert terminal.display == "DECLINED 51"


@pytest.mark.pos_acquirer(rules="magic-amounts")
def test_cents_pick_the_code_under_the_shipped_rules(terminal):
    assert [terminal.sell(amount_minor) for amount_minor in (1000, 1005, 1091)] == ["00", "05", "91"]


@pytest.mark.parametrize("kind", ["no_reply", "drop_after_commit", "reset", "truncate"])
def test_a_sale_without_an_answer_is_reversed_before_the_next_one(terminal, pos_acquirer, kind):
    pos_acquirer.rules.add(id="lost", when={"function": "purchase"}, fault={"kind": kind}, times=1)
    pos_acquirer.expect_in_order("purchase", {"function": "reversal", "amount_minor": 1234}, "purchase")

    assert terminal.sell(1234) is None
    assert terminal.sell(500) == "00"

    assert pos_acquirer.received(rule="lost")[0].fault == kind
    assert pos_acquirer.terminal("SHOP0001")["batch"]["debit"] == {"count": 1, "amount_minor": 500}


def test_nothing_is_sold_while_the_reversal_gets_no_answer(terminal, pos_acquirer):
    pos_acquirer.rules.add(when={"function": "purchase"}, fault={"kind": "no_reply"}, times=1)
    pos_acquirer.rules.add(when={"function": "reversal"}, fault={"kind": "no_reply"}, times=2)
    pos_acquirer.expect(function="purchase", amount_minor=1234).once()
    pos_acquirer.expect(function="reversal").times(3)
    pos_acquirer.expect(function="purchase", amount_minor=500).once()

    assert [terminal.sell(1234), terminal.sell(500), terminal.sell(500), terminal.sell(500)] == [None, None, None, "00"]
