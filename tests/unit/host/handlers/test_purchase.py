from __future__ import annotations

from tests.unit.host.handlers.conftest import Terminal
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import (
    MERCHANT,
    TRACK_TAIL,
    UNIONPAY_CARD,
    VISA_CARD,
    WRONG_CARD,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
    card,
)

from pos_specs.totals import Side


async def test_a_unionpay_answer_holds_what_the_terminal_needs(unionpay: UnionPayTerminal) -> None:
    sale = await unionpay.purchase(12_34, f53="2600000000000000", f14="3012")

    assert "0210" == sale.answer.mti
    assert {
        2: UNIONPAY_CARD,
        3: "000000",
        4: "000000001234",
        11: "000001",
        12: "200000",
        13: "0302",
        14: "3012",
        15: "0302",
        25: "00",
        32: "00010000",
        37: "000001000001",
        38: "000001",
        39: "00",
        41: "T0000001",
        42: MERCHANT,
        44: "00010000   00010000   ",
        49: "156",
        53: "2600000000000000",
        60: "22000001000500",
        63: "CUP",
    } == sale.answer.fields


async def test_de63_names_the_organisation_by_which_the_terminal_counts_its_card(unionpay: UnionPayTerminal) -> None:
    assert "VIS" == (await unionpay.purchase(12_34, VISA_CARD)).answer.fields[63]


async def test_a_swiped_card_comes_back_in_de2(unionpay: UnionPayTerminal) -> None:
    sale = await unionpay.purchase(12_34, f2=None, f35=f"{VISA_CARD}D{TRACK_TAIL}", f22="021")

    assert (VISA_CARD, "VIS", None) == tuple(sale.answer.fields.get(number) for number in (2, 63, 35))


async def test_a_hypercom_answer_names_no_card(hypercom: HypercomTerminal) -> None:
    sale = await hypercom.purchase(12_34)

    assert {
        3: "000000",
        4: "000000001234",
        11: "000001",
        12: "200000",
        13: "0302",
        24: "003",
        37: "000001000001",
        38: "000001",
        39: "00",
        41: "H0000001",
    } == sale.answer.fields


async def test_an_iso87_answer_echoes_the_terminals_own_time(iso87: Iso87Terminal) -> None:
    sale = await iso87.purchase(12_34)

    assert ("200000", "0302", "00") == tuple(sale.answer.fields[number] for number in (12, 13, 39))
    assert {2, 35} & sale.answer.fields.keys() == set()


async def test_an_amount_of_zero_is_invalid(terminal: Terminal, host: HostInProcess) -> None:
    assert "13" == (await terminal.purchase(0)).code
    assert {} == host.groups(terminal.ids[41])


async def test_a_wrong_check_digit_is_an_invalid_card(terminal: Terminal) -> None:
    sale = await terminal.purchase(12_34, WRONG_CARD)

    assert ("14", None) == (sale.code, sale.answer.fields.get(38))


async def test_a_card_number_of_eleven_digits_is_an_invalid_card(terminal: Terminal) -> None:
    assert "14" == (await terminal.purchase(12_34, card("6222028397"))).code


async def test_a_card_number_of_nineteen_digits_is_taken(terminal: Terminal) -> None:
    assert "00" == (await terminal.purchase(12_34, card("621226839174605288"))).code


async def test_a_batch_has_one_currency(terminal: Terminal) -> None:
    await terminal.purchase(12_34, f49="156")

    assert "30" == (await terminal.purchase(12_34, f49="840")).code


async def test_a_batch_takes_the_currency_of_its_first_money(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(0, f49="156")

    assert "00" == (await terminal.purchase(12_34, f49="840")).code
    assert "840" == host.book(terminal.ids[41]).batches[-1].currency


async def test_a_refused_purchase_moves_no_money_and_gets_no_approval_code(terminal: Terminal) -> None:
    sale = await terminal.purchase(12_34, WRONG_CARD)

    assert 38 not in sale.answer.fields


async def test_each_approval_has_its_own_rrn_and_approval_code(terminal: Terminal) -> None:
    sales = [await terminal.purchase(1_00) for _ in range(3)]

    assert 3 == len({sale.rrn for sale in sales})
    assert 3 == len({sale.answer.fields[38] for sale in sales})


async def test_the_largest_amount_is_taken(terminal: Terminal, host: HostInProcess) -> None:
    assert "00" == (await terminal.purchase(999_999_999_999)).code
    assert "00" == (await terminal.purchase(999_999_999_999)).code


async def test_a_qr_purchase_has_no_card_and_counts_as_domestic(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    code = "5F0112" + b"622222000011112222".hex().upper()
    for condition in ("99", "00"):
        sale = await unionpay.purchase(
            1_00, f2=None, f22="030", f25=condition, f60=f"26{unionpay.batch}000600", f62=code
        )
        assert ("00", "CUP", None) == (sale.code, sale.answer.fields[63], sale.answer.fields.get(2))

    assert {"domestic_debit": Side(2, 2_00)} == host.groups("T0000001")


async def test_hypercom_sales_on_savings_and_cheque_accounts_are_debit_sales(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    for code in ("000000", "001000", "002000", "003000"):
        await hypercom.purchase(1_00, f3=code)

    assert {"sales": Side(2, 2_00), "debit_sales": Side(2, 2_00)} == host.groups("H0000001")


async def test_a_card_in_de62_of_a_hypercom_sale_is_not_kept_as_an_invoice(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    sale = await hypercom.purchase(1_00, f62=UNIONPAY_CARD)

    assert "00" == sale.code
    assert "" == host.memory.entries[-1].entry.invoice
