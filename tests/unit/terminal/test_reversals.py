"""What happens to a transaction whose answer never came."""

import pytest
from tests.unit.terminal.scripted_host import ScriptedHost, a_terminal, after_power_cut, carry_out, exchanges

from pos_terminal.batch_log import NotInLog
from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import Manage, Purchase, Refund, Reverse, Settle, Void
from pos_terminal.states import NotNow, State

DIALECTS = ["unionpay", "hypercom", "iso87-ascii"]
CUP = TEST_CARDS["unionpay"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_lost_answer_is_reversed_before_the_next_transaction(dialect: str) -> None:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)
    host.will("purchase", None)
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))
    assert State.REVERSAL_PENDING == terminal.state

    result = carry_out(terminal, host, Purchase(CUP, 2000, "156"))

    assert ["purchase", "reversal", "purchase"] == host.functions()
    assert ["000001", "000001", "000002"] == [request.fields[11] for request in host.requests]
    assert result.approved
    assert [2000] == [t.amount_minor for t in terminal.memory.log]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_reversal_is_in_the_memory_before_the_request_is_given_out(dialect: str) -> None:
    terminal = a_terminal(dialect)
    terminal.begin(Purchase(CUP, 1000, "156"))

    request = terminal.next_request()

    assert request is not None
    assert terminal.memory.unfinished is not None
    assert request.fields[11] == terminal.memory.unfinished.transaction.stan


def test_the_reason_says_whether_the_power_was_cut_or_the_answer_late() -> None:
    cut, late, host = a_terminal("unionpay"), a_terminal("unionpay"), ScriptedHost("unionpay")
    for terminal in (cut, late):
        terminal.begin(Purchase(CUP, 1000, "156"))
        terminal.next_request()
    late.no_answer()

    carry_out(after_power_cut(cut), host, Reverse())
    carry_out(late, host, Reverse())

    assert ["06", "98"] == [request.fields[39] for request in host.of("reversal")]


def test_a_reversal_that_failed_once_says_so_the_next_time() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("purchase", None)
    host.will("reversal", None)
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    first = carry_out(terminal, host, Reverse())
    second = carry_out(terminal, host, Reverse())

    assert [False, True] == [first.answered, second.answered]
    assert ["98", "06"] == [request.fields[39] for request in host.of("reversal")]


def test_a_unionpay_reversal_lacks_track_pin_and_reference() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("purchase", None)
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))
    carry_out(terminal, host, Reverse())

    sent = host.of("reversal")[0].fields
    assert {26, 35, 36, 37, 52, 53, 61}.isdisjoint(sent)
    assert (CUP.pan, "000000", "00", "2200000100050") == (sent[2], sent[3], sent[25], sent[60])


def test_the_reversal_of_a_unionpay_void_names_the_void() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("purchase_void", None)
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))
    carry_out(terminal, host, Void("000001"))

    carry_out(terminal, host, Reverse())

    sent = host.of("reversal")[0].fields
    assert ("000001000002", "23", "200000") == (sent[61], sent[60][:2], sent[3])
    assert not terminal.memory.log[0].voided


def test_an_iso87_reversal_names_its_transaction_in_element_90() -> None:
    terminal, host = a_terminal("iso87-ascii"), ScriptedHost("iso87-ascii")
    host.will("purchase", None)
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    carry_out(terminal, host, Reverse())

    purchase, reversal = host.requests
    assert "0400" == reversal.mti
    assert f"0200{purchase.fields[11]}{purchase.fields[7]}{'0' * 22}" == reversal.fields[90]


@pytest.mark.parametrize("code", ["00", "12", "25"])
def test_unionpay_reversals_are_finished_by_several_codes(code: str) -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("purchase", None)
    host.will("reversal", {39: code})
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    result = carry_out(terminal, host, Reverse())

    assert result.approved
    assert terminal.memory.unfinished is None


def test_hypercom_reversals_are_finished_by_00_alone_and_block_until_then() -> None:
    terminal, host = a_terminal("hypercom"), ScriptedHost("hypercom")
    host.will("purchase", None)
    host.will("reversal", *[{39: "12"}] * 5)
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    refused = [carry_out(terminal, host, Purchase(CUP, 2000, "156")) for _ in range(5)]
    at_last = carry_out(terminal, host, Purchase(CUP, 2000, "156"))

    assert [(False, "12")] * 5 == [(result.answered, result.code) for result in refused]
    assert at_last.approved


def test_a_unionpay_terminal_gives_up_after_three_refusals() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("purchase", None)
    host.will("reversal", *[{39: "58"}] * 3)
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    results = [carry_out(terminal, host, Purchase(CUP, 2000, "156")) for _ in range(3)]

    assert [False, False, True] == [result.answered for result in results]


def test_a_reversal_is_sent_before_a_settlement() -> None:
    terminal, host = a_terminal("hypercom"), ScriptedHost("hypercom")
    host.will("purchase", None)
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    carry_out(terminal, host, Settle())

    assert ["purchase", "reversal", "settlement"] == host.functions()


def test_signing_in_and_testing_the_line_need_no_reversal_before_them() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    host.will("purchase", None)
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    carry_out(terminal, host, Manage("sign_in"))
    carry_out(terminal, host, Manage("echo"))

    assert ["purchase", "sign_in", "echo"] == host.functions()
    assert State.REVERSAL_PENDING == terminal.state


def test_a_unionpay_refund_is_repeated_instead_of_reversed() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))
    host.will("refund", None, {39: "96"})
    refund = Refund(CUP, 500, "156", terminal.memory.log[0].as_original())
    carry_out(terminal, host, refund)

    failed = carry_out(terminal, host, Reverse())
    again = carry_out(after_power_cut(terminal), host, Reverse())

    assert ["0220", "0221", "0221"] == [request.mti for request in host.of("refund")]
    assert 1 == len({request.fields[11] for request in host.of("refund")})
    assert [False, True] == [failed.approved, again.approved]


def test_a_repeated_refund_that_is_approved_enters_the_log() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))
    host.will("refund", None)
    carry_out(terminal, host, Refund(CUP, 500, "156", terminal.memory.log[0].as_original()))

    carry_out(terminal, host, Purchase(CUP, 2000, "156"))

    assert ["purchase", "refund", "purchase"] == [t.function for t in terminal.memory.log]


def test_a_logged_purchase_can_be_reversed_on_purpose() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    result = carry_out(after_power_cut(terminal), host, Reverse("000001"))

    assert result.approved
    assert "000001" == host.of("reversal")[0].fields[38]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_reversing_a_void_makes_its_purchase_stand_again(dialect: str) -> None:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))
    carry_out(terminal, host, Void("000001"))

    carry_out(terminal, host, Reverse("000002"))

    assert [(False, False), (False, True)] == [(t.voided, t.reversed) for t in terminal.memory.log]


def test_what_cannot_be_reversed_is_said_at_once() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))
    carry_out(terminal, host, Refund(CUP, 500, "156", terminal.memory.log[0].as_original()))

    with pytest.raises(NotNow, match="a refund is not reversed"):
        terminal.begin(Reverse("000002"))
    with pytest.raises(NotInLog):
        terminal.begin(Reverse("000009"))


def test_a_pending_reversal_is_sent_before_another_one_is_asked_for() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))
    host.will("purchase", None)
    carry_out(terminal, host, Purchase(CUP, 2000, "156"))

    with pytest.raises(NotNow, match="another reversal is pending"):
        terminal.begin(Reverse("000001"))


def test_with_nothing_pending_a_reversal_sends_nothing() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")

    assert carry_out(terminal, host, Reverse()).answered
    assert [] == host.requests


def test_an_exchange_names_the_transaction_it_has_undone() -> None:
    terminal, host = a_terminal("hypercom"), ScriptedHost("hypercom")
    host.will("purchase", None)
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    told = list(exchanges(terminal, host, Purchase(CUP, 2000, "156")))

    assert ["000001", None] == [t.undone.stan if t.undone is not None else None for t in told]
