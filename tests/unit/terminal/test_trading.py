"""What a simulated shop does next."""

from random import Random

from tests.unit.terminal.scripted_host import ScriptedHost, a_terminal, carry_out

from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import Purchase, Refund, Void
from pos_terminal.trading import Intent, command_for, draw_intent

CUP = TEST_CARDS["unionpay"]


def test_all_three_kinds_are_drawn() -> None:
    chance = Random(1)

    assert {"purchase", "purchase_void", "refund"} == {draw_intent(chance).function for _ in range(100)}
    assert {"purchase"} == {draw_intent(chance, purchase=True).function for _ in range(100)}


def test_without_a_purchase_to_void_or_refund_one_is_made() -> None:
    for function in ("purchase_void", "refund"):
        assert isinstance(command_for(Intent(function, CUP, 100, 0.5), [], "156"), Purchase)


def test_the_last_purchase_that_stands_is_left_alone() -> None:
    terminal, host = a_terminal("hypercom"), ScriptedHost("hypercom")
    carry_out(terminal, host, Purchase(CUP, 1000, "156"))

    assert isinstance(command_for(Intent("purchase_void", CUP, 100, 0.0), terminal.memory.log, "156"), Purchase)


def test_a_refund_is_not_more_than_its_purchase_and_with_its_card() -> None:
    terminal, host = a_terminal("hypercom"), ScriptedHost("hypercom")
    for _ in range(2):
        carry_out(terminal, host, Purchase(TEST_CARDS["visa"], 1000, "156"))

    command = command_for(Intent("refund", CUP, 5000, 0.99), terminal.memory.log, "156")

    assert isinstance(command, Refund)
    assert (1000, TEST_CARDS["visa"].pan) == (command.amount_minor, command.card.pan)
    assert command.original is not None
    assert "000002" == command.original.stan


def test_what_was_refunded_is_not_voided() -> None:
    terminal, host = a_terminal("hypercom"), ScriptedHost("hypercom")
    for _ in range(2):
        carry_out(terminal, host, Purchase(CUP, 1000, "156"))
    carry_out(terminal, host, Refund(CUP, 10, "156", terminal.memory.log[0].as_original()))

    assert Void("000002") == command_for(Intent("purchase_void", CUP, 1, 0.0), terminal.memory.log, "156")
