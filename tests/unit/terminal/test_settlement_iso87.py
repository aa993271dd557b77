"""Reconciliation in ISO 8583:1987: one message, and the host closes the batch either way."""

import pytest
from tests.unit.terminal.scripted_host import ScriptedHost, a_terminal, carry_out

from pos_specs.totals import Side, parse_iso87
from pos_terminal.applications import application_for
from pos_terminal.applications.application import NoSuchTotals
from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import Purchase, Refund, Reverse, Settle, Void
from pos_terminal.states import State
from pos_terminal.terminal import Terminal

CUP = TEST_CARDS["unionpay"]


def traded() -> tuple[Terminal, ScriptedHost]:
    """Three sales (one voided, one reversed) and two refunds (one reversed)."""
    terminal, host = a_terminal("iso87-ascii"), ScriptedHost("iso87-ascii")
    for amount_minor in (1000, 2000, 4000):
        carry_out(terminal, host, Purchase(CUP, amount_minor, "156"))
    carry_out(terminal, host, Void("000001"))
    for amount_minor in (500, 300):
        carry_out(terminal, host, Refund(CUP, amount_minor, "156"))
    carry_out(terminal, host, Reverse("000003"))
    carry_out(terminal, host, Reverse("000006"))
    host.requests.clear()
    return terminal, host


def test_voids_and_known_reversals_stand_apart() -> None:
    terminal, host = traded()

    carry_out(terminal, host, Settle())

    sent = host.requests[0]
    assert {
        "credits": Side(2, 800),
        "credits_reversal": Side(1, 300),
        "debits": Side(3, 7000),
        "debits_reversal": Side(2, 5000),
    } == parse_iso87(sent)
    assert "D" + f"{7000 - 5000 - 800 + 300:016d}" == sent.fields[97]


def test_a_purchase_whose_answer_never_came_counts_nowhere() -> None:
    terminal, host = a_terminal("iso87-ascii"), ScriptedHost("iso87-ascii")
    host.will("purchase", None)
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    carry_out(terminal, host, Settle())

    assert {Side(0, 0)} == set(parse_iso87(host.of("settlement")[0]).values())


@pytest.mark.parametrize(("code", "result"), [("1", "balanced"), ("2", "out_of_balance")])
def test_element_66_closes_the_batch_either_way(code: str, result: str) -> None:
    terminal, host = traded()
    host.will("settlement", {66: code})

    closed = carry_out(terminal, host, Settle()).closed

    assert closed is not None
    assert (result, Side(1, 2000), Side(1, 500)) == (closed.result, *closed.books)
    assert [] == terminal.memory.log


@pytest.mark.parametrize("changes", [{66: "3"}, {39: "96"}, {66: None}])
def test_anything_else_keeps_the_batch(changes: dict[int, str | None]) -> None:
    terminal, host = traded()
    host.will("settlement", changes)

    assert carry_out(terminal, host, Settle()).closed is None
    assert (6, State.IDLE) == (len(terminal.memory.log), terminal.state)


def test_messages_name_no_batch() -> None:
    terminal, host = a_terminal("iso87-ascii"), ScriptedHost("iso87-ascii")
    terminal.begin(Purchase(CUP, 1, "156"))
    request = terminal.next_request()
    assert request is not None
    answer = host.answer(request)
    assert answer is not None
    exchange = terminal.receive(answer)

    assert exchange is not None
    assert exchange.batch_number is None


def test_the_totals_have_one_form_only() -> None:
    with pytest.raises(NoSuchTotals):
        application_for(ScriptedHost("iso87-ascii").language, 30)


def test_declared_totals_stand_in_for_a_log_that_is_not_there() -> None:
    terminal, host = a_terminal("iso87-ascii"), ScriptedHost("iso87-ascii")

    carry_out(terminal, host, Settle(declared=(Side(3, 900), Side(1, 100))))

    totals = parse_iso87(host.requests[0])
    assert (Side(3, 900), Side(1, 100)) == (totals["debits"], totals["credits"])
