"""How exchanges are shown: no card number, also where only the other message of the exchange tells that it is one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pos_host.exchange_views import message_view, received_view
from pos_host.exchanges import Exchange, Exchanges
from pos_specs.framing import Frame, join_frame
from pos_specs.language import open_language
from pos_specs.message import Message

UNIONPAY = open_language("unionpay")
PAN = "6225880137063146"
FACTS: dict[str, Any] = {
    "merchant_id": "898310000000001",
    "terminal_id": "T0000001",
    "function": "purchase",
    "outcome": "approved",
}


def exchange_of(request: dict[int, str], reply: dict[int, str]) -> Exchange:
    exchanges = Exchanges()
    framing = UNIONPAY.dialect.framing
    asked, answered = Message("0200", request), Message("0210", reply)
    frames = [
        Frame(bytes.fromhex("6000030000"), framing.envelope.header.sent, UNIONPAY.encode(message))
        for message in (asked, answered)
    ]
    answer = join_frame(framing, frames[1])
    exchanges.add(0, "peer", UNIONPAY, frames[0], UNIONPAY.decode(frames[0].body), answer, reason="", **FACTS)
    return exchanges.kept[0]


@pytest.mark.parametrize("repeated", [{60: f"22{PAN}"}, {63: f"x {PAN}"}, {61: PAN[:12]}])
def test_an_answer_that_repeats_the_card_in_a_private_element_does_not_show_it(repeated: dict[int, str]) -> None:
    exchange = exchange_of({2: PAN, 11: "000001", **repeated}, {11: "000001", 39: "00", **repeated})

    for view in (received_view(exchange), message_view(exchange)):
        told = json.dumps(view)
        for form in (PAN, PAN[:12], PAN.encode().hex(), PAN[:12].encode().hex()):
            assert form not in told
        assert "00" == view["reply"]["fields"]["39"]


def test_what_an_answer_repeats_of_a_message_without_a_card_is_shown() -> None:
    exchange = exchange_of({11: "000001", 60: "22000001"}, {11: "000001", 39: "00", 60: "22000001"})

    assert "22000001" == received_view(exchange)["reply"]["fields"]["60"]
    assert [("60", "22000001", "000822000001")] == [
        (row["number"], row["value"], row["counter"] + row["raw"])
        for row in message_view(exchange)["reply"]["elements"]
        if row["number"] == "60"
    ]
