"""Balance inquiry."""

from __future__ import annotations

import pytest
from tests.unit.host.handlers.conftest import Terminal
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import MERCHANT, UNIONPAY_CARD, WRONG_CARD, Exchange, UnionPayTerminal

from pos_specs import test_cards

MTIS = {"unionpay": "0200", "hypercom": "0100", "iso87-ascii": "0100"}
VISA = "4111111111111111"


async def inquire(terminal: Terminal, pan: str, **changes: str | None) -> Exchange:
    """A balance inquiry in the form of the terminal's dialect."""
    fields: dict[int, str | None] = {2: pan, 3: "310000", 11: terminal.next_stan(), 22: "012", 25: "00", 49: "156"}
    if terminal.dialect == "unionpay":
        fields[60] = f"01{terminal.batch}000500"
    elif terminal.dialect == "hypercom":
        fields |= {24: "003", 49: None}
    over = {int(name[1:]): value for name, value in changes.items()}
    return await terminal.send(MTIS[terminal.dialect], fields, over)


async def test_a_balance_is_told_and_nothing_is_counted(terminal: Terminal, host: HostInProcess) -> None:
    done = await inquire(terminal, VISA)

    assert ("00", "3002156C001000000000") == (done.code, done.answer.fields[54])
    assert all(side.count == 0 for side in host.groups(terminal.ids[41] or "").values())
    entry = host.memory.entries[-1].entry
    assert ("balance", "approved", 0, "411111******1111") == (entry.kind, entry.outcome, entry.amount_minor, entry.card)


async def test_a_debit_card_is_a_savings_account(terminal: Terminal) -> None:
    assert "1002156C001000000000" == (await inquire(terminal, "6222021000112233449")).answer.fields[54]


async def test_a_card_that_nobody_knows_has_the_same_balance_every_time(terminal: Terminal) -> None:
    told = [(await inquire(terminal, UNIONPAY_CARD)).answer.fields[54] for _ in range(2)]

    assert ["1002156C000000100000"] * 2 == told


async def test_a_unionpay_answer_has_the_elements_of_the_protocol(unionpay: UnionPayTerminal) -> None:
    answer = (await inquire(unionpay, VISA, f14="4912")).answer

    assert "0210" == answer.mti
    assert {
        2: VISA,
        3: "310000",
        11: "000001",
        12: "200000",
        13: "0302",
        14: "4912",
        25: "00",
        32: "00010000",
        37: "000001000001",
        39: "00",
        41: "T0000001",
        42: MERCHANT,
        44: "00010000   00010000   ",
        49: "156",
        54: "3002156C001000000000",
        60: "01000001000500",
    } == answer.fields


@pytest.mark.parametrize(("name", "code"), [("visa-lost-card", "41"), ("visa-expired", "54")])
async def test_a_card_that_its_issuer_refuses_is_not_told_of(terminal: Terminal, name: str, code: str) -> None:
    card = test_cards.find_test_card(name)
    assert card is not None

    done = await inquire(terminal, card.pan)

    assert (code, None) == (done.code, done.answer.fields.get(54))


async def test_a_wrong_check_digit_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    assert "14" == (await inquire(terminal, WRONG_CARD)).code
    assert "invalid_card" == host.memory.entries[-1].entry.outcome


async def test_a_balance_inquiry_without_its_card_is_incomplete(terminal: Terminal) -> None:
    assert "30" == (await inquire(terminal, VISA, f2=None)).code
