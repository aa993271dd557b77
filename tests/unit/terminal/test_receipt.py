"""The slip a terminal prints."""

from tests.unit.terminal.scripted_host import ScriptedHost, a_terminal, carry_out

from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import Adjust, Purchase, Void
from pos_terminal.receipt import WIDTH, slip


def test_a_receipt_shows_the_card_masked_and_fits_its_paper() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, Purchase(TEST_CARDS["visa"], 123456, "156"))
    carry_out(terminal, host, Void("000001"))

    sale, void = (slip(t, terminal.memory, "00", "Approved") for t in terminal.memory.log)

    assert "411111******1111" in sale
    assert TEST_CARDS["visa"].pan not in sale + void
    assert "CNY 1,234.56" in sale
    assert "CNY -1,234.56" in void
    assert "Original trace            000001" in void
    assert max(len(line) for line in [*sale.splitlines(), *void.splitlines()]) <= WIDTH


def test_a_tip_stands_on_a_line_of_its_own() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, Purchase(TEST_CARDS["visa"], 1000, "156"))
    carry_out(terminal, host, Adjust("000001", 1150, 150))

    text = slip(terminal.memory.log[1], terminal.memory, "00", "Approved")

    assert ["Tip                     CNY 1.50", "Amount                 CNY 11.50"] == text.splitlines()[-3:-1]
    assert "ADJUSTED SALE" in text


def test_a_long_value_gets_a_line_of_its_own() -> None:
    terminal, host = a_terminal("unionpay"), ScriptedHost("unionpay")
    carry_out(terminal, host, Purchase(TEST_CARDS["visa"], 1, "156"))

    text = slip(terminal.memory.log[0], terminal.memory, "58", "Not allowed at this terminal")

    assert "Answer 58\n    Not allowed at this terminal" in text
