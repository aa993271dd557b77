"""What is told of an exchange."""

import pytest
from tests.unit.terminal.scripted_host import ScriptedHost, a_terminal, exchanges

from pos_terminal.cards import TEST_CARDS
from pos_terminal.commands import Purchase


@pytest.mark.parametrize("dialect", ["unionpay", "hypercom", "iso87-ascii", "iso93-ascii", "base24-pos"])
def test_an_exchange_as_json_shows_no_card_and_no_track(dialect: str) -> None:
    terminal, host = a_terminal(dialect), ScriptedHost(dialect)
    card = TEST_CARDS["visa"]

    shown = [exchange.to_json(terminal.language) for exchange in exchanges(terminal, host, Purchase(card, 1, "156"))]

    assert card.pan not in str(shown)
    assert "3012201" not in str(shown)
    assert {
        "function",
        "response_code",
        "approved",
        "stan",
        "rrn",
        "batch_number",
        "latency_ms",
        "request",
        "response",
    } == shown[0].keys()
