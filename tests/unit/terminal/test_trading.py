"""What a simulated shop does next."""

from random import Random

from tests.unit.terminal.scripted_host import ScriptedHost, a_terminal, carry_out

from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import Adjust, Authorise, Complete, Inquire, Purchase, Refund, Void
from pos_terminal.trading import SHARES, Intent, command_for, commands_for, draw_intent

CUP = TEST_CARDS["unionpay"]


def test_every_kind_is_drawn() -> None:
    chance = Random(1)

    assert {"purchase", *SHARES} == {draw_intent(chance).function for _ in range(1000)}
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


def kinds(dialect: str, function: str, *declined: str) -> list[type]:
    """The commands an intent of that function comes to; the host declines what is named."""
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)
    for name in declined:
        host.will(name, {39: "51", 38: None})
    intent = Intent(function, CUP, 1000, 0.9)
    made = []
    for command in commands_for(intent, terminal.memory, "156", host.language.dialect):
        made.append(type(command))
        carry_out(terminal, host, command)
    return made


def test_a_completion_follows_its_pre_authorisation() -> None:
    assert [Authorise, Complete] == kinds("unionpay", "completion")
    assert [Authorise] == kinds("unionpay", "completion", "auth")


def test_a_tip_follows_its_purchase() -> None:
    assert [Purchase, Adjust] == kinds("hypercom", "adjust")
    assert [Purchase] == kinds("hypercom", "adjust", "purchase")


def test_a_balance_is_followed_by_a_purchase() -> None:
    assert [Inquire, Purchase] == kinds("unionpay", "balance")


def test_what_a_dialect_lacks_is_a_purchase() -> None:
    assert [Purchase] == kinds("iso87-ascii", "adjust")
    assert [Purchase] == kinds("unionpay", "cash_advance")


def test_what_may_have_been_refunded_is_not_voided() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    for _ in range(2):
        carry_out(terminal, host, Purchase(CUP, 1000, "156"))
    host.will("refund", None)
    carry_out(terminal, host, Refund(CUP, 10, "156", terminal.memory.log[0].as_original()))

    intent = Intent("purchase_void", CUP, 1, 0.0)
    assert [Void("000002")] == list(commands_for(intent, terminal.memory, "156", host.language.dialect))
