"""Sales told afterwards: offline purchases, electronic cash, completion advices."""

from __future__ import annotations

import json

import pytest
from tests.unit.host.handlers.conftest import Terminal
from tests.unit.host.handlers.test_authorisations import counted, outcome, sales, state
from tests.unit.host.handlers.test_refund import close_batch
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import (
    OTHER_CARD,
    VISA_CARD,
    WRONG_CARD,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
)

from pos_specs.totals import Side


async def test_an_offline_purchase_is_a_sale(terminal: Terminal, host: HostInProcess) -> None:
    told = await terminal.offline_purchase(25_00)

    assert ("0230", "00") == (told.answer.mti, told.code)
    assert sales(terminal, 1, 25_00) == counted(terminal, host)
    await close_batch(terminal, sales=(1, 25_00))


async def test_its_answer_has_the_code_that_was_given_by_voice(
    unionpay: UnionPayTerminal, hypercom: HypercomTerminal
) -> None:
    for terminal in (unionpay, hypercom):
        assert "998877" == (await terminal.offline_purchase(25_00)).answer.fields[38]


async def test_an_offline_purchase_without_its_code_is_a_format_error(
    unionpay: UnionPayTerminal, hypercom: HypercomTerminal
) -> None:
    for terminal in (unionpay, hypercom):
        assert "30" == (await terminal.offline_purchase(25_00, f38=None)).code


async def test_what_happened_is_posted_whatever_the_card(terminal: Terminal, host: HostInProcess) -> None:
    assert "00" == (await terminal.offline_purchase(25_00, WRONG_CARD)).code


async def test_an_offline_purchase_of_nothing_is_refused(terminal: Terminal, host: HostInProcess) -> None:
    assert ("13", "invalid_amount") == ((await terminal.offline_purchase(0)).code, outcome(host))


async def test_an_offline_purchase_in_a_second_currency_is_a_format_error(terminal: Terminal) -> None:
    await terminal.purchase(1_00)

    assert "30" == (await terminal.offline_purchase(25_00, f49="840")).code


async def test_an_advice_sent_again_is_posted_once(terminal: Terminal, host: HostInProcess) -> None:
    told = await terminal.offline_purchase(25_00)

    assert told.answer.fields == (await terminal.again(told, "0221")).answer.fields
    assert sales(terminal, 1, 25_00) == counted(terminal, host)


async def test_an_advice_is_not_reversed(unionpay: UnionPayTerminal, iso87: Iso87Terminal, host: HostInProcess) -> None:
    for terminal in (unionpay, iso87):
        told = await terminal.offline_purchase(25_00)

        assert ("25", "original_not_found") == ((await terminal.reverse(told.request)).code, outcome(host))
        assert sales(terminal, 1, 25_00) == counted(terminal, host)


async def test_hypercom_is_answered_00_and_nothing_taken_back(hypercom: HypercomTerminal, host: HostInProcess) -> None:
    told = await hypercom.offline_purchase(25_00)

    assert "00" == (await hypercom.reverse(told.request)).code
    assert {"sales": Side(1, 25_00)} == counted(hypercom, host)


async def test_electronic_cash_counts_as_domestic_whatever_the_card(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    assert "00" == (await unionpay.electronic_cash(5_00, VISA_CARD)).code
    assert "00" == (await unionpay.offline_purchase(6_00, VISA_CARD)).code

    assert {"domestic_debit": Side(1, 5_00), "foreign_debit": Side(1, 6_00)} == counted(unionpay, host)


async def test_an_offline_purchase_can_be_voided_and_refunded(terminal: Terminal, host: HostInProcess) -> None:
    first, second = await terminal.offline_purchase(25_00), await terminal.offline_purchase(35_00)

    assert "00" == (await terminal.void(first)).code
    assert "00" == (await terminal.refund(second, 5_00)).code


async def test_a_completion_advice_completes_its_authorisation(terminal: Terminal, host: HostInProcess) -> None:
    auth = await terminal.auth(50_00)

    told = await terminal.tell_completion(auth, 48_00)

    assert ("0230", "00", auth.answer.fields[38]) == (told.answer.mti, told.code, told.answer.fields[38])
    assert ("completed", 50_00, 48_00) == state(terminal, host)
    assert sales(terminal, 1, 48_00) == counted(terminal, host)


@pytest.mark.parametrize("wrong", [{"f38": "777777"}, {"f2": OTHER_CARD}])
async def test_a_completion_advice_that_fits_no_authorisation_stands_alone(
    terminal: Terminal, host: HostInProcess, wrong: dict[str, str]
) -> None:
    auth = await terminal.auth(50_00)

    assert "00" == (await terminal.tell_completion(auth, 48_00, **wrong)).code

    assert ("open", 50_00, 0) == state(terminal, host)
    assert sales(terminal, 1, 48_00) == counted(terminal, host)
    assert "no authorisation" in json.loads(host.memory.entries[-1].entry.detail)["reason"]


async def test_a_completion_advice_of_too_much_is_posted_and_says_so(terminal: Terminal, host: HostInProcess) -> None:
    auth = await terminal.auth(50_00)

    assert "00" == (await terminal.tell_completion(auth, 80_00)).code
    assert ("completed", 50_00, 80_00) == state(terminal, host)
    assert "more than 115 %" in json.loads(host.memory.entries[-1].entry.detail)["reason"]


async def test_a_second_completion_advice_is_posted_and_says_so(terminal: Terminal, host: HostInProcess) -> None:
    auth = await terminal.auth(50_00)
    await terminal.tell_completion(auth, 48_00)

    assert "00" == (await terminal.tell_completion(auth, 2_00)).code
    assert ("completed", 50_00, 48_00) == state(terminal, host)
    assert sales(terminal, 2, 50_00) == counted(terminal, host)
    assert "was completed" in json.loads(host.memory.entries[-1].entry.detail)["reason"]


async def test_an_offline_purchase_under_the_code_of_an_authorisation_completes_it(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    auth = await hypercom.auth(50_00)

    await hypercom.offline_purchase(48_00, f38=auth.answer.fields[38])

    assert ("completed", 50_00, 48_00) == state(hypercom, host)


async def test_advices_wait_until_a_unionpay_upload_is_over(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    await unionpay.purchase(1_00)
    await unionpay.settle({"domestic_debit": Side(2, 3_00)})

    assert "58" == (await unionpay.offline_purchase(25_00)).code
