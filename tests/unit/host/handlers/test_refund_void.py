"""The void of a refund, and cash advances."""

from __future__ import annotations

import pytest
from tests.unit.host.handlers.test_authorisations import counted, outcome, sales
from tests.unit.host.handlers.test_refund import close_batch
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import VISA_CARD, WRONG_CARD, HypercomTerminal, Iso87Terminal

from pos_specs.totals import Side

Terminal = HypercomTerminal | Iso87Terminal


@pytest.fixture(params=["hypercom", "iso87"])
def terminal(request: pytest.FixtureRequest, host: HostInProcess) -> Terminal:
    """A terminal of each dialect that has these functions."""
    return HypercomTerminal(host) if request.param == "hypercom" else Iso87Terminal(host)


async def test_a_voided_refund_gives_nothing_back(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(10_00)
    refund = await terminal.refund(sale, 10_00)

    assert "00" == (await terminal.refund_void(refund)).code

    if isinstance(terminal, HypercomTerminal):
        assert {"sales": Side(1, 10_00)} == counted(terminal, host)
    else:
        voided = {"credits": Side(1, 10_00), "credits_reversal": Side(1, 10_00)}
        assert {"debits": Side(1, 10_00), **voided} == counted(terminal, host)
    assert "00" == (await terminal.refund(sale, 10_00)).code


async def test_a_refund_is_voided_once(terminal: Terminal, host: HostInProcess) -> None:
    refund = await terminal.refund(None, 10_00, VISA_CARD)
    void = await terminal.refund_void(refund)

    assert void.answer == (await terminal.again(void)).answer
    assert ("12", "already_voided") == ((await terminal.refund_void(refund)).code, outcome(host))


async def test_a_sale_is_no_refund_to_the_void_of_one(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(10_00)

    assert ("25", "original_not_found") == ((await terminal.refund_void(sale)).code, outcome(host))


async def test_a_refund_of_a_closed_batch_cannot_be_voided(terminal: Terminal, host: HostInProcess) -> None:
    refund = await terminal.refund(None, 10_00, VISA_CARD)
    await close_batch(terminal, refunds=(1, 10_00))

    assert ("25", "original_settled") == ((await terminal.refund_void(refund)).code, outcome(host))


async def test_a_reversed_refund_void_restores_the_refund(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(10_00)
    refund = await terminal.refund(sale, 6_00)
    before = counted(terminal, host)
    void = await terminal.refund_void(refund)

    assert "00" == (await terminal.reverse(void.request)).code

    assert before == {n: s for n, s in counted(terminal, host).items() if n in before}
    differs = "13" if isinstance(terminal, HypercomTerminal) else "64"
    assert [differs, "00"] == [(await terminal.refund(sale, amount)).code for amount in (4_01, 4_00)]


async def test_a_hypercom_refund_void_may_say_its_amount_in_de60(hypercom: HypercomTerminal) -> None:
    refund = await hypercom.refund(None, 10_00, VISA_CARD)

    assert "00" == (await hypercom.refund_void(refund, f4="0" * 12, f60=refund.request.fields[4])).code


async def test_a_cash_advance_counts_as_a_sale(terminal: Terminal, host: HostInProcess) -> None:
    advance = await terminal.cash_advance(100_00)

    assert ("0210", "00") == (advance.answer.mti, advance.code)
    assert sales(terminal, 1, 100_00) == counted(terminal, host)
    await close_batch(terminal, sales=(1, 100_00))


async def test_a_cash_advance_is_refused_like_a_purchase(terminal: Terminal) -> None:
    assert "14" == (await terminal.cash_advance(100_00, WRONG_CARD)).code
    assert "13" == (await terminal.cash_advance(0)).code


async def test_a_cash_advance_is_voided_and_reversed_but_not_refunded(terminal: Terminal, host: HostInProcess) -> None:
    first, second = await terminal.cash_advance(100_00), await terminal.cash_advance(200_00)

    assert "25" == (await terminal.refund(first, 1_00)).code
    assert "00" == (await terminal.void(first)).code
    assert "00" == (await terminal.reverse(second.request)).code
    assert not counted(terminal, host) or isinstance(terminal, Iso87Terminal)
